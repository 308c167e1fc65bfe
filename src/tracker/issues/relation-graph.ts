/** Issues and their relations as a graph to draw. Pure. */
import {
  findCycles,
  type IssueId,
  type IssueStateWord,
  layOutForest,
  orderOf,
  parentOf,
  reachableFrom,
  type StoredEdge,
  type TreeLink,
  type TreeRow,
} from '../../model/index.ts'
import type { IssueRow } from '../../view/index.ts'

/** An arrow from blocker to blocked, or from parent to part. */
export interface GraphEdge {
  readonly from: IssueId
  readonly to: IssueId
  /** Types of the underlying edges: `blocks`, `depends_on`, both, or `parent`; `related_to` has no direction. */
  readonly types: readonly string[]
}

export interface RelationGraph {
  /** Nodes, oldest first; unknown issues last. */
  readonly ids: readonly IssueId[]
  readonly edges: readonly GraphEdge[]
  readonly tree: readonly TreeRow[]
  readonly cycles: readonly (readonly IssueId[])[]
}

export interface GraphWish {
  /** Restricts the graph to what is reachable from this issue. */
  readonly root: IssueId | undefined
  /** Reverses the direction of trees. */
  readonly reverse: boolean
  /** Restricts the graph to issues in this state, plus the root. */
  readonly state: IssueStateWord | undefined
}

/** Arrows for dependencies, and undirected lines for related issues. */
export function dependencyArrows(edges: readonly StoredEdge[]): GraphEdge[] {
  return joinEdges(
    edges.map((edge) => {
      const order = orderOf(edge)
      if (order !== null) return { from: order.first, to: order.waits, types: [edge.type] }
      const [from, to] = [edge.source, edge.target].sort() as [IssueId, IssueId]
      return { from, to, types: [edge.type] }
    }),
  )
}

/** Arrows from parents to their parts. */
export function parentArrows(rows: readonly IssueRow[]): GraphEdge[] {
  return rows.flatMap(({ issue_id, fields }) => {
    const parent = parentOf(fields)
    return parent === null ? [] : [{ from: parent, to: issue_id, types: ['parent'] }]
  })
}

/** Merges equivalent edges into one arrow. */
function joinEdges(edges: readonly GraphEdge[]): GraphEdge[] {
  const joined = new Map<string, GraphEdge>()
  for (const edge of edges) {
    const kind = isDirected(edge) ? 'arrow' : 'line'
    const key = `${edge.from} ${edge.to} ${kind}`
    const types = new Set([...(joined.get(key)?.types ?? []), ...edge.types])
    joined.set(key, { ...edge, types: [...types].sort() })
  }
  return [...joined.values()]
}

function isDirected({ types }: GraphEdge): boolean {
  return !types.includes('related_to')
}

/**
 * Builds the graph of some arrows.
 *
 * @param rows - all known issues
 * @param hangsFrom - the end of an arrow that is above the other in a tree
 */
export function buildRelationGraph(
  rows: readonly IssueRow[],
  arrows: readonly GraphEdge[],
  hangsFrom: 'from' | 'to',
  { root, reverse, state }: GraphWish,
): RelationGraph {
  const byId = new Map(rows.map((row) => [row.issue_id, row]))
  const isShown = (id: IssueId) => id === root || state === undefined || byId.get(id)?.state === state
  const shown = arrows.filter(({ from, to }) => isShown(from) && isShown(to))
  const order = compareByAge(byId)
  const downwards = (hangsFrom === 'from') !== reverse
  const links = shown
    .filter(isDirected)
    .map(({ from, to }): TreeLink => (downwards ? { parent: from, child: to } : { parent: to, child: from }))
    .sort((left, right) => order(left.child, right.child))
  const reached = root === undefined ? undefined : reachableFrom(root, links)
  const edges = shown.filter(({ from, to }) => reached === undefined || (reached.has(from) && reached.has(to)))
  const ids = [...new Set([...(root === undefined ? [] : [root]), ...edges.flatMap(({ from, to }) => [from, to])])]
  ids.sort(order)
  const directed = new Set(links.flatMap(({ parent, child }) => [parent, child]))
  return {
    ids,
    edges,
    tree: layOutForest(
      ids.filter((id) => id === root || directed.has(id)),
      links,
      root,
    ),
    cycles: findCycles(edges.filter(isDirected).map(({ from, to }) => ({ first: from, waits: to }))),
  }
}

function compareByAge(byId: ReadonlyMap<IssueId, IssueRow>): (left: IssueId, right: IssueId) => number {
  const age = (id: IssueId) => byId.get(id)?.created_ts ?? Number.POSITIVE_INFINITY
  return (left, right) => {
    const [one, other] = [age(left), age(right)]
    if (one !== other) return one < other ? -1 : 1
    return left < right ? -1 : Number(left > right)
  }
}
