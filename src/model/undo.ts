/** What takes an event back: the value that its subject had just before it, if the event still counts. */
import type { Event } from './event.ts'
import { type FieldKey, parseScopedLabel } from './fields.ts'
import { type Changeable, type Final, type HistoryEntry, historyOf, type Subject } from './history.ts'
import type { EventId } from './ids.ts'

/** A value to give back. `from` is what is there now; null is nothing. */
export interface Restoration {
  readonly subject: Changeable
  readonly from: string | null
  readonly to: string | null
}

export type UndoPlan =
  /** None where the event changed nothing. */
  | { readonly outcome: 'restore'; readonly restorations: readonly Restoration[] }
  /** Another event decided since then. `isPart`: they belong to one change of a field. */
  | { readonly outcome: 'superseded'; readonly subject: Subject; readonly by: EventId; readonly isPart: boolean }
  /** Nothing takes such an event back. */
  | { readonly outcome: 'final'; readonly subject: Final }
  /** A label of a field, but not its value: to give it back would make it the value. */
  | { readonly outcome: 'no-value'; readonly key: FieldKey }

/**
 * Plans how to take one event of an issue back. An event that set title and text is taken back whole or not at all.
 *
 * @param events - all of the issue, each once, in version order
 */
export function planUndo(events: readonly Event[], eventId: EventId): UndoPlan {
  const entries = historyOf(events).filter(({ event }) => event.eventId === eventId)
  const restorations: Restoration[] = []
  for (const entry of entries) {
    const plan = planEntry(entry)
    if ('outcome' in plan) return plan
    if (plan.from !== plan.to) restorations.push(plan)
  }
  return { outcome: 'restore', restorations }
}

function planEntry({ subject, old, new: value, supersededBy, partOf }: HistoryEntry): Restoration | UndoPlan {
  if (partOf !== null) return { outcome: 'superseded', subject, by: partOf, isPart: true }
  if (supersededBy !== null) return { outcome: 'superseded', subject, by: supersededBy, isPart: false }
  switch (subject.kind) {
    case 'creation':
    case 'comment':
    case 'link':
    case 'attachment':
    case 'nothing':
      return { outcome: 'final', subject }
    case 'label': {
      const key = parseScopedLabel(subject.label)?.key
      return key === undefined ? { subject, from: value, to: old } : { outcome: 'no-value', key }
    }
    default:
      return { subject, from: value, to: old }
  }
}
