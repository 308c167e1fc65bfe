import type { DependencyType, IssueStateWord } from '../event-kinds.ts'
import type { IssueId } from '../ids.ts'
import type { EdgeList, StoredEdge } from './edges.ts'

/** An issue that an open issue waits for: it is not closed, or not known here. */
export interface Blocker {
  readonly issueId: IssueId
  /** False when the issue has not arrived here. Nobody can close it, so it does not block. */
  readonly isKnown: boolean
  /** The edges that state it: `blocks` is stored with the blocker, `depends_on` with the waiting issue. */
  readonly through: readonly DependencyType[]
}

/** An issue as far as it matters here. */
export interface KnownIssue {
  readonly issueId: IssueId
  readonly state: IssueStateWord
}

/** Open issues that wait. */
export interface Waiting {
  /** They have an open blocker. */
  readonly heldUp: ReadonlySet<IssueId>
  /** They have an unknown blocker, maybe beside an open one. */
  readonly unsure: ReadonlySet<IssueId>
}

/**
 * Finds the issues that `findBlockers` finds, but not their blockers: in half the time, and with little garbage.
 *
 * @param find - undefined for an unknown issue
 */
export function findWaiting(lists: Iterable<EdgeList>, find: (id: IssueId) => KnownIssue | undefined): Waiting {
  const heldUp = new Set<IssueId>()
  const unsure = new Set<IssueId>()
  const note = (waits: KnownIssue | undefined, first: KnownIssue | undefined) => {
    if (waits?.state !== 'open' || first?.state === 'closed') return
    if (first === undefined) unsure.add(waits.issueId)
    else heldUp.add(waits.issueId)
  }
  for (const list of lists) {
    const source = find(list.source)
    for (let index = 0; index < list.count; index++) {
      const type = list.typeAt(index)
      // Where the source decides, the other issue need not be looked up.
      if (type === 'depends_on' && source?.state === 'open') note(source, find(list.targetAt(index)))
      else if (type === 'blocks' && source?.state !== 'closed') note(find(list.targetAt(index)), source)
    }
  }
  return { heldUp, unsure }
}

/**
 * The blockers of every open issue. Issues without blockers are absent; closed blockers are left out.
 *
 * @param edges - fastest when the edges of one source follow each other
 * @param find - undefined for an unknown issue
 * @returns by waiting issue; its blockers by id
 */
export function findBlockers(
  edges: Iterable<StoredEdge>,
  find: (id: IssueId) => KnownIssue | undefined,
): Map<IssueId, Blocker[]> {
  const waiting = new Map<IssueId, Blocker[]>()
  let source: IssueId | undefined
  let from: KnownIssue | undefined
  for (const edge of edges) {
    const { target, type } = edge
    if (type === 'related_to') continue
    if (edge.source !== source) from = find(edge.source)
    source = edge.source
    // Like `orderOf`, without an object per edge, and without a lookup of the other issue where the source decides.
    const isFirst = type === 'blocks'
    if (isFirst ? from?.state === 'closed' : from?.state !== 'open') continue
    const to = find(target)
    if (isFirst ? to?.state !== 'open' : to?.state === 'closed') continue
    const waits = isFirst ? to : from
    const first = isFirst ? from : to
    const blocker = {
      issueId: first?.issueId ?? (isFirst ? source : target),
      isKnown: first !== undefined,
      through: throughOne[type],
    }
    // The id of a known issue, because the map has its hash already.
    const id = (waits as KnownIssue).issueId
    const known = waiting.get(id)
    if (known === undefined) waiting.set(id, [blocker])
    else known.push(blocker)
  }
  for (const [id, blockers] of waiting) if (blockers.length > 1) waiting.set(id, joinSpellings(blockers))
  return waiting
}

const throughOne = { blocks: ['blocks'], depends_on: ['depends_on'] } as const

function joinSpellings(blockers: Blocker[]): Blocker[] {
  blockers.sort((left, right) => (left.issueId < right.issueId ? -1 : Number(left.issueId > right.issueId)))
  return blockers.reduce<Blocker[]>((joined, blocker) => {
    const before = joined.at(-1)
    if (before?.issueId !== blocker.issueId) joined.push(blocker)
    else joined[joined.length - 1] = { ...blocker, through: [...before.through, ...blocker.through].sort() }
    return joined
  }, [])
}
