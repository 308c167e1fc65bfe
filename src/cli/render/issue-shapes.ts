/** Parts of the data of issue commands that several renderers read. */
import type { IssueListData } from '../../commands/issue/list.ts'
import type { IssueShowData } from '../../commands/issue/show.ts'

export type IssueSummary = Extract<IssueListData, { readonly columns?: undefined }>['issues'][number]
export type IssueFields = IssueSummary['fields']
export type FieldName = keyof IssueFields
export type IssueClaim = NonNullable<IssueSummary['claim']>
export type IssueDetail = IssueShowData['issue']
/** An issue as others mention it; the state is null when it is not known here. */
export type MentionedIssue = IssueDetail['children'][number]

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
