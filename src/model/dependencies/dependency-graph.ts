import type { DependencyType } from '../event-kinds.ts'
import type { IssueId } from '../ids.ts'
import { orderOf, type StoredEdge } from './edges.ts'

/**
 * The dependency graph, updated as edges are added and removed.
 *
 * Invariants
 * - Setting an edge is idempotent.
 * - An order exists as long as one of its two spellings is present.
 */
export class DependencyGraph {
  /** By first issue, then by waiting issue: the present spellings, as bits. */
  readonly #waiting = new Map<IssueId, Map<IssueId, number>>()

  constructor(edges: Iterable<StoredEdge>) {
    for (const edge of edges) this.set(edge, true)
  }

  /** Sets whether an edge is present. Ignores edges that order nothing. */
  set(edge: StoredEdge, isPresent: boolean): void {
    const order = orderOf(edge)
    if (order === null) return
    const waiting = this.#waiting.get(order.first) ?? new Map<IssueId, number>()
    const before = waiting.get(order.waits) ?? 0
    const after = isPresent ? before | spellingBits[edge.type] : before & ~spellingBits[edge.type]
    if (after === 0) waiting.delete(order.waits)
    else waiting.set(order.waits, after)
    this.#waiting.set(order.first, waiting)
  }

  /**
   * A shortest path on which each issue waits for the one before it; undefined when there is none. An issue reaches
   * itself at once. Visits each issue at most once.
   */
  findPath(first: IssueId, last: IssueId): IssueId[] | undefined {
    const reachedFrom = new Map<IssueId, IssueId | null>([[first, null]])
    // A Map iterates over entries added during iteration, so it is its own queue.
    for (const id of reachedFrom.keys()) {
      if (id === last) return pathTo(last, reachedFrom)
      for (const next of this.#waiting.get(id)?.keys() ?? []) {
        if (!reachedFrom.has(next)) reachedFrom.set(next, id)
      }
    }
    return undefined
  }
}

const spellingBits = { blocks: 1, depends_on: 2, related_to: 0 } as const satisfies Record<DependencyType, number>

function pathTo(last: IssueId, reachedFrom: ReadonlyMap<IssueId, IssueId | null>): IssueId[] {
  const path: IssueId[] = []
  for (let id: IssueId | null = last; id !== null; id = reachedFrom.get(id) ?? null) path.push(id)
  return path.reverse()
}
