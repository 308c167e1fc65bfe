/** Data of the issue commands as their renderers read it. What is optional here may be absent or null in `data`. */

export interface IssueFields {
  readonly priority?: string | null
  readonly type?: string | null
  readonly status?: string | null
  readonly due?: string | null
  readonly milestone?: string | null
  readonly parent?: string | null
}

export type FieldName = keyof IssueFields

export interface IssueSummary {
  readonly issue_id: string
  readonly short_id?: string
  readonly title: string
  readonly state: string
  readonly labels: readonly string[]
  readonly assignees: readonly string[]
  readonly created_ts: number
  readonly updated_ts: number
  readonly comment_count: number
  readonly fields?: IssueFields
  /** Null when nobody works on it. */
  readonly claim?: IssueClaim | null
}

export interface IssueClaim {
  readonly holder: string
  readonly until: number
  readonly level: string
}

export interface IssueListData {
  readonly issues: readonly IssueSummary[]
  /** Issues that match, of which `issues` may be the first ones only. */
  readonly total: number
  /** Of all that match. */
  readonly open_count: number
  readonly closed_count: number
  /** Of the repository. */
  readonly issue_count: number
  /** The keys asked for with `--fields`; then an issue has only these. */
  readonly columns?: readonly string[]
}

export interface IssueComment {
  readonly event_id: string
  readonly actor: string
  readonly actor_label?: string | null
  readonly ts_unix_ms: number
  readonly body: string
  readonly parent?: string | null
  readonly signature?: string
}

export interface ShownEvent {
  readonly actor: string
  readonly actor_label?: string | null
  readonly ts_unix_ms: number
  /** `{"<Kind>": {…}}` */
  readonly kind: object
  readonly signature?: string
}

/** An issue as others mention it; without a state when it is not known here. */
export interface MentionedIssue {
  readonly issue_id: string
  readonly short_id?: string
  readonly title: string
  readonly state?: string | null
}

export interface IssueRelation extends MentionedIssue {
  readonly dep_type: string
}

export interface IssueDetail extends IssueSummary {
  readonly body?: string
  /** The id it had in the tracker it was imported from. */
  readonly original_id?: string
  readonly author?: string
  readonly author_label?: string | null
  readonly overdue?: boolean
  readonly parent_issue?: MentionedIssue | null
  readonly children?: readonly MentionedIssue[]
  /** Null for an issue without parts. */
  readonly progress?: { readonly closed: number; readonly total: number } | null
  readonly comments?: readonly IssueComment[]
  readonly links?: readonly { readonly event_id: string; readonly url: string; readonly note?: string | null }[]
  readonly attachments?: readonly {
    readonly event_id: string
    readonly name: string
    readonly sha256: string
    readonly mime: string
  }[]
  readonly dependencies?: readonly IssueRelation[]
  readonly dependents?: readonly IssueRelation[]
}

export interface IssueShowData {
  readonly issue: IssueDetail
  readonly events?: readonly ShownEvent[]
}

/** What became of one issue. */
export interface IssueChange {
  readonly issue_id: string
  readonly short_id?: string
  /** Null when nothing changed. */
  readonly event_id: string | null
  readonly title?: string
  readonly state?: string
}

/** What every command that changes issues returns: one change, or a list of them when several were named. */
export type IssueChangeData = IssueChange | { readonly results: readonly IssueChange[] }

const shortIdLength = 8

export function shortId(item: { readonly issue_id: string; readonly short_id?: string }): string {
  return item.short_id ?? item.issue_id.slice(0, shortIdLength)
}

/** Name of the holder; the beginning of the actor id when there is no name. */
export function holderOf({ holder }: IssueClaim): string {
  return /^[0-9a-f]{32}$/.test(holder) ? shorten(holder) : holder
}

export function shorten(id: string): string {
  return id.slice(0, shortIdLength)
}
