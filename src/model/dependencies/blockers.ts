import type { DependencyType, IssueStateWord } from '../event-kinds.ts'
import type { IssueId } from '../ids.ts'
import { orderOf, type StoredEdge } from './edges.ts'

/** Why an open issue waits: another one that is not closed, or that is not known here. */
export interface Blocker {
  readonly issueId: IssueId
  /** False when no such issue has arrived here. Nobody can close it, so it holds nobody up. */
  readonly isKnown: boolean
  /** The edges that say so: `blocks` is kept with the blocker, `depends_on` with the one that waits. */
  readonly through: readonly DependencyType[]
}

/**
 * What every open issue waits for. Issues that wait for nothing are absent; closed blockers are left out.
 *
 * @param stateOf - undefined for an issue that is not known
 * @returns by the issue that waits; its blockers by id
 */
export function findBlockers(
  edges: Iterable<StoredEdge>,
  stateOf: (id: IssueId) => IssueStateWord | undefined,
): Map<IssueId, Blocker[]> {
  const waiting = new Map<IssueId, Blocker[]>()
  for (const edge of edges) {
    const order = orderOf(edge)
    if (order === null || stateOf(order.waits) !== 'open') continue
    const state = stateOf(order.first)
    if (state === 'closed') continue
    const blocker = { issueId: order.first, isKnown: state !== undefined, through: [edge.type] }
    const known = waiting.get(order.waits)
    if (known === undefined) waiting.set(order.waits, [blocker])
    else known.push(blocker)
  }
  for (const [id, blockers] of waiting) if (blockers.length > 1) waiting.set(id, joinSpellings(blockers))
  return waiting
}

/** Whether any of them holds an issue up. */
export function isHeldUp(blockers: readonly Blocker[]): boolean {
  return blockers.some(({ isKnown }) => isKnown)
}

function joinSpellings(blockers: readonly Blocker[]): Blocker[] {
  const joined = new Map<IssueId, Blocker>()
  for (const blocker of blockers) {
    const before = joined.get(blocker.issueId)?.through ?? []
    joined.set(blocker.issueId, { ...blocker, through: [...before, ...blocker.through].sort() })
  }
  return [...joined.values()].sort((left, right) => (left.issueId < right.issueId ? -1 : 1))
}
