import type { IssueId } from '../ids.ts'
import type { Order } from './edges.ts'

/**
 * A graph of numbered issues, for walks over a hundred thousand of them. The issues that wait for number `n` are
 * `waiting[start[n]]` up to, not including, `waiting[start[n + 1]]`.
 */
export interface CompactGraph {
  readonly ids: readonly IssueId[]
  readonly start: Int32Array
  readonly waiting: Int32Array
}

/** Skips orders that name an issue outside `ids`. Numbers follow the order of `ids`. */
export function compactGraph(ids: readonly IssueId[], orders: readonly Order[]): CompactGraph {
  const numbers = new Map(ids.map((id, number) => [id, number]))
  const pairs = new Int32Array(2 * orders.length)
  const start = new Int32Array(ids.length + 1)
  let count = 0
  for (const { first, waits } of orders) {
    const from = numbers.get(first)
    const to = numbers.get(waits)
    if (from === undefined || to === undefined) continue
    pairs[count++] = from
    pairs[count++] = to
    start[from + 1] = at(start, from + 1) + 1
  }
  for (let number = 0; number < ids.length; number++) start[number + 1] = at(start, number + 1) + at(start, number)
  const filled = start.slice()
  const waiting = new Int32Array(count / 2)
  for (let index = 0; index < count; index += 2) {
    const from = at(pairs, index)
    const place = at(filled, from)
    waiting[place] = at(pairs, index + 1)
    filled[from] = place + 1
  }
  return { ids, start, waiting }
}

/** An element known to exist. */
export function at(numbers: Int32Array, index: number): number {
  return numbers[index] as number
}
