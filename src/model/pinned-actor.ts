/**
 * Combines the cards of one actor into its keys and label (docs/format.md#actor-cards).
 *
 * Invariants
 * - The result depends on the set of valid cards, not on their arrival order (R4). Cards are kept in *slots*; each slot
 *   holds the smallest or greatest of its cards.
 * - Only the holder of a key can fill the slots below it, so a flood of cards with other keys only fills their own
 *   slots, and is never walked.
 */
import { deriveActorId, type ValidCard } from './actor-card.ts'
import { compareVersions, type Version } from './event.ts'
import type { ActorId } from './ids.ts'
import { limits } from './limits.ts'

export interface ActorKey {
  /** 64 hex characters. */
  readonly publicKey: string
  /** The rotation that ended it: greater versions are not signed with this key. Null for the last key. */
  readonly until: Version | null
}

/** An actor according to the cards in the log. */
export interface PinnedActor {
  readonly actor: ActorId
  readonly label: string | null
  /** In order of use; empty for an actor that does not sign. */
  readonly keys: readonly ActorKey[]
  /**
   * Events with a greater version must be signed. `always` when the actor was created with its key; null without a key.
   */
  readonly signsSince: Version | 'always' | null
}

/** A place for one card of an actor: `root`, `next/<key>` or `said/<key>`. */
export type CardSlot = string

const rootSlot: CardSlot = 'root'
const nextSlot = (publicKey: string): CardSlot => `next/${publicKey}`

/** The slot of the newest card with a key; null for cards without a key. */
export function saidSlot(publicKey: string | null): CardSlot {
  return `said/${publicKey ?? ''}`
}

/** The slots that a card may fill. */
export function slotsOfCard({ publicKey, previousKey }: ValidCard): readonly CardSlot[] {
  if (publicKey === null) return [saidSlot(null)]
  return [saidSlot(publicKey), previousKey === null ? rootSlot : nextSlot(previousKey)]
}

/** The card that wins a slot. Commutative, associative and idempotent. */
export function cardInSlot(slot: CardSlot, left: ValidCard | undefined, right: ValidCard): ValidCard {
  if (left === undefined) return right
  if (slot === rootSlot && isBoundCard(left) !== isBoundCard(right)) return isBoundCard(left) ? left : right
  const order = compareVersions(left.version, right.version)
  const keepsSmallest = !slot.startsWith(saidSlot(null))
  return order < 0 === keepsSmallest ? left : right
}

/** Whether the actor id derives from the key of a card. */
export function isBoundCard({ version, publicKey }: ValidCard): boolean {
  return publicKey !== null && deriveActorId(publicKey) === version.actor
}

/**
 * Asks for one slot after another and returns the combined result. The caller answers with the card, undefined for an
 * empty slot, and may do I/O in between.
 */
export function* walkCards(actor: ActorId): Generator<CardSlot, PinnedActor, ValidCard | undefined> {
  const root = yield rootSlot
  const seen = new Set<string>()
  const keys: ActorKey[] = []
  let publicKey = root?.publicKey ?? null
  while (publicKey !== null) {
    seen.add(publicKey)
    const next: ValidCard | undefined = seen.size < limits.actorKeysMax ? yield nextSlot(publicKey) : undefined
    const nextKey: string | null = next?.publicKey ?? null
    const isNew: boolean = nextKey !== null && !seen.has(nextKey)
    keys.push({ publicKey, until: isNew && next !== undefined ? next.version : null })
    publicKey = isNew ? nextKey : null
  }
  const said = yield saidSlot(keys.at(-1)?.publicKey ?? null)
  const signsSince = root === undefined ? null : isBoundCard(root) ? 'always' : root.version
  return { actor, label: said?.label ?? null, keys, signsSince }
}

/** Like `walkCards`, for cards in memory. */
export function pinActor(actor: ActorId, cards: Iterable<ValidCard>): PinnedActor {
  const slots = new Map<CardSlot, ValidCard>()
  for (const card of cards)
    for (const slot of slotsOfCard(card)) slots.set(slot, cardInSlot(slot, slots.get(slot), card))
  const walk = walkCards(actor)
  let step = walk.next()
  while (!step.done) step = walk.next(slots.get(step.value))
  return step.value
}

/** Why a valid card has no effect; null when it counts. */
export function whyCardIsIgnored(card: ValidCard, { keys, signsSince }: PinnedActor): string | null {
  const { version, publicKey, previousKey } = card
  if (publicKey === null) {
    // From before the actor had a key.
    const isEarlier = signsSince !== null && signsSince !== 'always' && compareVersions(version, signsSince) < 0
    return keys.length === 0 || isEarlier ? null : 'names no key, though the actor has one'
  }
  if (previousKey !== null) {
    const place = keys.findIndex((key) => key.publicKey === previousKey)
    if (place === -1) return 'is a rotation of a key that the actor does not have'
    return keys[place + 1]?.publicKey === publicKey ? null : 'is a second rotation of a key that was already replaced'
  }
  const key = keys.find((each) => each.publicKey === publicKey)
  if (key === undefined) return 'names another key than the one the actor has, without a rotation'
  const isLate = key.until !== null && compareVersions(version, key.until) > 0
  return isLate ? 'is signed with a key that was already replaced' : null
}
