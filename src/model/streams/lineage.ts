/**
 * The lineage of streams as a graph: which positions a position contains, merge bases, ancestors, descendants, drawings.
 *
 * A graph is data from anywhere: streams may be missing, and cycles end every walk.
 */
import { compareText } from '../compare.ts'
import { makeVisible } from '../visible-text.ts'
import type { LineageKind } from './lineage-facts.ts'
import { shownStreamId } from './message.ts'

/** The records of a stream below an offset. */
export interface Position {
  readonly id: string
  readonly offset: number
}

/** From its own offset `from` on, a stream contains this position of another. */
export interface LineageJoin extends Position {
  readonly from: number
}

export interface LineageNode {
  readonly id: string
  readonly kind: LineageKind
  /**
   * Of a branch, first its parent with the fork offset. Of a merged stream, its sources. Behind them, what was merged
   * into it later; `from` is the next offset of the merge.
   */
  readonly joins: readonly LineageJoin[]
}

export type LineageGraph = ReadonlyMap<string, LineageNode>

/** The greatest offset of each stream that a position contains. The position itself is one of them. */
export function containedPositions(graph: LineageGraph, start: Position): ReadonlyMap<string, number> {
  const reached = new Map<string, number>()
  const waiting: Position[] = [start]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { id, offset } = next
    if ((reached.get(id) ?? -1) >= offset) continue
    reached.set(id, offset)
    const node = graph.get(id)
    if (node === undefined) continue
    for (const [index, join] of node.joins.entries()) {
      if (isFork(node, index)) waiting.push({ id: join.id, offset: Math.min(offset, join.offset) })
      else if (join.from <= offset) waiting.push({ id: join.id, offset: join.offset })
    }
  }
  return reached
}

function isFork(node: LineageNode, index: number): boolean {
  return node.kind === 'branch' && index === 0
}

/** Fork offset of a branch, 0 of any other stream: below it, a position is one of the parent. */
function forkOf(graph: LineageGraph, id: string): number {
  const node = graph.get(id)
  return node?.kind === 'branch' ? (node.joins[0]?.offset ?? 0) : 0
}

/** How many records of `source`, from its offset 0, the reached positions contain. Inherited records count. */
function containedPrefix(graph: LineageGraph, reached: ReadonlyMap<string, number>, source: Position): number {
  let limit = source.offset
  const seen = new Set<string>()
  for (let id = source.id; !seen.has(id); ) {
    seen.add(id)
    const found = reached.get(id)
    const fork = forkOf(graph, id)
    if (found !== undefined && found >= fork) return Math.min(limit, found)
    const parent = fork === 0 ? undefined : graph.get(id)?.joins[0]?.id
    if (parent === undefined) return Math.min(limit, found ?? 0)
    limit = Math.min(limit, fork)
    id = parent
  }
  return 0
}

/**
 * The best common positions: those that all of these contain, and that no other of them contains. With crossing merges
 * there are several. Sorted by stream id.
 */
export function mergeBases(graph: LineageGraph, positions: readonly Position[]): Position[] {
  const reached = positions.map((position) => containedPositions(graph, position))
  const common: Position[] = []
  for (const [id, offset] of reached[0] ?? []) {
    const least = reached.slice(1).reduce((least, other) => Math.min(least, other.get(id) ?? 0), offset)
    // Below the fork, it is a position of the parent.
    if (least > forkOf(graph, id)) common.push({ id, offset: least })
  }
  const withReach = common.map((position) => ({ position, reach: containedPositions(graph, position) }))
  return common
    .filter(({ id, offset }) =>
      withReach.every(({ position, reach }) => position.id === id || (reach.get(id) ?? 0) < offset),
    )
    .toSorted((left, right) => compareText(left.id, right.id))
}

/**
 * The base offset of each source of a merge: its records below are in the target already, or in an earlier source.
 *
 * @param target - null for a new stream; then the first source is compared with all others
 */
export function baseOffsets(graph: LineageGraph, target: Position | null, sources: readonly Position[]): number[] {
  const reachOf = (position: Position) => containedPositions(graph, position)
  return sources.map((source, index) => {
    if (target === null && index === 0) {
      const others = sources.slice(1).map((other) => containedPrefix(graph, reachOf(other), source))
      return Math.min(source.offset, ...others)
    }
    const earlier = [...(target === null ? [] : [target]), ...sources.slice(0, index)]
    return Math.max(...earlier.map((position) => containedPrefix(graph, reachOf(position), source)))
  })
}

/** All streams that a stream comes from or has merged, the nearest first, each with the offset that it contains. */
export function ancestorsOf(graph: LineageGraph, id: string): Position[] {
  const reached = containedPositions(graph, { id, offset: Number.MAX_SAFE_INTEGER })
  return walk(id, (one) => graph.get(one)?.joins.map((join) => join.id) ?? []).map((one) => ({
    id: one,
    offset: reached.get(one) ?? 0,
  }))
}

