/** What a command has put into the log, for the report of a failure that comes after it. */
import type { ErrorDetails, Event } from '../model/index.ts'

export interface WrittenEvents {
  eventCount: number
  /** The first of them. */
  readonly eventIds: string[]
  /** The first issues that they are about. */
  readonly issueIds: string[]
}

/** Ids that a failure lists. */
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

/** Facts for a failure; none when nothing was written. */
export function describeWritten({ eventCount, eventIds, issueIds }: WrittenEvents): ErrorDetails {
  if (eventCount === 0) return {}
  return { written: true, event_count: eventCount, event_ids: [...eventIds], issue_ids: [...issueIds] }
}
