import { assignedToOthers, type IssueId, issueOfResource, type Lock } from '../../model/index.ts'
import type { IssueRow, View } from '../../view/index.ts'
import { findOwnName } from '../identity/own-name.ts'
import { isReadable, readKnownLocks, type SeenLock, stateOfLock } from '../locks/known-locks.ts'
import type { Workspace } from '../workspace.ts'
import { endedLocksOf } from './claim-terms.ts'

export interface Taken {
  /** Whether somebody holds a lease on an issue, or it is assigned to somebody else. */
  readonly isTaken: (row: Pick<IssueRow, 'issue_id' | 'assignees'>) => boolean
  /** Issues on which somebody holds a lease. */
  readonly leased: ReadonlySet<IssueId>
}

/** Tells which issues are taken. Assignees left behind by ended claims do not count. */
export async function openTaken(repository: Workspace, view: View): Promise<Taken> {
  const ownName = await findOwnName(repository)
  const sights = await readKnownLocks(repository)
  // Without locks the time does not count, and the answer may be kept.
  const nowUnixMs = sights.length === 0 ? 0 : repository.facts.clock.nowUnixMs()
  const leased = leasedIssues(sights, nowUnixMs)
  const free = await freedIssues(view, endedLocksOf(sights, nowUnixMs), ownName)
  return {
    leased,
    isTaken({ issue_id, assignees }) {
      if (leased.has(issue_id)) return true
      return assignees.length > 0 && !assignees.some((user) => user === ownName) && !free.has(issue_id)
    },
  }
}

function leasedIssues(sights: readonly SeenLock[], nowUnixMs: number): Set<IssueId> {
  const live = sights.filter(isReadable).filter((sight) => stateOfLock(sight, nowUnixMs) === 'live')
  return new Set(live.flatMap(({ found }) => issueOfResource(found.lock.resource) ?? []))
}

/** Issues whose other assignees were all left behind by ended claims. */
async function freedIssues(
  view: View,
  ended: ReadonlyMap<IssueId, readonly Lock[]>,
  ownName: string | undefined,
): Promise<Set<IssueId>> {
  const states = await view.findStates([...ended.keys()])
  const freed = [...states].filter(
    ([issueId, state]) => assignedToOthers(state, ownName ?? null, ended.get(issueId) ?? []).length === 0,
  )
  return new Set(freed.map(([issueId]) => issueId))
}
