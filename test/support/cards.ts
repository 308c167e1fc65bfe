/** Signers with known keys, the cards of their actors, and events signed by them. */
import {
  type ActorId,
  actorCardKey,
  deriveActorId,
  type Event,
  formatActorCard,
  projectContextIssueId,
  rotationDigest,
} from '../../src/model/index.ts'
import { type Signer, signerFromSeed } from '../../src/wal/index.ts'
import { makeEvent } from './log.ts'

/** Returns the signer whose seed repeats one byte. */
export function signerOf(byte: number): Signer {
  return signerFromSeed(Buffer.alloc(32, byte).toString('hex')) as Signer
}

/** Returns the actor whose id is derived from this key. */
export const boundActor = ({ publicKey }: Signer): ActorId => deriveActorId(publicKey)

export const signed = (event: Event, signer: Signer): Event => ({ ...event, sig: signer.sign(event.eventId) })

/** Makes 64 bytes that are not a signature. A small `byte` sorts before most signatures. */
export const garbage = (byte: number): Uint8Array => new Uint8Array(64).fill(byte)

export interface TestCard {
  readonly actor: ActorId
  readonly key?: Signer
  readonly label?: string
  readonly ts: number
  /** Makes the card a rotation from this key, which also signs it. */
  readonly previous?: Signer
}

/** Makes the event of a card with its required signature. */
export function cardEvent({ actor, key, label = 'label', ts, previous }: TestCard): Event {
  const rotation =
    previous === undefined || key === undefined
      ? null
      : {
          previousKey: previous.publicKey,
          proof: key.sign(rotationDigest(actor, previous.publicKey, key.publicKey)),
        }
  const value = formatActorCard({ label, publicKey: key?.publicKey ?? null, rotation })
  const event = makeEvent(
    projectContextIssueId,
    { type: 'ProjectContextUpdated', key: actorCardKey(actor), value },
    { ts, actor },
  )
  const signer = previous ?? key
  return signer === undefined ? event : signed(event, signer)
}
