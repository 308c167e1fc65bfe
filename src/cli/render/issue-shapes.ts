/** Data types of issue commands shared by several renderers. */
import type { IssueListData } from '../../commands/issue/list.ts'
import type { IssueShowData } from '../../commands/issue/show.ts'

export type IssueSummary = Extract<IssueListData, { readonly columns?: undefined }>['issues'][number]
export type IssueFields = IssueSummary['fields']
export type FieldName = keyof IssueFields
export type IssueClaim = NonNullable<IssueSummary['claim']>
export type IssueDetail = Extract<IssueShowData, { readonly columns?: undefined }>['issue']
/** A reference to an issue; the state is null if the issue is unknown in this clone. */
export type MentionedIssue = IssueDetail['children'][number]

const shortIdLength = 8

export function shortId(item: { readonly issue_id: string; readonly short_id?: string }): string {
  return item.short_id ?? item.issue_id.slice(0, shortIdLength)
}

/** Name of the holder, or a short actor id if it has no name. */
export function holderOf({ holder }: IssueClaim): string {
  return /^[0-9a-f]{32}$/.test(holder) ? shorten(holder) : holder
}

export function shorten(id: string): string {
  return id.slice(0, shortIdLength)
}
