/**
 * Updates the current actor's claims after a sync: local claims may have lost to somebody else, and leases on the remote
 * may have to be renewed or released.
 */

import {
  type ActorId,
  ConflictError,
  currentState,
  currentTitle,
  encodeNamePart,
  findEarlierAssignment,
  GriteError,
  type IssueId,
  type IssueState,
  isAssignedByClaim,
  isRenewalDue,
  issueOfResource,
  type Lock,
  makeVisible,
  planUnclaim,
  sharedTtlMsMax,
} from '../../model/index.ts'
import { shortIdLength } from '../../view/index.ts'
import { trackingRef, walRef } from '../../wal/index.ts'
import { removeAssignee } from '../issues/changes.ts'
import { formatExpiry } from '../locks/held-error.ts'
import { acquireLock, releaseLock, renewLock } from '../locks/hold.ts'
import { isReadable, type ReadableLock, readKnownLocks, type SeenLock, stateOfLock } from '../locks/known-locks.ts'
import { localPlace } from '../locks/lock-place.ts'
import { sharedPlace } from '../locks/shared-place.ts'
import type { SyncDirections } from '../sync/run-sync.ts'
import type { Workspace } from '../workspace.ts'

export interface SettledClaims {
  /** Issues whose claim was lost to somebody else. */
  readonly lost: readonly IssueId[]
  /** Renewed leases on the remote. */
  readonly renewed: readonly IssueId[]
  /** Leases on the remote that were released because the issue is closed and the remote has that event. */
  readonly released: readonly IssueId[]
  /** Local claims that are now leases on the remote. */
  readonly shared: readonly IssueId[]
}

/**
 * Settles the current actor's claims after a sync. A step that fails is left to the next sync, with a warning.
 *
 * @param remote - the remote of that sync
 * @param directions - of that sync: without a push, steps that need one are left to the next sync with a push
 */
export async function settleClaims(
  repository: Workspace,
  remote: string,
  { push }: Pick<SyncDirections, 'push'>,
): Promise<SettledClaims> {
  const done = { lost: [] as IssueId[], renewed: [] as IssueId[], released: [] as IssueId[], shared: [] as IssueId[] }
  const owner = (await repository.findActor())?.actor.id
  if (owner === undefined) return done
  const sights = await readKnownLocks(repository)
  const nowUnixMs = repository.facts.clock.nowUnixMs()
  const claims = findOwnClaims(sights, owner, nowUnixMs)
  const note = (issueId: IssueId, outcome: keyof SettledClaims | null): void => {
    if (outcome !== null) done[outcome].push(issueId)
  }
  const areShared = push && (await repository.config()).lease.remote === remote
  for (const claim of claims.filter(({ sight }) => sight.level === 'local')) {
    await attempt(repository, claim, async () => {
      if (await giveUpLost(repository, claim, sights)) note(claim.issueId, 'lost')
      else if (areShared) note(claim.issueId, await share(repository, remote, claim))
    })
  }
  const shared = push ? claims.filter(({ sight }) => sight.remotePart === encodeNamePart(remote)) : []
  for (const claim of shared) {
    await attempt(repository, claim, async () => note(claim.issueId, await renewOrRelease(repository, remote, claim)))
  }
  return done
}

/** Turns a failure into a warning, so that the other claims are still settled. */
async function attempt({ facts }: Workspace, { issueId }: OwnClaim, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (!(error instanceof GriteError)) throw error
    const message = `could not update the claim on ${issueId}: ${error.message}; the next sync retries`
    facts.warn({ code: 'claim-unsettled', message, details: { issue_id: issueId } })
  }
}

interface OwnClaim {
  readonly issueId: IssueId
  readonly sight: ReadableLock
  readonly lock: Lock
}

function findOwnClaims(sights: readonly SeenLock[], owner: ActorId, nowUnixMs: number): OwnClaim[] {
  return sights.filter(isReadable).flatMap((sight) => {
    const { lock } = sight.found
    const issueId = issueOfResource(lock.resource)
    // We cannot move locks that the Rust tool pushed to a remote.
    const isOurs = sight.level === 'local' || sight.kind === 'lease'
    const isLive = lock.owner === owner && stateOfLock(sight, nowUnixMs) === 'live'
    return isOurs && isLive && lock.claim !== null && issueId !== null ? [{ issueId, sight, lock }] : []
  })
}

