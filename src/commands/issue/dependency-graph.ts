import { mentionRows } from '../../tracker/issues/describe-issues.ts'
import { buildRelationGraph, dependencyArrows, parentArrows } from '../../tracker/issues/relation-graph.ts'
import { resolveIssue } from '../../tracker/issues/resolve-issue.ts'
import { warnOfCycles } from '../../tracker/issues/warn-of-cycles.ts'
import { type DataOf, defineCommand, type GivenInput } from '../define-command.ts'
import { filterOptions } from './filter-options.ts'
import { parseState } from './list.ts'

const formats = ['tree', 'mermaid', 'dot'] as const

export const issueDepGraph = defineCommand({
  name: 'issue dep graph',
  summary: 'Draw the graph of dependencies, or of parents and parts',
  description:
    'A tree shows below each issue the issues that it waits for; with --reverse, the issues that wait for it. With --parents it shows the parts of each issue. Mermaid and DOT arrows point from blocker to blocked, and from parent to part. The JSON is the same for every format.',
  examples: [
    { command: 'grite issue dep graph', explains: 'all dependencies' },
    { command: 'grite issue dep graph 3f2a91c --state open', explains: 'open issues that 3f2a91c waits for' },
    { command: 'grite issue dep graph --parents', explains: 'epics and their parts' },
    { command: 'grite issue dep graph --format mermaid', explains: 'for a page that draws Mermaid' },
    { command: 'grite issue dep graph --format dot | dot -Tsvg > graph.svg', explains: 'as a picture' },
  ],
  served: true,
  effect: 'reads',
  arguments: {
    issue: { summary: 'Root of the graph; default all issues', optional: true, completes: 'issue' },
  },
  options: {
    format: { type: 'text', valueName: 'word', choices: formats, summary: 'Output format; default tree', short: 'f' },
    parents: { type: 'boolean', summary: 'Draw parents and parts instead of dependencies' },
    reverse: { type: 'boolean', summary: 'Reverse the direction of trees' },
    state: filterOptions.state,
  },
  async run(context, input) {
    const state = parseState(input.state)
    const view = await (await context.repository()).view()
    const root = input.issue === undefined ? undefined : await resolveIssue(view, input.issue)
    const rows = await view.allRows()
    const wish = { root, reverse: input.reverse, state }
    const { ids, edges, tree, cycles } = input.parents
      ? buildRelationGraph(rows, parentArrows(rows), 'from', wish)
      : buildRelationGraph(rows, dependencyArrows(await view.allDependencies()), 'to', wish)
    const byId = new Map(rows.map((row) => [row.issue_id, row]))
    const mentioned = await mentionRows(view, ids, byId)
    const nodes = mentioned.map((node) => ({ ...node, type: byId.get(node.issue_id)?.fields.type ?? null }))
    const shortIds = new Map(nodes.map(({ issue_id, short_id }) => [issue_id, short_id]))
    warnOfCycles(context, input.parents ? 'are parts of' : 'wait for', cycles, shortIds)
    return {
      data: {
        relation: input.parents ? 'parents' : 'dependencies',
        format: input.format ?? 'tree',
        root: root ?? null,
        nodes,
        edges,
        tree: tree.map(({ issueId, depth, cut }) => ({ issue_id: issueId, depth, cut })),
        cycles,
      },
    }
  },
})

export type IssueDepGraphInput = GivenInput<typeof issueDepGraph>
export type IssueDepGraphData = DataOf<typeof issueDepGraph>
