/**
 * Actor cards: an actor's key and label, published in the log (docs/format.md#actor-cards). This file reads and writes
 * one card; `pinned-actor.ts` combines all cards of an actor.
 */
import { type Event, type Version, versionOf } from './event.ts'
import { identifyEvent, projectContextIssueId } from './event-codec.ts'
import type { EventBodyOf } from './event-kinds.ts'
import { parseForeignJson } from './foreign/parse-json.ts'
import { shape } from './foreign/shapes.ts'
import { blake2b128, blake2b256 } from './hash.ts'
import { formatHex, parseHex } from './hex.ts'
import type { ActorId } from './ids.ts'
import { limits } from './limits.ts'
import { beadsImportActor } from './original-id.ts'

/** Tells whether an Ed25519 signature over 32 bytes, given as 64 hex characters, verifies with a key. */
export type VerifySignature = (digestHex: string, sig: Uint8Array, publicKeyHex: string) => boolean

/** The content of a card. */
export interface ActorCard {
  readonly label: string | null
  /** 64 hex characters; null for an actor that does not sign. */
  readonly publicKey: string | null
  /** Only in a rotation. */
  readonly rotation: { readonly previousKey: string; readonly proof: Uint8Array } | null
}

/** A card with valid signatures. Whether it counts depends on the actor's other cards. */
export interface ValidCard {
  readonly version: Version
  readonly label: string | null
  readonly publicKey: string | null
  /** The key that a rotation replaces; it signed the rotation. */
  readonly previousKey: string | null
}

const keyPrefix = 'grite.actor.'
const keyScheme = 'ed25519'
const publicKeyPattern = /^[0-9a-f]{64}$/
const proofPattern = /^[0-9a-f]{128}$/
const utf8 = new TextEncoder()

/** The key of an actor's card in the context store. */
export function actorCardKey(actor: ActorId): string {
  return `${keyPrefix}${actor}`
}

/** Whether an event is a card, judged by its key alone; the card may be invalid. */
export function isCardEvent(event: Event): event is Event & { readonly body: EventBodyOf<'ProjectContextUpdated'> } {
  return event.body.type === 'ProjectContextUpdated' && event.body.key.startsWith(keyPrefix)
}

/** The id of an actor created together with its key: nobody can bind another key to it first. */
export function deriveActorId(publicKeyHex: string): ActorId {
  return formatHex(blake2b128(concat('grite:actor:ed25519:v1:', publicKeyHex))) as ActorId
}

/** The digest that the new key of a rotation signs: 32 bytes as hex. */
export function rotationDigest(actor: ActorId, previousKeyHex: string, publicKeyHex: string): string {
  return formatHex(blake2b256(concat('grite:actor:rotation:v1:', actor + previousKeyHex + publicKeyHex)))
}

function concat(text: string, hex: string): Uint8Array {
  const bytes = parseHex(hex)
  if (bytes === undefined) throw new TypeError(`'${hex}' is not hex`)
  const prefix = utf8.encode(text)
  const all = new Uint8Array(prefix.length + bytes.length)
  all.set(prefix)
  all.set(bytes, prefix.length)
  return all
}

/** The value of a card's event. A label too long for a card is left out. */
export function formatActorCard({ label, publicKey, rotation }: ActorCard): string {
  return JSON.stringify({
    ...(label === null || !isLabel(label) ? {} : { label }),
    ...(publicKey === null ? {} : { public_key: publicKey, key_scheme: keyScheme }),
    ...(rotation === null ? {} : { previous_key: rotation.previousKey, rotation: formatHex(rotation.proof) }),
  })
}

/** The label if a card can hold it, else null. */
export function labelOnCard(label: string | null): string | null {
  return label !== null && isLabel(label) ? label : null
}

/**
 * The only valid card of the import actor, the same in every clone; it names the source. Anyone may write as that
 * actor, so every other card of it is invalid.
 */
