import { blake2b } from '@noble/hashes/blake2.js'

/** An implementation of BLAKE2b for bulk work: the interface of hash-wasm's. One computation at a time. */
export interface BulkHasher {
  init(): unknown
  update(bytes: Uint8Array): unknown
  digest(form: 'binary'): Uint8Array
  /** The state of an unfinished computation, for `load`. */
  save(): Uint8Array
  load(state: Uint8Array): unknown
}

let bulk: BulkHasher | undefined
let bulk128: BulkHasher | undefined

/** Computes all later digests with faster implementations, for digests of 32 and 16 bytes. They take a moment to load. */
export function setBulkHashers(hasher256: BulkHasher, hasher128: BulkHasher): void {
  bulk = hasher256
  bulk128 = hasher128
}

export function hasBulkHasher(): boolean {
  return bulk !== undefined
}

/**
 * BLAKE2b with a 32-byte digest, unkeyed, over the concatenated parts: event ids and chunk hashes (spec §2.4, §1.2).
 */
export function blake2b256(...parts: readonly Uint8Array[]): Uint8Array {
  if (bulk !== undefined) {
    bulk.init()
    for (const part of parts) bulk.update(part)
    return bulk.digest('binary')
  }
  blank256._cloneInto(scratch256)
  for (const part of parts) scratch256.update(part)
  const digest = new Uint8Array(32)
  scratch256.digestInto(digest)
  return digest
}

/** Like `blake2b256` of one part; yields after each piece so that the caller can do other work. */
export function* blake2b256InSteps(bytes: Uint8Array, stepBytes: number): Generator<undefined, Uint8Array> {
  if (bulk !== undefined) return yield* hashBulkInSteps(bulk, bytes, stepBytes)
  const state = blake2b.create({ dkLen: 32 })
  for (let start = 0; start < bytes.length; start += stepBytes) {
    if (start > 0) yield
    state.update(bytes.subarray(start, start + stepBytes))
  }
  return state.digest()
}

/** Saves the state at each pause, because the caller may compute other digests meanwhile. */
function* hashBulkInSteps(hasher: BulkHasher, bytes: Uint8Array, stepBytes: number): Generator<undefined, Uint8Array> {
  hasher.init()
  for (let start = 0; start < bytes.length; start += stepBytes) {
    if (start > 0) {
      const state = hasher.save()
      yield
      hasher.load(state)
    }
    hasher.update(bytes.subarray(start, start + stepBytes))
  }
  return hasher.digest('binary')
}

// Creating and destroying a hash state costs as much as half a block; a log has two hashes per commit.
const blank256 = blake2b.create({ dkLen: 32 })
const scratch256 = blank256.clone()

/** BLAKE2b with the digest length parameter 16, which is not a truncated BLAKE2b-256 (spec §2.2): derived ids. */
export function blake2b128(bytes: Uint8Array): Uint8Array {
  if (bulk128 !== undefined) {
    bulk128.init()
    bulk128.update(bytes)
    return bulk128.digest('binary')
  }
  return blake2b(bytes, { dkLen: 16 })
}

/** BLAKE2b with the digest length parameter 20: names of refs (docs/format.md#refs). */
export function blake2b160(bytes: Uint8Array): Uint8Array {
  return blake2b(bytes, { dkLen: 20 })
}
