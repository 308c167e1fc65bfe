import { ordersOf, sortByDependencies } from '../../model/index.ts'
import { shortIdLength } from '../../tracker/issues/short-id.ts'
import { warnOfCycles } from '../../tracker/issues/warn-of-cycles.ts'
import type { IssueRow } from '../../view/index.ts'
import { type DataOf, defineCommand, type GivenInput } from '../define-command.ts'
import { filterOptions } from './filter-options.ts'
import { parseState } from './list.ts'

export const issueDepTopo = defineCommand({
  name: 'issue dep topo',
  summary: 'List issues so that what comes first stands first',
  description:
    'No issue stands before one it waits for. Where nothing waits, the older stands first. Issues that wait for each other in a cycle, and those that wait for them, stand at the end.',
  examples: [{ command: 'grite issue dep topo --state open', explains: 'what is left to do, in a possible order' }],
  arguments: {},
  options: {
    state: filterOptions.state,
    label: filterOptions.label,
  },
  async run(context, input) {
    const state = parseState(input.state)
    const view = await (await context.repository()).view()
    // Issues without the label count for the order: one that has it may wait, through them, for another.
    const rows = await view.listIssues(state === undefined ? {} : { state })
    const ids = rows.map(({ issue_id }) => issue_id)
    const { sorted, cycles } = sortByDependencies(ids, ordersOf(await view.allDependencies()))
    const byId = new Map(rows.map((row) => [row.issue_id, row]))
    const shown = sorted.map((id) => byId.get(id) as IssueRow).filter((row) => hasLabels(row, input.label))
    const shortIds = await view.shortIds(ids, shortIdLength)
    const inCycle = new Set(cycles.flat())
    warnOfCycles(context, 'wait for', cycles, shortIds)
    return {
      data: {
        issues: shown.map(({ issue_id, title, state, labels, fields }) => ({
          issue_id,
          short_id: shortIds.get(issue_id) ?? issue_id,
          title,
          state,
          labels,
          fields,
          in_cycle: inCycle.has(issue_id),
        })),
        total: shown.length,
        order: 'topological',
        cycles,
      },
    }
  },
})

export type IssueDepTopoInput = GivenInput<typeof issueDepTopo>
export type IssueDepTopoData = DataOf<typeof issueDepTopo>

function hasLabels(row: IssueRow, labels: readonly string[]): boolean {
  return labels.every((label) => row.labels.includes(label))
}
