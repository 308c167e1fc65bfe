import type { IssueDepGraphData } from '../../commands/issue/dependency-graph.ts'
import { escapeLine } from './escape-for-terminal.ts'
import { shortId } from './issue-shapes.ts'
import type { GraphNode } from './relation-graph.ts'

/** A Mermaid flowchart: arrows from blocker to blocked, dotted lines between related issues. */
export function drawMermaid({ nodes, edges, cycles }: IssueDepGraphData): string {
  const names = new Map(nodes.map((node) => [node.issue_id, nodeName(node)]))
  const inCycle = new Set(cycles.flat())
  const lines = [
    'flowchart TD',
    ...nodes.map((node) => `  ${nodeName(node)}["${labelOf(node)}"]${classOf(node, inCycle)}`),
    ...edges.map(({ from, to, types }) => {
      const line = types.includes('related_to') ? '-.-' : '-->'
      return `  ${names.get(from)} ${line} ${names.get(to)}`
    }),
    '  classDef closed opacity:0.5',
    '  classDef unknown stroke-dasharray:4',
    '  classDef cycle stroke:#d00,stroke-width:3px',
  ]
  return `${lines.join('\n')}\n`
}

/** Has a prefix, so that it is neither a number nor a keyword. */
export function nodeName(node: GraphNode): string {
  return `i${shortId(node).replaceAll(/[^0-9a-f]/g, '_')}`
}

function labelOf(node: GraphNode): string {
  const title = node.state === null ? 'unknown here' : node.title
  return encodeEntities(`${shortId(node)} ${title}`)
}

function classOf(node: GraphNode, inCycle: ReadonlySet<string>): string {
  if (inCycle.has(node.issue_id)) return ':::cycle'
  if (node.state === null) return ':::unknown'
  return node.state === 'closed' ? ':::closed' : ''
}

/**
 * Quotes a text. Turns everything but letters, digits and harmless characters into numeric entities: quotes end a label,
 * backticks start Markdown, `<` and `&` are HTML, `#` starts an entity, `%%` a comment, and `style:` before an entity makes
 * Mermaid drop a character.
 */
export function encodeEntities(title: string): string {
  return escapeLine(title).replaceAll(/[^\p{L}\p{M}\p{N} .,/()_+=!?*~'-]/gu, (character) => {
    return `#${character.codePointAt(0)};`
  })
}
