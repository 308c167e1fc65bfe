/** Ed25519 (RFC 8032, pure) over event ids and other digests of 32 bytes, by node:crypto. */
import { createPrivateKey, createPublicKey, type KeyObject, randomBytes, sign, verify } from 'node:crypto'
import { parseHex, signatureBytes, type VerifySignature } from '../model/index.ts'

/** The fixed DER that precedes a 32-byte seed in PKCS #8, and a 32-byte key in SPKI (RFC 8410). */
const pkcs8Prefix = Buffer.from('302e020100300506032b657004220420', 'hex')
const spkiPrefix = Buffer.from('302a300506032b6570032100', 'hex')

/** Signs 32 bytes, given as 64 hex characters: an event id, or the digest of a rotation. */
export type SignDigest = (digestHex: string) => Uint8Array

/** Signs for an actor that has a key. */
export interface Signer {
  /** 64 hex characters. */
  readonly publicKey: string
  readonly sign: SignDigest
}

export interface KeyPair {
  /** 32-byte seed, 64 hex characters. */
  readonly seedHex: string
  /** 32-byte public key, 64 hex characters. */
  readonly publicKeyHex: string
}

/** Creates a key pair from 32 random bytes. */
export function generateKeyPair(seed: Uint8Array = randomBytes(32)): KeyPair {
  return { seedHex: Buffer.from(seed).toString('hex'), publicKeyHex: publicKeyOf(privateKeyOf(seed)) }
}

/** A signer for a 32-byte seed in hex; undefined for any other text. */
export function signerFromSeed(seedHex: string): Signer | undefined {
  const seed = parseHex(seedHex)
  if (seed?.length !== 32) return undefined
  const key = privateKeyOf(seed)
  return {
    publicKey: publicKeyOf(key),
    sign: (digestHex) => new Uint8Array(sign(null, Buffer.from(digestHex, 'hex'), key)),
  }
}

function publicKeyOf(key: KeyObject): string {
  const der = createPublicKey(key).export({ format: 'der', type: 'spki' })
  return der.subarray(spkiPrefix.length).toString('hex')
}

/** Verifies a signature over an event id or another digest. False also for keys and signatures of a wrong length. */
export const verifySignature: VerifySignature = (digestHex, sig, publicKeyHex) => {
  const raw = parseHex(publicKeyHex)
  if (raw?.length !== 32 || sig.length !== signatureBytes) return false
  try {
    const key = createPublicKey({ key: Buffer.concat([spkiPrefix, raw]), format: 'der', type: 'spki' })
    return verify(null, Buffer.from(digestHex, 'hex'), key, sig)
  } catch {
    return false
  }
}

function privateKeyOf(seed: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.concat([pkcs8Prefix, seed]), format: 'der', type: 'pkcs8' })
}
