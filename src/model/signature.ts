import { compareBytes } from './compare.ts'

/** A detached Ed25519 signature over the 32 raw bytes of an event id has this many bytes (spec §2.4). */
export const signatureBytes = 64

/** Tells whether a signature of a given actor's event verifies; `unknown-key` when no key of the actor is known. */
export type SignatureVerdict = 'valid' | 'invalid' | 'unknown-key'

/**
 * Chooses the signature to keep when copies of one event differ only there: one that verifies, else the smallest
 * bytes, and none at all last. Commutative and associative, so it does not matter in which order copies arrive.
 *
 * @param isValid - decides for one signature; must not depend on anything but the event and known keys
 */
export function chooseSignature(
  left: Uint8Array | null,
  right: Uint8Array | null,
  isValid: (sig: Uint8Array) => boolean,
): Uint8Array | null {
  if (left === null || right === null) return left ?? right
  const [leftValid, rightValid] = [isValid(left), isValid(right)]
  if (leftValid !== rightValid) return leftValid ? left : right
  return compareBytes(left, right) <= 0 ? left : right
}
