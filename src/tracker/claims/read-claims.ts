import { type IssueId, issueOfResource } from '../../model/index.ts'
import { actorNames } from '../identity/actor-names.ts'
import { isReadable, type ReadableLock, readKnownLocks, stateOfLock } from '../locks/known-locks.ts'
import type { Workspace } from '../workspace.ts'

/** The current claim of an issue, in the form that commands return. */
export interface ShownClaim {
  /** Name of the holder, or the actor id if it has no name. */
  readonly holder: string
  /** Milliseconds. */
  readonly until: number
  /** `remote`: visible to all clones, as of the last fetch. */
  readonly level: 'local' | 'remote'
}

/** Live locks on issues, by issue. Without any locks, this costs one listing of refs. */
export async function readClaims(repository: Workspace): Promise<ReadonlyMap<IssueId, ShownClaim>> {
  const locks = await seenClaims(repository)
  if (locks.size === 0) return new Map()
  const owners = [...locks.values()].map(({ found }) => found.lock.owner)
  const names = await actorNames(repository, await repository.view(), owners)
  const shown = new Map<IssueId, ShownClaim>()
  for (const [issueId, { level, found }] of locks) {
    const { owner, claim, expiresUnixMs } = found.lock
    shown.set(issueId, { holder: names.get(owner) ?? claim?.assignee ?? owner, until: expiresUnixMs, level })
  }
  return shown
}

/** The issues with a live claim. */
export async function readClaimedIds(repository: Workspace): Promise<ReadonlySet<IssueId>> {
  return new Set((await seenClaims(repository)).keys())
}

async function seenClaims(repository: Workspace): Promise<ReadonlyMap<IssueId, ReadableLock>> {
  const locks = new Map<IssueId, ReadableLock>()
  const sights = (await readKnownLocks(repository)).filter(isReadable)
  // Without locks the time does not count, and the answer may be kept.
  if (sights.length === 0) return locks
  const nowUnixMs = repository.facts.clock.nowUnixMs()
  for (const sight of sights) {
    const issueId = issueOfResource(sight.found.lock.resource)
    if (issueId === null || stateOfLock(sight, nowUnixMs) !== 'live') continue
    const other = locks.get(issueId)
    if (other === undefined || rankOf(sight) > rankOf(other)) locks.set(issueId, sight)
  }
  return locks
}

/** Prefers a claim to a plain lock, and a lease to a claim of this clone. */
function rankOf({ kind, level, found }: ReadableLock): number {
  return (found.lock.claim === null ? 0 : 4) + (kind === 'lease' ? 2 : 0) + (level === 'remote' ? 1 : 0)
}
