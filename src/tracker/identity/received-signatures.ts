/**
 * Applies `verify_signatures = off|warn|reject` to received events. A sync verifies them before the join and may reject
 * them; for events fetched by plain git, only a warning is possible.
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
  slotsOfCard,
  type ValidCard,
  walkCards,
} from '../../model/index.ts'
import type { View } from '../../view/index.ts'
import { type Inspection, type IssueSegment, verifySignature } from '../../wal/index.ts'
import type { Warning } from '../effects.ts'
import type { SignaturePolicy } from '../local/repo-config.ts'
import type { Workspace } from '../workspace.ts'
import { type FindPinned, KeyRing, openKeyRing, readLocalKeys } from './key-ring.ts'

/** An event with an invalid or missing signature. */
export interface BadSignature {
  readonly event_id: string
  readonly actor: string
  readonly issue_id: string
  readonly verdict: SignatureVerdict
}

/** The parts of an event needed for verification, without its body: the bodies of a large batch would fill the memory. */
export type ReceivedEvent = SignedFacts & Pick<Event, 'issueId'>

export function factsOfReceived({ eventId, issueId, actor, tsUnixMs, sig }: Event): ReceivedEvent {
  return { eventId, issueId, actor, tsUnixMs, sig }
}

/** A signature by an unknown key is not bad, nor is a missing one if the actor has no key. */
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
 * Verifies received events before they are joined. The events may include cards, even after the events that need them;
 * these cards do not override cards that the local log already has.
 *
 * @param view - view of the present local log
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
 * Returns the function with which a sync applies the policy of this clone to fetched events; undefined when the policy is
 * off. Reports an event only once, even over several rounds.
 */
export async function signatureInspector(
  repository: Workspace,
  {
    remote,
    warn,
    beforeJudging,
  }: {
    readonly remote: string
    readonly warn: (warning: Warning) => void
    readonly beforeJudging: () => Promise<unknown>
  },
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
        await beforeJudging()
        const found = await receipt.judge(repository, await repository.view())
        const bad = found.filter(({ event_id }) => !told.has(event_id))
        applySignaturePolicy(policy, { from: { remote }, bad, warn })
        for (const { event_id } of bad) told.add(event_id)
        repository.takeAsJudged()
      },
    }
  }
}

/** A batch of received events, and the cards among them by slot. */
class Receipt {
  readonly #events: ReceivedEvent[] = []
  readonly #slots = new Map<string, ValidCard>()

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

  /** Finds keys in the log, or, only if it has none, in the received cards. */
  #findPinned(view: View): FindPinned {
    return async (actor) => {
      const walk = walkCards(actor)
      let step = walk.next()
      while (!step.done) step = walk.next(await this.#pick(view, actor, step.value))
      return step.value
    }
  }

  /** The key from which the actor id is derived is always the first key, whenever it arrives. */
  async #pick(view: View, actor: ActorId, slot: CardSlot): Promise<ValidCard | undefined> {
    const card = this.#slots.get(`${actor}/${slot}`)
    return card !== undefined && isBoundCard(card) ? card : ((await view.findCard(actor, slot)) ?? card)
  }
}

/** Events listed in a message; the rest are counted. */
const eventsNamedMax = 3
const eventsInDetailsMax = 100

/** The source of received events, and the callback for warnings. */
export interface Receiving {
  readonly from: { readonly remote: string } | { readonly file: string }
  readonly bad: readonly BadSignature[]
  readonly warn: (warning: Warning) => void
}

/**
 * Applies the policy to the events of a fetch or an export.
 * @throws {RemoteError | InvalidArgsError} under the policy `reject`; then none of the events may be joined
 */
export function applySignaturePolicy(policy: SignaturePolicy, { from, bad, warn }: Receiving): void {
  if (policy === 'off' || bad.length === 0) return
  if (policy === 'warn') {
    warn(signatureWarning(bad))
    return
  }
  const details = { ...from, reason: 'signatures', event_count: bad.length, events: bad.slice(0, eventsInDetailsMax) }
  const hints = ['Set `verify_signatures = "warn"` in .git/grite/config.toml to accept and mark such events']
  const message = `rejected all events from '${'remote' in from ? from.remote : from.file}': ${describe(bad)}`
  throw 'remote' in from
    ? new RemoteError(message, { details, hints })
    : new InvalidArgsError(message, { details, hints })
}

/** Verifies events that are new to the view, and returns a warning, or undefined when all are fine. */
export async function judgeNewEvents(
  repository: Workspace,
  view: View,
  events: readonly ReceivedEvent[],
): Promise<Warning | undefined> {
  const bad = await findBad(await openKeyRing(repository, view), events)
  return bad.length === 0 ? undefined : signatureWarning(bad)
}

function signatureWarning(bad: readonly BadSignature[]): Warning {
  return {
    code: 'bad-signature',
    message: `${describe(bad)}; run \`grite db verify\` to list all`,
    details: { event_count: bad.length, events: bad.slice(0, eventsInDetailsMax) },
  }
}

function describe(bad: readonly BadSignature[]): string {
  const named = bad.slice(0, eventsNamedMax).map(({ event_id, verdict }) => `${event_id} (${verdict})`)
  const more = bad.length > named.length ? ` and ${bad.length - named.length} more` : ''
  const events = bad.length === 1 ? '1 event has' : `${bad.length} events have`
  return `${events} an invalid or missing signature: ${named.join(', ')}${more}`
}
