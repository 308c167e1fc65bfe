/** Draws streams and their branches as trees, Mermaid or DOT. */
import type { StreamGraphData } from '../../commands/stream/graph.ts'
import { escapeLine } from './escape-for-terminal.ts'
import { formatCount } from './facts.ts'
import { quoteDot } from './graph-dot.ts'
import { encodeEntities } from './graph-mermaid.ts'
import { drawBranch, lastChildren } from './relation-graph.ts'
import type { Renderer, RenderView } from './renderer.ts'

type GraphNode = StreamGraphData['nodes'][number]

export const renderStreamGraph: Renderer<StreamGraphData> = (data, view) => {
  if (data.format === 'mermaid') return drawMermaid(data)
  if (data.format === 'dot') return drawDot(data)
  if (data.tree.length > 0) return drawTree(data, view)
  return view.quiet || view.width === null ? '' : 'No streams. Run `grite stream create <id>` to create one.\n'
}

/** Deeper rows have their depth as a number: the lines of a long chain would take the square of its length. */
const depthDrawnMax = 40

function drawTree({ nodes, tree }: StreamGraphData, { width, style }: RenderView): string {
  const isLast = lastChildren(tree)
  const isContinued: boolean[] = []
  const lines = tree.map((row, index) => {
    const node = nodes[row.node] as GraphNode
    const branch =
      row.depth > depthDrawnMax
        ? `${row.depth}: `
        : width === null
          ? '  '.repeat(row.depth)
          : drawBranch(row.depth, isLast[index] ?? true, isContinued)
    isContinued.length = row.depth
    isContinued[row.depth] = !isLast[index]
    const notes = [
      row.fork_offset === null ? null : `@${row.fork_offset}`,
      node.next_offset === null ? 'not in this clone' : formatCount(node.next_offset, 'record'),
      node.state === null || node.state === 'live' ? null : node.state,
      row.cut === null ? null : 'see above',
    ].filter((note) => note !== null)
    return `${branch}${style.accent(escapeLine(node.stream))} ${style.dim(`(${notes.join(', ')})`)}\n`
  })
  return lines.join('')
}

function drawMermaid({ nodes, edges }: StreamGraphData): string {
  const lines = [
    'flowchart LR',
    ...nodes.map(
      (node, index) => `  s${index}["${encodeEntities(node.stream)}"]${node.kind === null ? ':::unknown' : ''}`,
    ),
    ...edges.map(({ from, to, fork_offset }) =>
      fork_offset === null ? `  s${from} --> s${to}` : `  s${from} -- "${fork_offset}" --> s${to}`,
    ),
    '  classDef unknown stroke-dasharray:4',
  ]
  return `${lines.join('\n')}\n`
}

function drawDot({ nodes, edges }: StreamGraphData): string {
  const lines = [
    'digraph streams {',
    '  rankdir=LR;',
    '  node [shape=box];',
    ...nodes.map(
      (node, index) => `  s${index} [label=${quoteDot(node.stream)}${node.kind === null ? ', style=dashed' : ''}];`,
    ),
    ...edges.map(
      ({ from, to, fork_offset }) => `  s${from} -> s${to}${fork_offset === null ? '' : ` [label="${fork_offset}"]`};`,
    ),
    '}',
  ]
  return `${lines.join('\n')}\n`
}
