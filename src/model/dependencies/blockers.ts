import type { DependencyType, IssueStateWord } from '../event-kinds.ts'
import type { IssueId } from '../ids.ts'
import type { StoredEdge } from './edges.ts'

/** An issue that an open issue waits for: it is not closed, or not known here. */
export interface Blocker {
  readonly issueId: IssueId
  /** False when the issue has not arrived here. Nobody can close it, so it does not block. */
  readonly isKnown: boolean
  /** The edges that state it: `blocks` is stored with the blocker, `depends_on` with the waiting issue. */
  readonly through: readonly DependencyType[]
}

/**
 * The blockers of every open issue. Issues without blockers are absent; closed blockers are left out.
 *
 * @param stateOf - undefined for an unknown issue
 * @returns by waiting issue; its blockers by id
 */
export function findBlockers(
  edges: Iterable<StoredEdge>,
  stateOf: (id: IssueId) => IssueStateWord | undefined,
): Map<IssueId, Blocker[]> {
  const waiting = new Map<IssueId, Blocker[]>()
  for (const { source, target, type } of edges) {
    if (type === 'related_to') continue
    // Like `orderOf`, without allocating an object per edge.
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

/** Whether any of them blocks an issue. */
export function isBlocked(blockers: readonly Blocker[]): boolean {
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
