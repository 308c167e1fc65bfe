/** What a command that changes issues answers. */
import type { EventId, IssueId } from '../../model/index.ts'

/** What became of one issue: `event_id` is null when it was so already. */
export interface IssueChange {
  readonly issue_id: IssueId
  readonly short_id: string
  readonly title: string
  /** The event that made the change, the last one when there are several. */
  readonly event_id: EventId | null
  readonly event_ids: readonly EventId[]
  readonly outcome: 'changed' | 'unchanged'
}

export type OneChange<Extra> = IssueChange & Extra & { readonly wal_head: string | null }

export type SeveralChanges<Extra> = Extra & {
  readonly results: readonly IssueChange[]
  readonly wal_head: string | null
}

/** One issue's change stands at the top; several are listed in `results`. */
export type ChangeData<Extra> = OneChange<Extra> | SeveralChanges<Extra>
