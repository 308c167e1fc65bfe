/** Shared by all commands that list issues: order, limit, selection of keys, and the data of the answer. */
import {
  cutPage,
  fieldKeys,
  orderOfList,
  type Query,
  type QuerySortKey,
  querySortKeys,
  usualSort,
} from '../../model/index.ts'
import { readClaims, type ShownClaim } from '../../tracker/claims/read-claims.ts'
import type { CommandContext } from '../../tracker/effects.ts'
import { findIssues } from '../../tracker/issues/find-issues.ts'
import { warnIfNoLog } from '../../tracker/sync/no-log.ts'
import type { Workspace } from '../../tracker/workspace.ts'
import { changedRowsMax, type IssueRow, shortIdLength } from '../../view/index.ts'
import { detailsOfGaps } from '../../wal/index.ts'
import type { OptionTable } from '../define-command.ts'
import { headerOption } from '../header-option.ts'
import { filterOptions } from './filter-options.ts'
import { type PickedKeys, parseFields, pickFields, rowKeys } from './pick-fields.ts'
import { joinBlocks, listOfBytes, listOfTexts } from './row-json.ts'

export const listOptions = {
  sort: {
    type: 'text',
    valueName: 'key',
    choices: querySortKeys,
    summary: 'Sort key; newest change first, most comments first, other keys ascending',
  },
  reverse: { type: 'boolean', summary: 'Reverse the order' },
  limit: filterOptions.limit,
  after: filterOptions.after,
  fields: { type: 'text', valueName: 'a,b', summary: 'Print only these keys of each issue' },
  ...headerOption,
  'exit-status': {
    type: 'boolean',
    summary: 'Exit 1 if any issue matches, else 0, to fail a CI job; also exit 1 if the log is incomplete',
    cliOnly: true,
  },
} as const satisfies OptionTable

export interface ListInput {
  readonly sort: string | undefined
  readonly reverse: boolean
  readonly limit: number | undefined
  readonly after: string | undefined
  readonly fields: string | undefined
  readonly exitStatus: boolean
}

export type ListedIssue = IssueRow & {
  readonly short_id: string
  /** Null when the issue is not claimed. */
  readonly claim: ShownClaim | null
}

/** An issue with only the keys selected by `--fields`. */
export type PickedIssue = PickedKeys<ListedIssue>

/** Keys that `--fields` accepts. */
const listedKeys = [...(rowKeys satisfies readonly (keyof ListedIssue)[]), ...fieldKeys] as const

interface ListCounts {
  /** Number of matching issues; `issues` may hold only the first of them. */
  readonly total: number
  /** Among all matching issues. */
  readonly open_count: number
  readonly closed_count: number
  /** In the repository. */
  readonly issue_count: number
  /** For `--after`, when the limit left out the issues after the last one; else null. */
  readonly next_cursor: string | null
}

/** Full issues, or with `--fields` the selected keys of each. */
export type ListedIssues =
  | (ListCounts & { readonly issues: readonly ListedIssue[]; readonly columns?: undefined })
  | (ListCounts & { readonly issues: readonly PickedIssue[]; readonly columns: readonly string[] })

/** Lists the issues that match a query. The options for order and limit override those in the query. */
export async function listIssues(
  context: CommandContext,
  query: Query,
  input: ListInput,
): Promise<{ readonly data: ListedIssues; readonly exitStatus: number }> {
  const keys = input.fields === undefined ? undefined : parseFields(input.fields, listedKeys)
  const repository = await context.repository()
  if (context.isJson === true && isWhole(query, input)) return listAllAsText(context, repository)
  const sort = input.sort === undefined ? query.sort : usualSort(input.sort as QuerySortKey)
  const found = await findIssues(context, repository, { ...query, sort })
  if (input.reverse) found.reverse()
  const { shown: rows, nextCursor } = cutPage(found, orderOfList(sort, input.reverse), {
    limit: input.limit ?? query.limit ?? undefined,
    after: input.after,
  })
  const view = await repository.view()
  await warnIfNoLog(context, repository, view)
  const shortIds = await view.shortIds(
    rows.map((row) => row.issue_id),
    shortIdLength,
  )
  const claims = await readClaims(repository)
  const issues = rows.map((row) => ({
    ...row,
    short_id: shortIds.get(row.issue_id) ?? row.issue_id,
    claim: claims.get(row.issue_id) ?? null,
  }))
  if (input.exitStatus && view.gaps.count > 0) {
    context.warn({
      code: 'gate-incomplete',
      message: 'exit status 1 because the log is incomplete in this clone: a matching issue may be missing',
      details: detailsOfGaps(view.gaps),
      isEssential: true,
    })
  }
  const openCount = found.filter((row) => row.state === 'open').length
  const counts = {
    total: found.length,
    open_count: openCount,
    closed_count: found.length - openCount,
    issue_count: view.issueCount,
    next_cursor: nextCursor,
  }
  return {
    data:
      keys === undefined
        ? { issues, ...counts }
        : { issues: issues.map((issue) => pickFields(issue, keys)), ...counts, columns: keys },
    exitStatus: input.exitStatus && (found.length > 0 || view.gaps.count > 0) ? 1 : 0,
  }
}

/** Whether a list has all issues with all keys in the usual order. */
function isWhole({ filter, sort, limit }: Query, input: ListInput): boolean {
  const isPlain = filter === null && sort === null && limit === null && input.sort === undefined
  const isUncut = input.limit === undefined && input.after === undefined && input.fields === undefined
  return isPlain && isUncut && !input.reverse && !input.exitStatus
}

/** All issues, for a JSON document: the view has the text of each, which only gets the keys that are added here. */
async function listAllAsText(
  context: CommandContext,
  repository: Workspace,
): Promise<{ readonly data: ListedIssues; readonly exitStatus: number }> {
  const view = await repository.view()
  await warnIfNoLog(context, repository, view)
  const claims = await readClaims(repository)
  const ready = claims.size > changedRowsMax ? undefined : view.listText()
  const list = ready ?? (await view.wholeList(shortIdLength))
  const issues =
    'json' in list ? listOfBytes<ListedIssue>(list, claims) : listOfTexts<ListedIssue>(joinBlocks(list, claims))
  const { count, openCount } = list
  const counts = {
    total: count,
    open_count: openCount,
    closed_count: count - openCount,
    issue_count: view.issueCount,
    next_cursor: null,
  }
  return { data: { issues, ...counts }, exitStatus: 0 }
}
