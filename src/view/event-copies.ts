/**
 * Copies of one event with different signatures. Which one counts depends on the keys of the actor, and its cards may
 * arrive later than the copies; so the store keeps every signature and chooses on read.
 */
import {
  chooseSignature,
  type Event,
  type EventId,
  encodeRecord,
  isCardEvent,
  judgeSignature,
  limits,
  noTrust,
  type PinnedActor,
  readCard,
} from '../model/index.ts'
import { verifySignature } from '../wal/index.ts'
import { copiesOfEvent, eventCopyKey, eventKey, parseEventCopyKey } from './keys.ts'
import type { Store, StoreBatch } from './store.ts'

const nothing = Buffer.alloc(0)

/** The copies in one batch of events that arrived before, or arrive twice. */
export class EventCopies {
  readonly #copies = new Map<EventId, Event[]>()

  get isEmpty(): boolean {
    return this.#copies.size === 0
  }

  has(id: EventId): boolean {
    return this.#copies.has(id)
  }

  add(event: Event): void {
    const known = this.#copies.get(event.eventId)
    if (known === undefined) this.#copies.set(event.eventId, [event])
    else known.push(event)
  }

  *all(): Generator<Event> {
    for (const copies of this.#copies.values()) yield* copies
  }

  /**
   * Writes, for each event, the record with the smallest signature, and a key for every signature if there are several.
   * Returns whether there is such an event.
   */
  async settle(store: Store, batch: StoreBatch): Promise<boolean> {
    let haveSeveral = false
    for (const [id, copies] of this.#copies) {
      const sigs = new Map<string, Uint8Array>()
      const stored = await readCopies(store, id)
      for (const sig of [...stored, ...copies.map((copy) => copy.sig)]) {
        if (sig !== null) sigs.set(Buffer.from(sig).toString('latin1'), sig)
      }
      const smallest = [...sigs.values()].reduce<Uint8Array | null>(
        (left, right) => chooseSignature(left, right, () => false),
        null,
      )
      const record = encodeRecord({ ...(copies[0] as Event), sig: smallest })
      batch.put(eventKey(id), Buffer.from(record))
      if (sigs.size < 2) continue
      haveSeveral = true
      for (const sig of sigs.values()) batch.put(eventCopyKey(id, sig), nothing)
    }
    return haveSeveral
  }
}

/** Other signatures of an event, smallest first, up to the limit; empty for an event with one copy. */
async function readCopies(store: Store, id: EventId, limit = -1): Promise<Uint8Array[]> {
  const range = copiesOfEvent(id)
  const keys = await store.keys({ ...range, limit }).all()
  return keys.map((key) => parseEventCopyKey(key, range))
}

/** The event with the signature that counts, among all its copies. */
export async function chooseCopy(
  store: Store,
  event: Event,
  findActor: (actor: Event['actor']) => Promise<PinnedActor | undefined>,
): Promise<Event> {
  if (event.sig === null) return event
  const sigs = await readCopies(store, event.eventId, limits.copiesJudgedMax)
  if (sigs.length === 0) return event
  const trust = (await findActor(event.actor)) ?? noTrust
  const counts = (sig: Uint8Array) => {
    const copy = { ...event, sig }
    if (isCardEvent(event)) return 'card' in readCard(copy, verifySignature)
    return judgeSignature(copy, trust, verifySignature) === 'valid'
  }
  // They are sorted: the first valid one is the smallest.
  const sig = sigs.find(counts)
  return sig === undefined ? event : { ...event, sig: new Uint8Array(sig) }
}
