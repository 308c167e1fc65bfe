/** Draws issues and their relations as trees, Mermaid or DOT. */
import type { IssueDepGraphData } from '../../commands/issue/dependency-graph.ts'
import { openDisplayWidth, truncate } from './display-width.ts'
import { escapeLine } from './escape-for-terminal.ts'
import { drawDot } from './graph-dot.ts'
import { drawMermaid } from './graph-mermaid.ts'
import { shortId } from './issue-shapes.ts'
import type { Renderer, RenderView } from './renderer.ts'

export type GraphNode = IssueDepGraphData['nodes'][number]

export const renderRelationGraph: Renderer<IssueDepGraphData> = (data, view) => {
  if (data.format === 'mermaid') return drawMermaid(data)
  if (data.format === 'dot') return drawDot(data)
  if (data.tree.length > 0) return drawTree(data, view)
  if (view.quiet || view.width === null) return ''
  return data.relation === 'parents'
    ? 'No issue has a parent. Run `grite issue update <issue> --parent <issue>` to set one.\n'
    : 'No dependencies yet. Run `grite issue dep add <issue> --target <issue>` to add one.\n'
}

const cutNotes: Readonly<Record<string, string>> = {
  cycle: 'a cycle: see above',
  repeated: 'see above',
  deep: 'more below',
}

/** Minimum width of a title on a narrow terminal. */
const titleWidthMin = 8

/** On a terminal, draws lines and truncates to its width; otherwise indents by two spaces per level. */
async function drawTree({ nodes, tree }: IssueDepGraphData, view: RenderView): Promise<string> {
  const byId = new Map(nodes.map((node) => [node.issue_id, node]))
  const isLast = lastChildren(tree)
  const displayWidth = await openDisplayWidth(nodes.map(({ title }) => escapeLine(title)))
  const isContinued: boolean[] = []
  const lines = tree.map((row, index) => {
    const node = byId.get(row.issue_id)
    if (node === undefined) return ''
    const branch =
      view.width === null ? '  '.repeat(row.depth) : drawBranch(row.depth, isLast[index] ?? true, isContinued)
    isContinued.length = row.depth
    isContinued[row.depth] = !isLast[index]
    const note = row.cut === null ? '' : ` (${cutNotes[row.cut] ?? escapeLine(row.cut)})`
    const opening = `${markOf(node)} ${escapeLine(shortId(node))} `
    const room = (view.width ?? Number.POSITIVE_INFINITY) - branch.length - opening.length - note.length
    const title = escapeLine(node.state === null ? 'unknown here' : node.title)
    const cutTitle = truncate(title, Math.max(room, titleWidthMin), displayWidth)
    return branch + paint(opening, node, view) + cutTitle + (note === '' ? '' : view.style.dim(note))
  })
  return lines.map((line) => `${line.trimEnd()}\n`).join('')
}

function markOf({ state }: GraphNode): string {
  if (state === 'closed') return '[x]'
  return state === 'open' ? '[ ]' : '[?]'
}

function paint(opening: string, { state }: GraphNode, { style }: RenderView): string {
  return state === 'open' ? style.accent(opening) : style.dim(opening)
}

/** For each row, whether it is the last child of its parent. */
export function lastChildren(tree: readonly { readonly depth: number }[]): boolean[] {
  const followed: boolean[] = []
  const isLast: boolean[] = []
  for (let index = tree.length - 1; index >= 0; index--) {
    const { depth } = tree[index] as { readonly depth: number }
    isLast[index] = followed[depth] !== true
    followed.length = depth
    followed[depth] = true
  }
  return isLast
}

/** @param isContinued - by depth, whether a line continues to a later row */
export function drawBranch(depth: number, isLast: boolean, isContinued: readonly boolean[]): string {
  if (depth === 0) return ''
  const lines = isContinued.slice(1, depth).map((goesOn) => (goesOn ? '│  ' : '   '))
  return `${lines.join('')}${isLast ? '└─ ' : '├─ '}`
}