/** Gives up a claim that was lost to somebody else, with a warning. True when it was given up. */
async function giveUpLost(repository: Workspace, claim: OwnClaim, sights: readonly SeenLock[]): Promise<boolean> {
  const { issueId, lock } = claim
  const view = await repository.view()
  const state = await view.findIssue(issueId)
  if (state === undefined) return false
  const winner =
    findLeaseOfOther(repository, claim, sights) ?? findEarlierAssignment(await view.eventsOf(issueId), lock)
  if (winner === null) return false
  await tellLost(repository, { issueId, state, winner })
  // The winner may have the same name.
  if (winner.user !== lock.claim?.assignee && isAssignedByClaim(state, lock)) {
    const { assignee } = lock.claim as NonNullable<Lock['claim']>
    await repository.write((draft) => removeAssignee(draft, issueId, assignee), { givesWay: true })
  }
  await releaseLock(repository, localPlace(repository), lock.resource, planUnclaim)
  return true
}

/** The actor that won the issue. */
interface Winner {
  readonly user: string
  readonly actor: string
  readonly expiresUnixMs?: number
}

function findLeaseOfOther(repository: Workspace, { lock }: OwnClaim, sights: readonly SeenLock[]): Winner | null {
  const nowUnixMs = repository.facts.clock.nowUnixMs()
  const other = sights
    .filter(isReadable)
    .find(
      (sight) =>
        sight.kind === 'lease' &&
        sight.found.lock.resource === lock.resource &&
        sight.found.lock.owner !== lock.owner &&
        stateOfLock(sight, nowUnixMs) === 'live',
    )
  if (other === undefined) return null
  const { owner, claim, expiresUnixMs } = other.found.lock
  return { user: claim?.assignee ?? owner, actor: owner, expiresUnixMs }
}

interface Loss {
  readonly issueId: IssueId
  readonly state: IssueState
  readonly winner: Winner
}

async function tellLost(repository: Workspace, { issueId, state, winner }: Loss): Promise<void> {
  const shortIds = await (await repository.view()).shortIds([issueId], shortIdLength)
  const name = `${shortIds.get(issueId) ?? issueId} '${makeVisible(currentTitle(state))}'`
  const { user, actor, expiresUnixMs } = winner
  const who = makeVisible(user)
  const why =
    expiresUnixMs === undefined ? `${who} claimed it first` : `${who} holds it until ${formatExpiry(expiresUnixMs)}`
  repository.facts.warn({
    code: 'claim-lost',
    message: `lost the claim on issue ${name}: ${why}`,
    details: { issue_id: issueId, holder: user, owner: actor, expires_unix_ms: expiresUnixMs },
  })
}

/** Turns a local claim into a lease on the remote, with the original start of the claim. */
async function share(repository: Workspace, remote: string, claim: OwnClaim): Promise<'shared' | 'lost'> {
  const { lock } = claim
  const leftMs = lock.expiresUnixMs - repository.facts.clock.nowUnixMs()
  const ttlMs = Math.min(Math.max(leftMs, lock.ttlMs ?? 0), sharedTtlMsMax)
  const claimed = lock.claim === null ? {} : { claim: lock.claim }
  const request = { resource: lock.resource, ttlMs, isStep: true, ...claimed }
  try {
    await acquireLock(repository, sharedPlace(repository, remote), request)
  } catch (error) {
    if (!(error instanceof ConflictError && error.details.reason === 'held')) throw error
    if (await giveUpLost(repository, claim, await readKnownLocks(repository))) return 'lost'
    throw error
  }
  await releaseLock(repository, localPlace(repository), lock.resource, planUnclaim)
  return 'shared'
}

/** Renews a lease on the remote, or releases it when the issue is closed and the remote has that event. */
async function renewOrRelease(
  repository: Workspace,
  remote: string,
  { issueId, lock }: OwnClaim,
): Promise<'renewed' | 'released' | null> {
  const { resource, ttlMs } = lock
  const place = sharedPlace(repository, remote)
  const state = await (await repository.view()).findIssue(issueId)
  if (state !== undefined && currentState(state) === 'closed') {
    if (!(await isAllSent(repository, remote))) return null
    await releaseLock(repository, place, resource)
    return 'released'
  }
  if (ttlMs === null || !isRenewalDue(lock, repository.facts.clock.nowUnixMs())) return null
  await renewLock(repository, place, { resource, ttlMs })
  return 'renewed'
}

/** Whether the remote has the complete local log. */
export async function isAllSent({ git }: Workspace, remote: string): Promise<boolean> {
  const [local, theirs] = [await git.readRef(walRef), await git.readRef(trackingRef(remote, walRef))]
  return local !== null && theirs !== null && (await git.isAncestor(local, theirs))
}
