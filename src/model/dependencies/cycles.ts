import type { IssueId } from '../ids.ts'
import { at, type CompactGraph, compactGraph } from './compact-graph.ts'
import { componentsOf } from './components.ts'
import { type Order, ordersOf, type StoredEdge } from './edges.ts'

/**
 * Finds cycles over `blocks` and `depends_on` as one graph. A clone refuses to close a cycle, but two clones that each
 * add one half cannot notice.
 */
export function findDependencyCycles(edges: Iterable<StoredEdge>): IssueId[][] {
  return findCycles(ordersOf(edges))
}

/**
 * The strongly connected components with more than one issue, or with an issue that waits for itself.
 *
 * @returns each component by ascending id, the components by their first id
 */
export function findCycles(orders: readonly Order[]): IssueId[][] {
  const ids = [...new Set(orders.flatMap(({ first, waits }) => [first, waits]))].sort()
  return cyclesIn(compactGraph(ids, orders))
}

/** Like `findCycles`, by ascending number. */
export function cyclesIn(graph: CompactGraph, component = componentsOf(graph)): IssueId[][] {
  const members = new Map<number, number[]>()
  for (const [number, name] of component.entries()) {
    const known = members.get(name)
    if (known === undefined) members.set(name, [number])
    else known.push(number)
  }
  return [...members.values()]
    .filter((numbers) => numbers.length > 1 || waitsForItself(graph, numbers[0] as number))
    .map((numbers) => numbers.map((number) => graph.ids[number] as IssueId))
}

function waitsForItself({ start, waiting }: CompactGraph, number: number): boolean {
  return waiting.subarray(at(start, number), at(start, number + 1)).includes(number)
}
