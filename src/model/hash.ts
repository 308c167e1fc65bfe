import { blake2b } from '@noble/hashes/blake2.js'

/**
 * BLAKE2b with a 32-byte digest, unkeyed, over the concatenated parts: event ids and chunk hashes (spec §2.4, §1.2).
 */
export function blake2b256(...parts: readonly Uint8Array[]): Uint8Array {
  blank256._cloneInto(scratch256)
  for (const part of parts) scratch256.update(part)
  const digest = new Uint8Array(32)
  scratch256.digestInto(digest)
  return digest
}

/** Like `blake2b256` of one part; yields after each piece so that the caller can do other work. */
export function* blake2b256InSteps(bytes: Uint8Array, stepBytes: number): Generator<undefined, Uint8Array> {
  const state = blake2b.create({ dkLen: 32 })
  for (let start = 0; start < bytes.length; start += stepBytes) {
    if (start > 0) yield
    state.update(bytes.subarray(start, start + stepBytes))
  }
  return state.digest()
}

// Creating and destroying a hash state costs as much as half a block; a log has two hashes per commit.
const blank256 = blake2b.create({ dkLen: 32 })
const scratch256 = blank256.clone()

/** BLAKE2b with the digest length parameter 16, which is not a truncated BLAKE2b-256 (spec §2.2): derived ids. */
export function blake2b128(bytes: Uint8Array): Uint8Array {
  return blake2b(bytes, { dkLen: 16 })
}

/** BLAKE2b with the digest length parameter 20: names of refs (docs/format.md#refs). */
export function blake2b160(bytes: Uint8Array): Uint8Array {
  return blake2b(bytes, { dkLen: 20 })
}
