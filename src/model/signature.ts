import type { VerifySignature } from './actor-card.ts'
import { compareBytes } from './compare.ts'
import { compareVersions, type Event } from './event.ts'
import type { PinnedActor } from './pinned-actor.ts'

/** A detached Ed25519 signature over the 32 raw bytes of an event id has this many bytes (spec §2.4). */
export const signatureBytes = 64

export const signatureVerdicts = ['valid', 'invalid', 'unsigned', 'missing', 'unknown-key'] as const

/**
 * The verdict on an event's signature (docs/format.md#actor-cards). `unsigned`: there is none, and none is required.
 * `missing`: there is none, though the actor signs. `unknown-key`: there is one, but no key to verify it with.
 */
export type SignatureVerdict = (typeof signatureVerdicts)[number]

/** The known keys of an actor, from cards or otherwise. */
export type SignatureTrust = Pick<PinnedActor, 'keys' | 'signsSince'>

export const noTrust: SignatureTrust = { keys: [], signsSince: null }

/** The parts of an event that verification needs. */
export type SignedFacts = Pick<Event, 'eventId' | 'actor' | 'tsUnixMs' | 'sig'>

/** Verifies the signature of an event. */
export function judgeSignature(
  event: SignedFacts,
  { keys, signsSince }: SignatureTrust,
  verify: VerifySignature,
): SignatureVerdict {
  const { sig } = event
  if (sig === null) {
    if (signsSince === null) return 'unsigned'
    return signsSince === 'always' || compareVersions(event, signsSince) > 0 ? 'missing' : 'unsigned'
  }
  if (keys.length === 0) return 'unknown-key'
  const isValid = keysFor(event, keys).some(({ publicKey }) => verify(event.eventId, sig, publicKey))
  return isValid ? 'valid' : 'invalid'
}

/** After a clock was set back, events look older than the key that signed them; this many later keys are tried. */
const laterKeysMax = 3

/** The key in use at the event's place in the order of events, and the next ones. */
function keysFor(event: SignedFacts, keys: SignatureTrust['keys']): SignatureTrust['keys'] {
  const start = keys.findIndex(({ until }) => until === null || compareVersions(event, until) <= 0)
  return start === -1 ? [] : keys.slice(start, start + 1 + laterKeysMax)
}

/**
 * Chooses the signature to keep among copies of one event: a valid one first, then the smallest bytes, then none.
 * Commutative and associative, so the arrival order of copies does not matter.
 *
 * @param isValid - decides for one signature; must depend only on the event and on keys that all clones know
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
