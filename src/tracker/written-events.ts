/** Events that a command has written to the log, for the error of a later failure. */
import type { ErrorDetails, Event } from '../model/index.ts'

export interface WrittenEvents {
  eventCount: number
  /** Ids of the first of them. */
  readonly eventIds: string[]
  /** The first issues that they change. */
  readonly issueIds: string[]
}

/** Maximum number of ids that an error lists. */
const idsListedMax = 20

export function nothingWritten(): WrittenEvents {
  return { eventCount: 0, eventIds: [], issueIds: [] }
}

export function noteWritten(written: WrittenEvents, events: readonly Event[]): void {
  written.eventCount += events.length
  for (const { eventId, issueId } of events) {
    if (written.eventIds.length < idsListedMax) written.eventIds.push(eventId)
    if (written.issueIds.length < idsListedMax && !written.issueIds.includes(issueId)) written.issueIds.push(issueId)
  }
}

/** Details for an error; empty when nothing was written. */
export function describeWritten({ eventCount, eventIds, issueIds }: WrittenEvents): ErrorDetails {
  if (eventCount === 0) return {}
  return { written: true, event_count: eventCount, event_ids: [...eventIds], issue_ids: [...issueIds] }
}
