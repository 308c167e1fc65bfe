import { ordersOf, sortByDependencies } from '../../model/index.ts'
import { warnOfCycles } from '../../tracker/issues/warn-of-cycles.ts'
import { type IssueRow, shortIdLength } from '../../view/index.ts'
import { type DataOf, defineCommand, type GivenInput } from '../define-command.ts'
import { headerOption } from '../header-option.ts'
import { filterOptions } from './filter-options.ts'
import { parseState } from './list.ts'

export const issueDepTopo = defineCommand({
  name: 'issue dep topo',
  summary: 'List issues in dependency order',
  description:
    'Lists every issue after the issues that it waits for; independent issues by age, oldest first. Issues in a cycle, and issues that wait for them, come last.',
  examples: [{ command: 'grite issue dep topo --state open', explains: 'open issues in a possible working order' }],
  served: true,
  effect: 'reads',
  arguments: {},
  options: {
    state: filterOptions.state,
    label: filterOptions.label,
    ...headerOption,
  },
  async run(context, input) {
    const state = parseState(input.state)
    const view = await (await context.repository()).view()
    // Sort before filtering by label: two issues with the label may depend on each other through one without it.
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
