import {
  type ActorId,
  type CardSlot,
  cardInSlot,
  type Event,
  type PinnedActor,
  readCard,
  slotsOfCard,
  type ValidCard,
  walkCards,
} from '../model/index.ts'
import { verifySignature } from '../wal/index.ts'
import { actorCardKey, actorKey, cardEventKey } from './keys.ts'
import { parseOwnJson } from './own-json.ts'
import type { Store, StoreBatch } from './store.ts'

const nothing = Buffer.alloc(0)

/** Adds the actor cards of one batch to the store: each card into its slots, then the combined state of each actor. */
export class CardFold {
  readonly #store: Store
  /** Slots read in this batch, with their new content. */
  readonly #slots = new Map<string, ValidCard | undefined>()
  readonly #filled = new Map<ActorId, Set<CardSlot>>()
  readonly #events: Buffer[] = []

  constructor(store: Store) {
    this.#store = store
  }

  /** Adds one copy of an event with a card's key. A card is valid if any of its copies is: pass all copies. */
  async add(event: Event): Promise<void> {
    this.#events.push(cardEventKey(event.eventId))
    const reading = readCard(event, verifySignature)
    if ('card' in reading) await this.#place(event.actor, reading.card)
  }

  async #place(actor: ActorId, card: ValidCard): Promise<void> {
    for (const slot of slotsOfCard(card)) {
      const before = await this.#read(actor, slot)
      const after = cardInSlot(slot, before, card)
      if (before?.version.eventId === after.version.eventId) continue
      this.#slots.set(nameOf(actor, slot), after)
      this.#filled.set(actor, (this.#filled.get(actor) ?? new Set()).add(slot))
    }
  }

  async #read(actor: ActorId, slot: CardSlot): Promise<ValidCard | undefined> {
    const name = nameOf(actor, slot)
    if (!this.#slots.has(name)) this.#slots.set(name, await readCardSlot(this.#store, actor, slot))
    return this.#slots.get(name)
  }

  /** Puts all changed cards. */
  async settle(batch: StoreBatch): Promise<void> {
    for (const key of this.#events) batch.put(key, nothing)
    for (const [actor, slots] of this.#filled) {
      for (const slot of slots) {
        batch.put(actorCardKey(actor, slot), jsonOf(await this.#read(actor, slot)))
      }
      const walk = walkCards(actor)
      let step = walk.next()
      while (!step.done) step = walk.next(await this.#read(actor, step.value))
      batch.put(actorKey(actor), jsonOf(step.value satisfies PinnedActor))
    }
  }
}

const nameOf = (actor: ActorId, slot: CardSlot) => `${actor}/${slot}`
const jsonOf = (value: unknown): Buffer => Buffer.from(JSON.stringify(value), 'utf8')

/** The winning card of a slot; undefined for an empty slot. */
export async function readCardSlot(store: Store, actor: ActorId, slot: CardSlot): Promise<ValidCard | undefined> {
  const bytes = await store.get(actorCardKey(actor, slot))
  return bytes === undefined ? undefined : parseOwnJson<ValidCard>(bytes)
}
