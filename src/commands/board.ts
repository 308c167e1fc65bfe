import { allOf, compareStatuses, type QueryTerm, statusOf } from '../model/index.ts'
import { readClaims } from '../tracker/claims/read-claims.ts'
import { findIssues } from '../tracker/issues/find-issues.ts'
import { compareByPriority, isMemoryIssue, memoryLabel } from '../tracker/issues/ready-queue.ts'
import { warnIfNoLog } from '../tracker/sync/no-log.ts'
import { type IssueRow, shortIdLength } from '../view/index.ts'
import { type DataOf, defineCommand, type GivenInput } from './define-command.ts'
import { headerOption } from './header-option.ts'
import { filterOptions } from './issue/filter-options.ts'
import { termOf } from './issue/list.ts'

export const board = defineCommand({
  name: 'board',
  summary: 'Show the open issues in columns by status',
  description:
    'Each status has a column, an issue without one is in the column "open". Columns are sorted by priority, then by age; ' +
    'claimed issues show their holder. On a terminal, a column ends after 10 issues unless --limit is given. Memories (see ' +
    '`grite help ready`) are left out unless --label memory is given.',
  examples: [
    { command: 'grite board', explains: 'all open issues' },
    { command: 'grite board --assignee me --limit 5', explains: 'your issues, five of each status' },
    { command: 'grite board --milestone 2.1 --json', explains: 'one milestone, for a script' },
  ],
  served: true,
  isKept: true,
  effect: 'reads',
  arguments: {},
  options: {
    label: filterOptions.label,
    assignee: filterOptions.assignee,
    milestone: filterOptions.milestone,
    limit: { type: 'count', valueName: 'n', summary: 'List at most n issues of each column', short: 'n' },
    ...headerOption,
  },
  async run(context, input) {
    const terms: readonly QueryTerm[] = [
      { kind: 'state', state: 'open' },
      ...input.label.map((label) => termOf('label', 'label', label, true)),
      ...(input.assignee === undefined ? [] : [termOf('assignee', 'assignee', input.assignee)]),
      ...(input.milestone === undefined ? [] : [termOf('milestone', 'milestone', input.milestone)]),
    ]
    const repository = await context.repository()
    const view = await repository.view()
    await warnIfNoLog(context, repository, view)
    const found = await findIssues(context, repository, { filter: allOf(terms), sort: null, limit: null })
    const rows = input.label.includes(memoryLabel) ? found : found.filter((row) => !isMemoryIssue(row))
    const byStatus = new Map<string, IssueRow[]>()
    for (const row of [...rows].sort(compareByPriority)) {
      const status = statusOf(row.fields)
      const column = byStatus.get(status)
      if (column === undefined) byStatus.set(status, [row])
      else column.push(row)
    }
    const columns = [...byStatus].sort(([left], [right]) => compareStatuses(left, right))
    const shown = columns.flatMap(([, all]) => all.slice(0, input.limit).map(({ issue_id }) => issue_id))
    const shortIds = await view.shortIds(shown, shortIdLength)
    const claims = await readClaims(repository)
    return {
      data: {
        columns: columns.map(([status, all]) => ({
          status,
          issues: all.slice(0, input.limit).map((row) => ({
            ...row,
            short_id: shortIds.get(row.issue_id) ?? row.issue_id,
            claim: claims.get(row.issue_id) ?? null,
          })),
          total: all.length,
        })),
        total: rows.length,
        claimed_count: rows.filter(({ issue_id }) => claims.has(issue_id)).length,
        limit: input.limit ?? null,
      },
    }
  },
})

export type BoardInput = GivenInput<typeof board>
export type BoardData = DataOf<typeof board>
