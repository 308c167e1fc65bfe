import type { IssueId } from '../ids.ts'
import { at, type CompactGraph, compactGraph } from './compact-graph.ts'
import { componentsOf } from './components.ts'
import { cyclesIn } from './cycles.ts'
import type { Order } from './edges.ts'
import { NumberHeap } from './number-heap.ts'

export interface SortedIssues {
  /**
   * Each id once, in dependency order. Issues in cycles, and those that wait for them, come last: ordered as far as
   * possible, with the issues of a cycle next to each other.
   */
  readonly sorted: readonly IssueId[]
  /** Issues that wait for each other and so have no order; in the order of `ids`. */
  readonly cycles: readonly (readonly IssueId[])[]
}

/**
 * Sorts issues in dependency order. Ties go to the issue that is first in `ids`, so the result depends only on the
 * arguments.
 *
 * @param ids - their order breaks ties
 * @param orders - those that name other issues are ignored
 */
export function sortByDependencies(ids: readonly IssueId[], orders: readonly Order[]): SortedIssues {
  const graph = compactGraph(ids, orders)
  const sorted = sortAcyclic(graph)
  if (sorted.length === ids.length) return { sorted: sorted.map((number) => ids[number] as IssueId), cycles: [] }
  const isDone = new Uint8Array(ids.length)
  for (const number of sorted) isDone[number] = 1
  const rest = [...ids.keys()].filter((number) => !isDone[number])
  const component = componentsOf(graph)
  return {
    sorted: [...sorted, ...sortComponents(graph, rest, component)].map((number) => ids[number] as IssueId),
    cycles: cyclesIn(graph, component),
  }
}

/** Kahn's algorithm: the numbers that do not wait for a cycle, always the smallest free one. */
function sortAcyclic({ ids, start, waiting }: CompactGraph): number[] {
  const openBlockers = new Int32Array(ids.length)
  for (const to of waiting) openBlockers[to] = at(openBlockers, to) + 1
  const free = new NumberHeap()
  for (let number = 0; number < ids.length; number++) if (at(openBlockers, number) === 0) free.push(number)
  const taken: number[] = []
  for (let number = free.pop(); number !== undefined; number = free.pop()) {
    taken.push(number)
    for (let place = at(start, number); place < at(start, number + 1); place++) {
      const to = at(waiting, place)
      openBlockers[to] = at(openBlockers, to) - 1
      if (at(openBlockers, to) === 0) free.push(to)
    }
  }
  return taken
}

/** The same over whole components; the smallest number of a component decides its place. */
function sortComponents(
  { ids, start, waiting }: CompactGraph,
  rest: readonly number[],
  component: Int32Array,
): number[] {
  const members = new Map<number, number[]>()
  for (const number of rest) {
    const name = at(component, number)
    const known = members.get(name)
    if (known === undefined) members.set(name, [number])
    else known.push(number)
  }
  const leaders = [...members.values()].map(([smallest]) => ids[smallest as number] as IssueId)
  const leaderOf = (number: number) => ids[members.get(at(component, number))?.[0] ?? number] as IssueId
  const orders: Order[] = []
  for (const from of rest) {
    for (let place = at(start, from); place < at(start, from + 1); place++) {
      const to = at(waiting, place)
      if (at(component, from) !== at(component, to)) orders.push({ first: leaderOf(from), waits: leaderOf(to) })
    }
  }
  const groups = [...members.values()]
  return sortAcyclic(compactGraph(leaders, orders)).flatMap((number) => groups[number] as number[])
}
