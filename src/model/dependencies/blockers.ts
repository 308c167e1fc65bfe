import type { DependencyType, IssueStateWord } from '../event-kinds.ts'
import type { IssueId } from '../ids.ts'
import type { StoredEdge } from './edges.ts'

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
  for (const { source, target, type } of edges) {
    if (type === 'related_to') continue
    // As `orderOf`, without an object for each of very many edges.
    const waits = type === 'blocks' ? target : source
    if (stateOf(waits) !== 'open') continue
    const first = type === 'blocks' ? source : target
    const state = stateOf(first)
    if (state === 'closed') continue
    const blocker = { issueId: first, isKnown: state !== undefined, through: throughOne[type] }
    const known = waiting.get(waits)
    if (known === undefined) waiting.set(waits, [blocker])
    else known.push(blocker)
  }
  for (const [id, blockers] of waiting) if (blockers.length > 1) waiting.set(id, joinSpellings(blockers))
  return waiting
}

const throughOne = { blocks: ['blocks'], depends_on: ['depends_on'] } as const

/** Whether any of them holds an issue up. */
export function isHeldUp(blockers: readonly Blocker[]): boolean {
  return blockers.some(({ isKnown }) => isKnown)
}

function joinSpellings(blockers: Blocker[]): Blocker[] {
  blockers.sort((left, right) => (left.issueId < right.issueId ? -1 : Number(left.issueId > right.issueId)))
  return blockers.reduce<Blocker[]>((joined, blocker) => {
    const before = joined.at(-1)
    if (before?.issueId !== blocker.issueId) joined.push(blocker)
    else joined[joined.length - 1] = { ...blocker, through: [...before.through, ...blocker.through].sort() }
    return joined
  }, [])
}