/** All streams that come from a stream or have merged it, the nearest first. */
export function descendantsOf(graph: LineageGraph, id: string): string[] {
  const children = childrenOf(graph)
  return walk(id, (one) => children.get(one) ?? [])
}

function childrenOf(graph: LineageGraph): ReadonlyMap<string, readonly string[]> {
  const children = new Map<string, string[]>()
  for (const node of graph.values()) {
    for (const parent of new Set(node.joins.map((join) => join.id))) {
      const known = children.get(parent)
      if (known === undefined) children.set(parent, [node.id])
      else known.push(node.id)
    }
  }
  return children
}

/** Breadth first, without the start. */
function walk(start: string, next: (id: string) => readonly string[]): string[] {
  const seen = new Set([start])
  for (const id of seen) for (const other of next(id)) seen.add(other)
  seen.delete(start)
  return [...seen]
}

/** Levels that are indented; deeper ones stand at this level. */
const indentedLevelsMax = 40

/** One line for each stream, indented below its first parent. */
export function graphAsText(graph: LineageGraph): string {
  const firstChildren = new Map<string | null, LineageNode[]>()
  for (const node of graph.values()) {
    const first = node.joins[0]?.id
    const parent = node.kind !== 'root' && first !== undefined && graph.has(first) ? first : null
    const siblings = firstChildren.get(parent)
    if (siblings === undefined) firstChildren.set(parent, [node])
    else siblings.push(node)
  }
  const sorted = (parent: string | null) =>
    (firstChildren.get(parent) ?? []).toSorted((left, right) => compareText(right.id, left.id))
  const lines: string[] = []
  const seen = new Set<string>()
  const waiting = sorted(null).map((node) => ({ node, level: 0 }))
  const drawWaiting = () => {
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      if (seen.has(next.node.id)) continue
      seen.add(next.node.id)
      lines.push('  '.repeat(Math.min(next.level, indentedLevelsMax)) + lineOf(next.node))
      for (const node of sorted(next.node.id)) waiting.push({ node, level: next.level + 1 })
    }
  }
  drawWaiting()
  // Streams that only a cycle leads to.
  for (const node of graph.values()) {
    waiting.push({ node, level: 0 })
    drawWaiting()
  }
  return lines.join('\n')
}

function lineOf(node: LineageNode): string {
  const joins = node.joins.map(({ id, offset }) => `${shownStreamId(id)}@${offset}`)
  const [fork, ...merged] = node.kind === 'branch' ? joins : [undefined, ...joins]
  const parts = [fork === undefined ? [] : [`from ${fork}`], merged.length === 0 ? [] : [`merges ${merged.join(', ')}`]]
  return [shownStreamId(node.id), ...parts.flat()].join(' ')
}

/** The graph in the language of Mermaid. */
export function graphAsMermaid(graph: LineageGraph): string {
  const { names, edges } = edgesOf(graph)
  return [
    'flowchart TD',
    ...[...names].map(([id, name]) => `  ${name}["${mermaidText(id)}"]`),
    ...edges.map(({ from, to, isMerge, offset }) => `  ${from} ${isMerge ? '-.->' : '-->'}|${offset}| ${to}`),
  ].join('\n')
}

function mermaidText(id: string): string {
  return makeVisible(id).replaceAll(/[#"&<>`\\]/g, (character) => `#${character.charCodeAt(0)};`)
}

/** The graph in the language of Graphviz. */
export function graphAsDot(graph: LineageGraph): string {
  const { names, edges } = edgesOf(graph)
  return [
    'digraph streams {',
    ...[...names].map(([id, name]) => `  ${name} [label="${dotText(id)}"];`),
    ...edges.map(
      ({ from, to, isMerge, offset }) => `  ${from} -> ${to} [label="${offset}"${isMerge ? ', style=dashed' : ''}];`,
    ),
    '}',
  ].join('\n')
}

function dotText(id: string): string {
  return makeVisible(id).replaceAll(/[\\"]/g, (character) => `\\${character}`)
}

/** Nodes get names by their order, so that no id is part of the syntax. */
function edgesOf(graph: LineageGraph) {
  const names = new Map<string, string>()
  const nameOf = (id: string) => {
    const known = names.get(id) ?? `s${names.size}`
    names.set(id, known)
    return known
  }
  const nodes = [...graph.values()].toSorted((left, right) => compareText(left.id, right.id))
  for (const { id } of nodes) nameOf(id)
  const edges = nodes.flatMap((node) =>
    node.joins.map((join, index) => ({
      from: nameOf(join.id),
      to: nameOf(node.id),
      offset: join.offset,
      isMerge: !isFork(node, index),
    })),
  )
  return { names, edges }
}
