/**
 * What is done about signatures of events that come from elsewhere (`verify_signatures = off|warn|reject`). A sync judges
 * them before it takes them in and may refuse; what plain git has brought in can only be told.
 */
import {
  type ActorId,
  type CardSlot,
  cardInSlot,
  type Event,
  InvalidArgsError,
  isBoundCard,
  isCardEvent,
  RemoteError,
  readCard,
  type SignatureVerdict,
  type SignedFacts,
  type StandingCard,
  slotsOfCard,
  walkCards,
} from '../../model/index.ts'
import type { View } from '../../view/index.ts'
import { type Inspection, type IssueSegment, verifySignature } from '../../wal/index.ts'
import type { Warning } from '../effects.ts'
import type { SignaturePolicy } from '../local/repo-config.ts'
import type { Workspace } from '../workspace.ts'
import { type FindPinned, KeyRing, openKeyRing, readLocalKeys } from './key-ring.ts'

/** An event that is not signed as its actor signs. */
export interface BadSignature {
  readonly event_id: string
  readonly actor: string
  readonly issue_id: string
  readonly verdict: SignatureVerdict
}

/** What judging keeps of an event: bodies of a large batch would fill the memory. */
export type ReceivedEvent = SignedFacts & Pick<Event, 'issueId'>

export function factsOfReceived({ eventId, issueId, actor, tsUnixMs, sig }: Event): ReceivedEvent {
  return { eventId, issueId, actor, tsUnixMs, sig }
}

/** Neither a signature by an unknown key nor none at all of an actor without a key shows that something is wrong. */
const badVerdicts: ReadonlySet<SignatureVerdict> = new Set(['invalid', 'missing'])

async function findBad(keys: KeyRing, events: readonly ReceivedEvent[]): Promise<BadSignature[]> {
  const bad: BadSignature[] = []
  for (const event of events) {
    const verdict = await keys.judge(event)
    if (!badVerdicts.has(verdict)) continue
    bad.push({ event_id: event.eventId, actor: event.actor, issue_id: event.issueId, verdict })
  }
  return bad
}

/**
 * Judges events that come from elsewhere before they are taken in. Cards may come along, later than the events that need
 * them; they say nothing against those that the local log holds already.
 *
 * @param view - of the local log as it is
 */
export async function judgeReceived(
  repository: Workspace,
  view: View,
  events: Iterable<Event> | AsyncIterable<Event>,
): Promise<BadSignature[]> {
  const receipt = new Receipt()
  for await (const event of events) receipt.add(event)
  return receipt.judge(repository, view)
}

/**
 * How a sync judges what it has fetched by the policy of this clone; undefined when nothing is asked. Where it comes to
 * several rounds, an event is told once.
 */
export async function signatureInspector(
  repository: Workspace,
  { remote, warn }: { readonly remote: string; readonly warn: (warning: Warning) => void },
): Promise<(() => Inspection<IssueSegment>) | undefined> {
  const { verifySignatures: policy } = await repository.config()
  if (policy === 'off') return undefined
  const told = new Set<string>()
  return () => {
    const receipt = new Receipt()
    return {
      add(segments) {
        for (const { items } of segments) for (const { event } of items) receipt.add(event)
      },
      async settle() {
        const found = await receipt.judge(repository, await repository.view())
        const bad = found.filter(({ event_id }) => !told.has(event_id))
        applySignaturePolicy(policy, { from: { remote }, bad, warn })
        for (const { event_id } of bad) told.add(event_id)
        repository.takeAsJudged()
      },
    }
  }
}

/** Events that came together, and the cards among them by slot. */
class Receipt {
  readonly #events: ReceivedEvent[] = []
  readonly #slots = new Map<string, StandingCard>()

  add(event: Event): void {
    this.#events.push(factsOfReceived(event))
    if (!isCardEvent(event)) return
    const reading = readCard(event, verifySignature)
    if ('problem' in reading) return
    for (const slot of slotsOfCard(reading.card)) {
      const name = `${event.actor}/${slot}`
      this.#slots.set(name, cardInSlot(slot, this.#slots.get(name), reading.card))
    }
  }

  async judge(repository: Workspace, view: View): Promise<BadSignature[]> {
    return findBad(new KeyRing(await readLocalKeys(repository), this.#findPinned(view)), this.#events)
  }

  /** Finds keys as the log has them, and only where it has none as these cards give them. */
  #findPinned(view: View): FindPinned {
    return async (actor) => {
      const walk = walkCards(actor)
      let step = walk.next()
      while (!step.done) step = walk.next(await this.#pick(view, actor, step.value))
      return step.value
    }
  }

  /** A first key that gave the actor its id is the first one whenever it comes. */
  async #pick(view: View, actor: ActorId, slot: CardSlot): Promise<StandingCard | undefined> {
    const card = this.#slots.get(`${actor}/${slot}`)
    return card !== undefined && isBoundCard(card) ? card : ((await view.findCard(actor, slot)) ?? card)
  }
}

/** Events that are named in a message; the rest is counted. */
const eventsNamedMax = 3
const eventsInDetailsMax = 100

/** Where events come from, and how one hears of them. */
export interface Receiving {
  readonly from: { readonly remote: string } | { readonly file: string }
  readonly bad: readonly BadSignature[]
  readonly warn: (warning: Warning) => void
}

/**
 * Applies the policy to what a sync has fetched, or an export holds.
 * @throws {RemoteError | InvalidArgsError} when the policy is to reject; then nothing of it may be taken in
 */
export function applySignaturePolicy(policy: SignaturePolicy, { from, bad, warn }: Receiving): void {
  if (policy === 'off' || bad.length === 0) return
  if (policy === 'warn') {
    warn(signatureWarning(bad))
    return
  }
  const details = { ...from, reason: 'signatures', event_count: bad.length, events: bad.slice(0, eventsInDetailsMax) }
  const hints = ['`verify_signatures = "warn"` in .git/grite/config.toml takes such events in and marks them']
  const message = `nothing was taken in from '${'remote' in from ? from.remote : from.file}': ${describe(bad)}`
  throw 'remote' in from
    ? new RemoteError(message, { details, hints })
    : new InvalidArgsError(message, { details, hints })
}

/** Judges what the view met for the first time, and makes a warning of it; undefined when nothing is wrong. */
export async function judgeNewEvents(
  repository: Workspace,
  view: View,
  events: readonly ReceivedEvent[],
): Promise<Warning | undefined> {
  if (events.length === 0) return undefined
  const bad = await findBad(await openKeyRing(repository, view), events)
  return bad.length === 0 ? undefined : signatureWarning(bad)
}

function signatureWarning(bad: readonly BadSignature[]): Warning {
  return {
    code: 'bad-signature',
    message: `${describe(bad)}; \`grite db verify\` lists all`,
    details: { event_count: bad.length, events: bad.slice(0, eventsInDetailsMax) },
  }
}

function describe(bad: readonly BadSignature[]): string {
  const named = bad.slice(0, eventsNamedMax).map(({ event_id, verdict }) => `${event_id} (${verdict})`)
  const more = bad.length > named.length ? ` and ${bad.length - named.length} more` : ''
  const events = bad.length === 1 ? '1 event is' : `${bad.length} events are`
  return `${events} not signed as the actor signs: ${named.join(', ')}${more}`
}
