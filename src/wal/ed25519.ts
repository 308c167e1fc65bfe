/** Ed25519 (RFC 8032, pure) over raw event ids, by node:crypto. */
import { createPrivateKey, createPublicKey, type KeyObject, randomBytes, sign, verify } from 'node:crypto'
import { type EventId, parseHex, signatureBytes } from '../model/index.ts'

/** The fixed DER that precedes a 32-byte seed in PKCS #8, and a 32-byte key in SPKI (RFC 8410). */
const pkcs8Prefix = Buffer.from('302e020100300506032b657004220420', 'hex')
const spkiPrefix = Buffer.from('302a300506032b6570032100', 'hex')

export type SignEventId = (eventId: EventId) => Uint8Array

export interface KeyPair {
  /** 32-byte seed, 64 hex characters. */
  readonly seedHex: string
  /** 32-byte public key, 64 hex characters. */
  readonly publicKeyHex: string
}

/** Makes a key pair from 32 random bytes. */
export function generateKeyPair(seed: Uint8Array = randomBytes(32)): KeyPair {
  const publicKey = createPublicKey(privateKeyOf(seed)).export({ format: 'der', type: 'spki' })
  return {
    seedHex: Buffer.from(seed).toString('hex'),
    publicKeyHex: publicKey.subarray(spkiPrefix.length).toString('hex'),
  }
}

/** A signer for a 32-byte seed in hex; undefined when the text is no such seed. */
export function signerFromSeed(seedHex: string): SignEventId | undefined {
  const seed = parseHex(seedHex)
  if (seed?.length !== 32) return undefined
  const key = privateKeyOf(seed)
  return (eventId) => new Uint8Array(sign(null, Buffer.from(eventId, 'hex'), key))
}

/** Verifies a signature over an event id. False also for keys and signatures of a wrong length. */
export function verifyEventSignature(eventId: EventId, sig: Uint8Array, publicKeyHex: string): boolean {
  const raw = parseHex(publicKeyHex)
  if (raw?.length !== 32 || sig.length !== signatureBytes) return false
  try {
    const key = createPublicKey({ key: Buffer.concat([spkiPrefix, raw]), format: 'der', type: 'spki' })
    return verify(null, Buffer.from(eventId, 'hex'), key, sig)
  } catch {
    return false
  }
}

function privateKeyOf(seed: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.concat([pkcs8Prefix, seed]), format: 'der', type: 'pkcs8' })
}
