import type { Oid } from '../../git/index.ts'
import { type Event, formatKindForExport, type IssueId, type KindJson } from '../../model/index.ts'
import { shortIdLength } from '../../view/index.ts'
import { actorNames } from '../identity/actor-names.ts'
import { findEditedComments, issueOfEvent } from '../issues/comment-overlays.ts'
import type { Workspace } from '../workspace.ts'

/** An event and its commit. */
export interface FoundEvent {
  readonly event: Event
  readonly commit: Oid
}

/** An event as reported by a watch. Title and state are the current ones, null if the issue is unknown. */
export interface WatchedEvent {
  readonly event_id: string
  /** For an edit of a comment, the issue of the comment. */
  readonly issue_id: IssueId
  readonly short_id: string | null
  readonly title: string | null
  readonly state: string | null
  readonly actor: string
  readonly actor_label: string | null
  readonly ts_unix_ms: number
  /** In the format of the JSON export. */
  readonly kind: KindJson
  /** The commit of the event, which was the head of the log when the event arrived. */
  readonly wal_head: string
}

export async function describeEvents(
  repository: Workspace,
  found: readonly FoundEvent[],
): Promise<readonly WatchedEvent[]> {
  const view = await repository.view()
  const edited = await findEditedComments(
    view,
    found.map(({ event }) => event),
  )
  const issueOf = (event: Event) => issueOfEvent(event, edited)
  const ids = [...new Set(found.map(({ event }) => issueOf(event)))]
  const rows = await view.findRows(ids)
  const shortIds = await view.shortIds([...rows.keys()], shortIdLength)
  const names = await actorNames(
    repository,
    view,
    found.map(({ event }) => event.actor),
  )
  return found.map(({ event, commit }) => ({
    event_id: event.eventId,
    issue_id: issueOf(event),
    short_id: shortIds.get(issueOf(event)) ?? null,
    title: rows.get(issueOf(event))?.title ?? null,
    state: rows.get(issueOf(event))?.state ?? null,
    actor: event.actor,
    actor_label: names.get(event.actor) ?? null,
    ts_unix_ms: event.tsUnixMs,
    kind: formatKindForExport(event.body),
    wal_head: commit,
  }))
}
