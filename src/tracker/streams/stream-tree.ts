/** Streams and their branches as a graph and as trees. */
import type { StreamSummary } from '../../wal/streams/index.ts'
import type { Lineages } from './lineage.ts'
import { forkOffset } from './stream-json.ts'

export interface GraphStreamJson {
  readonly stream: string
  readonly incarnation: string
  /** Null for a stream that others came from, but that is not in this clone. */
  readonly kind: 'root' | 'branch' | 'merge' | null
  readonly state: 'live' | 'deleted' | 'continued' | null
  readonly next_offset: number | null
}

export interface GraphEdgeJson {
  /** Index of the parent in the nodes. */
  readonly from: number
  /** Index of the child in the nodes. */
  readonly to: number
  /** The last offset that the child inherits, or up to which it merged; null for none. */
  readonly fork_offset: number | null
}

export interface TreeRowJson {
  /** Index in the nodes. */
  readonly node: number
  readonly depth: number
  /** Offset of the fork from the row above it; null for a root, and where nothing is inherited. */
  readonly fork_offset: number | null
  /** Why the streams below are not drawn here. */
  readonly cut: 'repeated' | null
}

export interface StreamGraph {
  readonly nodes: readonly GraphStreamJson[]
  readonly edges: readonly GraphEdgeJson[]
  readonly tree: readonly TreeRowJson[]
}

const keyOf = ({ streamId, incarnation }: Pick<StreamSummary, 'streamId' | 'incarnation'>) =>
  `${incarnation} ${streamId}`

/** @param wanted - the streams to draw, in the order of the graph; parents that are not among them are drawn as unknown */
export function graphOf(lineages: Lineages, wanted: readonly StreamSummary[]): StreamGraph {
  const nodes: GraphStreamJson[] = []
  const indexOf = new Map<string, number>()
  for (const summary of wanted) {
    if (indexOf.has(keyOf(summary))) continue
    indexOf.set(keyOf(summary), nodes.length)
    nodes.push({
      stream: summary.streamId,
      incarnation: summary.incarnation,
      kind: summary.kind,
      state: summary.state,
      next_offset: summary.nextOffset,
    })
  }
  const edges: GraphEdgeJson[] = []
  for (const summary of wanted) {
    const to = indexOf.get(keyOf(summary)) as number
    for (const parent of summary.parents) {
      let from = indexOf.get(keyOf(parent))
      if (from === undefined) {
        from = nodes.length
        indexOf.set(keyOf(parent), from)
        const known = lineages.find(parent)
        nodes.push({
          stream: parent.streamId,
          incarnation: parent.incarnation,
          kind: known?.kind ?? null,
          state: known?.state ?? null,
          next_offset: known?.nextOffset ?? null,
        })
      }
      edges.push({ from, to, fork_offset: forkOffset(parent.offset) })
    }
  }
  return { nodes, edges, tree: treeOf(nodes, edges) }
}

/** A stream with several parents is drawn below the first of them; below the others it is repeated without its branches. */
function treeOf(nodes: readonly GraphStreamJson[], edges: readonly GraphEdgeJson[]): TreeRowJson[] {
  const below = new Map<number, GraphEdgeJson[]>()
  const hasParent = new Set<number>()
  for (const edge of edges) {
    hasParent.add(edge.to)
    const list = below.get(edge.from)
    if (list === undefined) below.set(edge.from, [edge])
    else list.push(edge)
  }
  const rows: TreeRowJson[] = []
  const drawn = new Set<number>()
  const draw = (root: number): void => {
    // Newest on top: children are pushed in reverse.
    const open: Omit<TreeRowJson, 'cut'>[] = [{ node: root, depth: 0, fork_offset: null }]
    for (let row = open.pop(); row !== undefined; row = open.pop()) {
      const isRepeated = drawn.has(row.node)
      rows.push({ ...row, cut: isRepeated ? 'repeated' : null })
      if (isRepeated) continue
      drawn.add(row.node)
      for (const edge of (below.get(row.node) ?? []).toReversed()) {
        open.push({ node: edge.to, depth: row.depth + 1, fork_offset: edge.fork_offset })
      }
    }
  }
  for (const index of nodes.keys()) if (!hasParent.has(index)) draw(index)
  // Streams that came from each other: only a damaged lineage has them.
  for (const index of nodes.keys()) if (!drawn.has(index)) draw(index)
  return rows
}
