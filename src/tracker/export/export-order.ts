import type { ActorId, Event, EventId, IssueId } from '../../model/index.ts'
import type { View } from '../../view/index.ts'

/** The part of an event that an export keeps in memory until it writes the event: all but its content. */
export interface ExportedEvent {
  readonly eventId: EventId
  readonly issueId: IssueId
  readonly actor: ActorId
  readonly tsUnixMs: number
  /** SHA-256 of the attachment that it adds, if any. */
  readonly sha256: string | null
}

/** The wanted events in export order: by issue, then `(ts, actor, event_id)` (spec §6.6). */
export async function orderExport(view: View, isWanted: (event: Event) => boolean): Promise<ExportedEvent[]> {
  const events: ExportedEvent[] = []
  const share = shareTexts()
  for await (const event of view.allEvents()) {
    if (!isWanted(event)) continue
    const { eventId, issueId, actor, tsUnixMs, body } = event
    const sha256 = body.type === 'AttachmentAdded' ? body.sha256 : null
    events.push({ eventId, issueId: share(issueId), actor: share(actor), tsUnixMs, sha256 })
  }
  return events.sort(compareForExport)
}

/** Interns ids, so that a million events do not hold a million copies of their issue ids. */
function shareTexts(): <Text extends string>(text: Text) => Text {
  const known = new Map<string, string>()
  return <Text extends string>(text: Text) => {
    const shared = known.get(text)
    if (shared === undefined) known.set(text, text)
    return (shared ?? text) as Text
  }
}

function compareForExport(left: ExportedEvent, right: ExportedEvent): number {
  if (left.issueId !== right.issueId) return left.issueId < right.issueId ? -1 : 1
  if (left.tsUnixMs !== right.tsUnixMs) return left.tsUnixMs - right.tsUnixMs
  if (left.actor !== right.actor) return left.actor < right.actor ? -1 : 1
  return left.eventId < right.eventId ? -1 : 1
}
