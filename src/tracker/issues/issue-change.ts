/** The data of commands that change issues. */
import type { EventId, IssueId } from '../../model/index.ts'

/** The change of one issue: `event_id` is null when there was nothing to change. */
export interface IssueChange {
  readonly issue_id: IssueId
  readonly short_id: string
  readonly title: string
  /** The event of the change, or the last of several. */
  readonly event_id: EventId | null
  readonly event_ids: readonly EventId[]
  readonly outcome: 'changed' | 'unchanged'
}

export type OneChange<Extra> = IssueChange & Extra & { readonly wal_head: string | null }

export type SeveralChanges<Extra> = Extra & {
  readonly results: readonly IssueChange[]
  readonly wal_head: string | null
}

/** A change of one issue is at the top level; changes of several are listed in `results`. */
export type ChangeData<Extra> = OneChange<Extra> | SeveralChanges<Extra>
