/** Taking events of an issue back: the values that their subjects had just before them, where the events still decide. */
import type { Event } from './event.ts'
import { type FieldKey, parseScopedLabel } from './fields.ts'
import { type Changeable, type Final, type HistoryEntry, historyOf, type Subject, subjectSlot } from './history.ts'
import type { EventId } from './ids.ts'

/** A value to give back. `from` is what is there now; null is nothing. */
export interface Restoration {
  readonly subject: Changeable
  readonly from: string | null
  readonly to: string | null
}

/** Why an event stays. */
export type UndoRefusal = { readonly event: Event } & (
  | { readonly reason: 'superseded'; readonly subject: Subject; readonly by: EventId }
  /** It only removed a value to make room for the one that `by` set. */
  | { readonly reason: 'part'; readonly subject: Subject; readonly by: EventId }
  | { readonly reason: 'final'; readonly subject: Final }
  /** A label of a field, but not its value: restoring it would make it the value. */
  | { readonly reason: 'no-value'; readonly key: FieldKey }
)

export interface UndoPlan {
  /** At most one for each subject; none where the events changed nothing. */
  readonly restorations: readonly Restoration[]
  /** Comments to hide: they stay in the log. */
  readonly comments: readonly EventId[]
  /** One for each event that stays. */
  readonly refusals: readonly UndoRefusal[]
}

export interface UndoTargets {
  readonly taken: ReadonlySet<EventId>
  /**
   * Events that cancel each other out: those that were taken back before, and those that took them back. They count as
   * neither deciding nor superseding.
   */
  readonly neutral: ReadonlySet<EventId>
}

/**
 * Plans how to take events of one issue back, those of one or several commands. An event that set title and text is
 * restored whole or not at all.
 *
 * @param events - all of the issue, each once, in version order
 */
export function planUndo(events: readonly Event[], { taken, neutral }: UndoTargets): UndoPlan {
  const isOurs = (id: EventId) => taken.has(id) || neutral.has(id)
  const refusals = new Map<EventId, UndoRefusal>()
  const comments: EventId[] = []
  const groups = new Map<string, HistoryEntry[]>()
  for (const entry of historyOf(events)) {
    const { event, subject, partOf } = entry
    if (!isOurs(event.eventId)) continue
    const isTaken = taken.has(event.eventId)
    if (isFinal(subject)) {
      if (!isTaken) continue
      if (subject.kind === 'comment') comments.push(event.eventId)
      else if (subject.kind !== 'nothing') refusals.set(event.eventId, { event, reason: 'final', subject })
      continue
    }
    if (partOf !== null && isOurs(partOf)) continue
    const slot = subjectSlot(subject)
    groups.set(slot, [...(groups.get(slot) ?? []), entry])
  }
  const restorations: [EventId[], Restoration][] = []
  for (const entries of groups.values()) {
    const ours = entries.filter(({ event }) => taken.has(event.eventId))
    const [first] = ours
    const last = entries.at(-1)
    if (first === undefined || last === undefined) continue
    const refusal = refusalOf(last)
    if (refusal !== null) for (const { event } of ours) refusals.set(event.eventId, { event, ...refusal })
    else {
      const ids = ours.map(({ event }) => event.eventId)
      restorations.push([ids, { subject: first.subject as Changeable, from: ours.at(-1)?.new ?? null, to: first.old }])
    }
  }
  return {
    restorations: restorations
      .filter(([ids, { from, to }]) => from !== to && !ids.some((id) => refusals.has(id)))
      .map(([, restoration]) => restoration),
    comments,
    refusals: [...refusals.values()],
  }
}

function isFinal(subject: Subject): subject is Final {
  return ['creation', 'comment', 'link', 'attachment', 'nothing'].includes(subject.kind)
}

type WithoutEvent<Refusal> = Refusal extends { readonly event: Event } ? Omit<Refusal, 'event'> : never

function refusalOf({ subject, supersededBy, partOf }: HistoryEntry): WithoutEvent<UndoRefusal> | null {
  if (partOf !== null) return { reason: 'part', subject, by: partOf }
  if (supersededBy !== null) return { reason: 'superseded', subject, by: supersededBy }
  const key = subject.kind === 'label' ? parseScopedLabel(subject.label)?.key : undefined
  return key === undefined ? null : { reason: 'no-value', key }
}
