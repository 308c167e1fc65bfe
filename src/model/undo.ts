/** Plans the undo of an event: restore the value before it, if the event still counts. */
import type { Event } from './event.ts'
import { type FieldKey, parseScopedLabel } from './fields.ts'
import { type Changeable, type Final, type HistoryEntry, historyOf, type Subject } from './history.ts'
import type { EventId } from './ids.ts'

/** A value to restore. `from` is the current value; null is no value. */
export interface Restoration {
  readonly subject: Changeable
  readonly from: string | null
  readonly to: string | null
}

export type UndoPlan =
  /** Empty when the event changed nothing. */
  | { readonly outcome: 'restore'; readonly restorations: readonly Restoration[] }
  /** Another event has decided since. `isPart`: both belong to one change of a field. */
  | { readonly outcome: 'superseded'; readonly subject: Subject; readonly by: EventId; readonly isPart: boolean }
  /** Events of this kind cannot be undone. */
  | { readonly outcome: 'final'; readonly subject: Final }
  /** A label of a field, but not its value: restoring it would make it the value. */
  | { readonly outcome: 'no-value'; readonly key: FieldKey }

/**
 * Plans the undo of one event of an issue. An event that set title and text is undone whole or not at all.
 *
 * @param events - all events of the issue, each once, in version order
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
