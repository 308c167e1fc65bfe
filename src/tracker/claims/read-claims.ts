import { type IssueId, issueOfResource } from '../../model/index.ts'
import { actorNames } from '../identity/actor-names.ts'
import { isReadable, locksInSight, type ReadableLock, stateInSight } from '../locks/known-locks.ts'
import type { Workspace } from '../workspace.ts'

/** Who works on an issue now, as answers show it. */
export interface ShownClaim {
  /** Name of the holder; the actor id of one without a name. */
  readonly holder: string
  /** Milliseconds. */
  readonly until: number
  /** `remote`: among all clones, as of the last fetch. */
  readonly level: 'local' | 'remote'
}

/** Live locks on issues, by issue: what makes an issue taken. Where no lock is in sight this is one look at refs. */
export async function readClaims(repository: Workspace): Promise<ReadonlyMap<IssueId, ShownClaim>> {
  const locks = await claimsInSight(repository)
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

/** The issues that somebody works on now. */
export async function readClaimedIds(repository: Workspace): Promise<ReadonlySet<IssueId>> {
  return new Set((await claimsInSight(repository)).keys())
}

async function claimsInSight(repository: Workspace): Promise<ReadonlyMap<IssueId, ReadableLock>> {
  const nowUnixMs = repository.facts.clock.nowUnixMs()
  const locks = new Map<IssueId, ReadableLock>()
  for (const sight of (await locksInSight(repository)).filter(isReadable)) {
    const issueId = issueOfResource(sight.found.lock.resource)
    if (issueId === null || stateInSight(sight, nowUnixMs) !== 'live') continue
    const other = locks.get(issueId)
    if (other === undefined || rankOf(sight) > rankOf(other)) locks.set(issueId, sight)
  }
  return locks
}

/** A claim tells more than a lock on an issue, and a lease beats a claim of this clone. */
function rankOf({ kind, level, found }: ReadableLock): number {
  return (found.lock.claim === null ? 0 : 4) + (kind === 'lease' ? 2 : 0) + (level === 'remote' ? 1 : 0)
}
