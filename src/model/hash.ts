import { blake2b } from '@noble/hashes/blake2.js'

/** BLAKE2b with a 32-byte digest, unkeyed: event ids and chunk hashes (spec §2.4, §1.2). */
export function blake2b256(bytes: Uint8Array): Uint8Array {
  return blake2b(bytes, { dkLen: 32 })
}

/** BLAKE2b with the digest length parameter 16, which is not a truncated BLAKE2b-256 (spec §2.2): derived ids. */
export function blake2b128(bytes: Uint8Array): Uint8Array {
  return blake2b(bytes, { dkLen: 16 })
}
