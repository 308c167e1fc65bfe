import type { IssueDepGraphData } from '../../commands/issue/dependency-graph.ts'
import { escapeLine } from './escape-for-terminal.ts'
import { nodeName } from './graph-mermaid.ts'
import { shortId } from './issue-shapes.ts'
import type { GraphNode } from './relation-graph.ts'

/** A DOT graph: arrows from blocker to blocked, dotted lines between related issues. */
export function drawDot({ nodes, edges, cycles }: IssueDepGraphData): string {
  const names = new Map(nodes.map((node) => [node.issue_id, nodeName(node)]))
  const inCycle = new Set(cycles.flat())
  const lines = [
    'digraph issues {',
    '  node [shape=box];',
    ...nodes.map((node) => `  ${nodeName(node)} [label=${quoteDot(labelOf(node))}${styleOf(node, inCycle)}];`),
    ...edges.map(({ from, to, types }) => {
      const line = types.includes('related_to') ? ' [dir=none, style=dotted]' : ''
      return `  ${names.get(from)} -> ${names.get(to)}${line};`
    }),
    '}',
  ]
  return `${lines.join('\n')}\n`
}

function labelOf(node: GraphNode): string {
  return `${shortId(node)} ${node.state === null ? 'unknown here' : node.title}`
}

function styleOf(node: GraphNode, inCycle: ReadonlySet<string>): string {
  const cycle = inCycle.has(node.issue_id) ? ', color=red' : ''
  if (node.state === null) return `${cycle}, style=dashed`
  return node.state === 'closed' ? `${cycle}, style=filled, fillcolor=gray90, fontcolor=gray40` : cycle
}

/** Inside quotes a backslash starts an escape and `&` an entity; line ends are already made visible. */
export function quoteDot(text: string): string {
  return `"${escapeLine(text).replaceAll('&', '&amp;').replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
}
