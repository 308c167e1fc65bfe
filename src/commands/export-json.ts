import { type Event, formatHex, formatKindForExport, type Json } from '../model/index.ts'
import type { IssueRow } from '../view/index.ts'

/** An event as the JSON export lists it (spec §6.6), with what is needed to restore it byte for byte. */
export function formatExportedEvent(event: Event): Json {
  return {
    event_id: event.eventId,
    issue_id: event.issueId,
    actor: event.actor,
    ts_unix_ms: event.tsUnixMs,
    ...(event.parent === null ? {} : { parent: event.parent }),
    kind: formatKindForExport(event.body),
    ...(event.sig === null ? {} : { sig: formatHex(event.sig) }),
  }
}

/** An issue as the JSON export lists it, in exactly the published keys: for reading only, an import goes by the events. */
export function formatExportedIssue({ author: _author, fields: _fields, ...row }: IssueRow): Json {
  return row
}
