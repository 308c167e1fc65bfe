/** Closed issues by type, for a release page. */
import type { IssueId } from '../../model/index.ts'
import { type IssueRow, shortIdLength, type View } from '../../view/index.ts'

export interface ClosedIssue {
  readonly issue_id: IssueId
  readonly short_id: string
  readonly title: string
  readonly type: string | null
  readonly priority: string | null
  readonly labels: readonly string[]
  readonly assignees: readonly string[]
  readonly closed_ts: number
}

export interface TypeGroup {
  /** In lower case; null for issues without one. */
  readonly type: string | null
  /** In the order in which they were closed. */
  readonly issues: readonly ClosedIssue[]
}

/** Types that readers of a release look for first; then the others by name, and issues without a type. */
const firstTypes = ['bug', 'feature', 'enhancement']

/** States read at the same time, since texts may be long. */
const statesAtOnce = 256

/** Closed issues whose last closing is wanted. A reopened issue is not closed. */
export async function listClosedIssues(view: View, isWanted: (closedTs: number) => boolean): Promise<ClosedIssue[]> {
  const rows = await view.listIssues({ state: 'closed' })
  const closed: { readonly row: IssueRow; readonly closedTs: number }[] = []
  for (let start = 0; start < rows.length; start += statesAtOnce) {
    const some = rows.slice(start, start + statesAtOnce)
    const states = await view.findStates(some.map(({ issue_id }) => issue_id))
    for (const row of some) {
      const closedTs = states.get(row.issue_id)?.state?.version.tsUnixMs ?? row.updated_ts
      if (isWanted(closedTs)) closed.push({ row, closedTs })
    }
  }
  const shortIds = await view.shortIds(
    closed.map(({ row }) => row.issue_id),
    shortIdLength,
  )
  return closed.map(({ row, closedTs }) => ({
    issue_id: row.issue_id,
    short_id: shortIds.get(row.issue_id) ?? row.issue_id,
    title: row.title,
    type: row.fields.type ?? null,
    priority: row.fields.priority ?? null,
    labels: row.labels,
    assignees: row.assignees,
    closed_ts: closedTs,
  }))
}

export function groupByType(issues: readonly ClosedIssue[]): TypeGroup[] {
  const groups = new Map<string | null, ClosedIssue[]>()
  for (const issue of issues.toSorted((left, right) => left.closed_ts - right.closed_ts)) {
    const type = issue.type?.trim().toLowerCase() || null
    const group = groups.get(type)
    if (group === undefined) groups.set(type, [issue])
    else group.push(issue)
  }
  return [...groups]
    .map(([type, members]) => ({ type, issues: members }))
    .sort((left, right) => rankOf(left.type) - rankOf(right.type) || compareTypes(left.type, right.type))
}

function rankOf(type: string | null): number {
  if (type === null || type === 'other') return firstTypes.length + 1
  const rank = firstTypes.indexOf(type)
  return rank < 0 ? firstTypes.length : rank
}

const compareTypes = (left: string | null, right: string | null): number => ((left ?? '~') < (right ?? '~') ? -1 : 1)