export function beadsImportCard(): Event {
  const value = formatActorCard({ label: 'beads', publicKey: null, rotation: null })
  return identifyEvent({
    issueId: projectContextIssueId,
    actor: beadsImportActor,
    tsUnixMs: 0,
    parent: null,
    body: { type: 'ProjectContextUpdated', key: actorCardKey(beadsImportActor), value },
  })
}

export type CardReading = { readonly card: ValidCard } | { readonly problem: string }

/** Reads the card in an event, or says why it is invalid. `event.sig` is the signature of the copy being checked. */
export function readCard(event: Event, verify: VerifySignature): CardReading {
  if (!isCardEvent(event)) return { problem: 'is not an actor card' }
  const { key, value } = event.body
  if (key !== actorCardKey(event.actor)) return { problem: `belongs to another actor than its author ${event.actor}` }
  if (event.issueId !== projectContextIssueId) return { problem: 'is attached to an issue' }
  if (event.actor === beadsImportActor && event.eventId !== beadsImportCard().eventId) {
    return { problem: 'the import actor has one fixed card, and this is another' }
  }
  const card = parseActorCard(value)
  if (typeof card === 'string') return { problem: card }
  const { label, publicKey, rotation } = card
  const standing = { version: versionOf(event), label, publicKey, previousKey: rotation?.previousKey ?? null }
  if (publicKey === null) return { card: standing }
  const signer = rotation?.previousKey ?? publicKey
  if (event.sig === null || !verify(event.eventId, event.sig, signer)) {
    return {
      problem: rotation === null ? 'is not signed with the key it names' : 'is not signed with the previous key',
    }
  }
  if (rotation !== null) {
    const digest = rotationDigest(event.actor, rotation.previousKey, publicKey)
    if (!verify(digest, rotation.proof, publicKey)) return { problem: 'the new key did not sign the rotation' }
  }
  return { card: standing }
}

/** Keys are checked one by one so that the problem names the wrong one. */
const member = shape.nullable(shape.anything)
const cardShape = shape.table({
  label: member,
  public_key: member,
  key_scheme: member,
  previous_key: member,
  rotation: member,
})

/** The card in a value, or the problem with it. */
function parseActorCard(value: string): ActorCard | string {
  // A character takes at least one byte, so the cheap check comes first.
  if (value.length > limits.actorCardBytesMax || utf8.encode(value).length > limits.actorCardBytesMax) {
    return `is larger than ${limits.actorCardBytesMax} bytes`
  }
  const read = parseForeignJson(value, cardShape, { name: 'an actor card', sizeMax: limits.actorCardBytesMax })
  if (read.problem !== null) return 'is not a JSON object'
  const { label, public_key: publicKey, key_scheme: scheme, previous_key: previousKey, rotation: proof } = read.value
  if (label !== null && (typeof label !== 'string' || !isLabel(label))) return 'its label is not text of 1 to 256 bytes'
  if (publicKey === null) {
    return previousKey === null ? { label, publicKey, rotation: null } : 'has a previous key, but no key'
  }
  if (scheme !== keyScheme) return 'its key scheme is not ed25519'
  if (!isText(publicKey, publicKeyPattern)) return 'its key is not 64 hexadecimal characters'
  if (previousKey === null) return { label, publicKey, rotation: null }
  if (!isText(previousKey, publicKeyPattern) || previousKey === publicKey) return 'its previous key is not valid'
  if (!isText(proof, proofPattern)) return 'its rotation is not 128 hexadecimal characters'
  return { label, publicKey, rotation: { previousKey, proof: parseHex(proof) as Uint8Array } }
}

function isText(value: unknown, pattern: RegExp): value is string {
  return typeof value === 'string' && pattern.test(value)
}

function isLabel(label: string): boolean {
  return label !== '' && label.isWellFormed() && utf8.encode(label).length <= limits.actorLabelBytesMax
}
