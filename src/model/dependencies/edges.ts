/**
 * The meaning of an edge between two issues. `A blocks B` and `B depends_on A` mean the same: A comes first, B waits.
 * `related_to` orders nothing and is symmetric.
 */
import type { DependencyType } from '../event-kinds.ts'
import type { IssueId } from '../ids.ts'

/** An edge as an event states it, stored with its source. */
export interface StoredEdge {
  readonly source: IssueId
  readonly target: IssueId
  readonly type: DependencyType
}

/** The edges stored with one issue, without an object for each. */
export interface EdgeList {
  readonly source: IssueId
  readonly count: number
  typeAt(index: number): DependencyType
  targetAt(index: number): IssueId
}

export function edgesOfList(list: EdgeList): StoredEdge[] {
  const { source, count } = list
  return Array.from({ length: count }, (_, index) => ({
    source,
    target: list.targetAt(index),
    type: list.typeAt(index),
  }))
}

/** The order of two issues. */
export interface Order {
  readonly first: IssueId
  /** Waits until `first` is closed. */
  readonly waits: IssueId
}

/** The order that an edge demands; null when it orders nothing. */
export function orderOf({ source, target, type }: StoredEdge): Order | null {
  switch (type) {
    case 'blocks':
      return { first: source, waits: target }
    case 'depends_on':
      return { first: target, waits: source }
    case 'related_to':
      return null
  }
}

/** The orders that edges demand, in sequence; two spellings of one order yield it twice. */
export function ordersOf(edges: Iterable<StoredEdge>): Order[] {
  const orders: Order[] = []
  for (const edge of edges) {
    const order = orderOf(edge)
    if (order !== null) orders.push(order)
  }
  return orders
}

/** The edge with the same meaning that is stored with the other issue. */
export function respell({ source, target, type }: StoredEdge): StoredEdge {
  return { source: target, target: source, type: otherSpelling[type] }
}

const otherSpelling = {
  blocks: 'depends_on',
  depends_on: 'blocks',
  related_to: 'related_to',
} as const satisfies Record<DependencyType, DependencyType>
