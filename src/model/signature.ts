import type { VerifySignature } from './actor-card.ts'
import { compareBytes } from './compare.ts'
import { compareVersions, type Event } from './event.ts'
import type { PinnedActor } from './pinned-actor.ts'

/** A detached Ed25519 signature over the 32 raw bytes of an event id has this many bytes (spec §2.4). */
export const signatureBytes = 64

export const signatureVerdicts = ['valid', 'invalid', 'unsigned', 'missing', 'unknown-key'] as const

/**
 * What the signature of an event is worth (docs/format.md#actor-cards). `unsigned`: there is none, and nobody said that
 * there should be. `missing`: there is none, though the actor signs. `unknown-key`: there is one, and no key to try it with.
 */
export type SignatureVerdict = (typeof signatureVerdicts)[number]

/** What is known of an actor's keys, from cards or otherwise. */
export type SignatureTrust = Pick<PinnedActor, 'keys' | 'signsSince'>

export const noTrust: SignatureTrust = { keys: [], signsSince: null }

/** What judging needs of an event. */
export type SignedFacts = Pick<Event, 'eventId' | 'actor' | 'tsUnixMs' | 'sig'>

/** Judges the signature that an event came with. */
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

/** A clock that was set back makes events look older than the key that signed them; further back than this nobody looks. */
const laterKeysMax = 3

/** The key that was in use at the event's place in the order of events, and those that came next. */
function keysFor(event: SignedFacts, keys: SignatureTrust['keys']): SignatureTrust['keys'] {
  const start = keys.findIndex(({ until }) => until === null || compareVersions(event, until) <= 0)
  return start === -1 ? [] : keys.slice(start, start + 1 + laterKeysMax)
}

/**
 * Chooses the signature to keep when copies of one event differ only there: one that verifies, else the smallest
 * bytes, and none at all last. Commutative and associative, so it does not matter in which order copies arrive.
 *
 * @param isValid - decides for one signature; must not depend on anything but the event and keys that all clones know
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
