import { showRemote } from '../../git/index.ts'
import {
  AfterWriteError,
  ConflictError,
  formatUuid,
  GriteError,
  type IssueId,
  issueResource,
  lockTerms,
  planAcquire,
} from '../../model/index.ts'
import type { Draft } from '../draft.ts'
import { heldError } from '../locks/held-error.ts'
import { acquireLock, damagedError, findPresent, releaseLock, sightOf } from '../locks/hold.ts'
import { locksAgainst, readKnownLocks, type SeenLock } from '../locks/known-locks.ts'
import { recheckLocks, releaseOrWarn } from '../locks/recheck.ts'
import { fetchLocks, pushRefused, sharedPlace } from '../locks/shared-place.ts'
import type { ChosenRemote } from '../sync/remote-name.ts'
import { runSync } from '../sync/run-sync.ts'
import type { Workspace } from '../workspace.ts'
import type { Claimed } from './claim-locally.ts'
import { draftClaim, planClaim, readClaimTerms } from './claim-terms.ts'
import { isNoAtomic, moveShared, type SharedContext, type SharedTarget } from './move-shared.ts'
import { giveBackShared } from './unclaim-issue.ts'

export interface SharedClaimRequest {
  readonly context: SharedContext
  readonly repository: Workspace
  readonly remote: ChosenRemote
  readonly issueId: IssueId
  readonly ttlMs: number
  readonly renew: boolean
  /** Whether the caller has just synced with the remote. */
  readonly isFresh?: boolean
}

/**
 * Claims an issue for all clones.
 * @throws {ConflictError} naming the holder
 * @throws {RemoteError} when the remote is unreachable or refuses; nothing was claimed, unless the connection broke before
 * the answer of the remote arrived
 */
export async function claimOnRemote(request: SharedClaimRequest): Promise<Claimed> {
  try {
    if (!request.remote.isHome) return await claimInTurn(request)
    return await claimAtOnce(request).catch((error: unknown) => {
      if (isNoAtomic(error)) return claimInTurn(request)
      throw error
    })
  } catch (error) {
    if (error instanceof ConflictError && error.details.reason === 'assigned') await checkLease(request)
    throw error
  }
}

/**
 * A remote updates two refs atomically but still lists them one after the other: an assignee without a lease may be half
 * of a claim that was just made. @throws {ConflictError} naming the holder of the lease
 */
async function checkLease({ repository, remote, issueId }: SharedClaimRequest): Promise<void> {
  await fetchLocks(repository, remote.name)
  await readClaimTerms(repository, issueId, () => true)
}

/** Pushes log and lease together. */
async function claimAtOnce({ issueId, ttlMs, renew, ...request }: SharedClaimRequest): Promise<Claimed> {
  const { context, repository, remote } = request
  const resource = issueResource(issueId)
  const target: SharedTarget = { ...request, resource }
  const place = sharedPlace(repository, remote.name)
  // A push whose answer was lost may still have been accepted: then the remote has the lease of that push.
  const sent = new Set<string>()
  const decide = async (draft: Draft, sights: readonly SeenLock[]) => {
    const terms = await readClaimTerms(repository, issueId, (own) => renew || sent.has(own.nonce), sights)
    const { owner, assignee } = terms
    const present = findPresent(sights, place, resource)
    if (present?.lock === null) throw damagedError(resource, present)
    // Not later than the assignee event in the same push: this marks the assignee as added by the claim.
    const claim = await planClaim(repository, terms, draft.nowUnixMs)
    const nowUnixMs = context.clock.nowUnixMs()
    const nonce = formatUuid(context.random.bytes(16))
    const facts = { owner, resource, ttlMs, nonce, nowUnixMs, terms: lockTerms.lease, claim }
    const plan = planAcquire(present?.lock ?? null, facts)
    // The clock was set back in between.
    if (plan.outcome === 'held') throw await heldError(repository, resource, sightOf(sights, present))
    const isOwnPush = sent.has(plan.lock.nonce)
    sent.add(plan.lock.nonce)
    const drafted = await draftClaim(draft, terms, plan.lock)
    return {
      lock: plan.lock,
      result: { ...drafted, assignee, lock: plan.lock, outcome: isOwnPush ? 'acquired' : plan.outcome },
    }
  }
  const { head, result } = await moveShared(target, decide)
  const { outcome, ...rest } = result
  if (outcome !== 'renewed') await yieldToRival({ ...target, isFresh: false })
  return {
    issueId,
    ...rest,
    outcome: outcome === 'renewed' ? 'renewed' : 'claimed',
    head,
    remote: showRemote(remote.name),
  }
}

/** Overlapping locks are other refs, which the push did not compare: see `locks/hold.ts`. */
async function yieldToRival(target: SharedTarget): Promise<void> {
  const { repository, remote, resource, context } = target
  const sights = await recheckLocks(repository, resource, async () => {
    await fetchLocks(repository, remote.name)
    return readKnownLocks(repository)
  })
  if (sights === undefined) return
  const owner = (await repository.requireActor()).actor.id
  const nowUnixMs = context.clock.nowUnixMs()
  const [rival] = locksAgainst(sights, { resource, owner, nowUnixMs })
  if (rival === undefined) return
  await releaseOrWarn(repository, resource, () => giveBackShared({ ...target, givesWay: true }))
  throw await heldError(repository, resource, rival)
}

/**
 * Pushes the lease, then the log: for a remote without atomic pushes, and for one that is not the home of the log. After a
 * crash in between, the lease exists and its holder renews it.
 */
async function claimInTurn(request: SharedClaimRequest): Promise<Claimed> {
  const { context, repository, remote, issueId, ttlMs, renew } = request
  await runSync(context, repository, remote, { pull: true, push: false })
  const terms = await readClaimTerms(repository, issueId, () => renew)
  const { resource, assignee } = terms
  const claim = await planClaim(repository, terms)
  const place = sharedPlace(repository, remote.name)
  const { lock, outcome } = await acquireLock(repository, place, { resource, ttlMs, claim, isStep: true })
  // Another process of this actor acquired the lease after we checked.
  if (outcome === 'renewed') await readClaimTerms(repository, issueId, () => renew)
  const claimed = { issueId, assignee, lock, remote: showRemote(remote.name) }
  try {
    const { head, result } = await repository.write((draft) => draftClaim(draft, terms, lock))
    await pushOrWarn(context, repository, remote)
    return { ...claimed, ...result, head, outcome: outcome === 'renewed' ? 'renewed' : 'claimed' }
  } catch (error) {
    // Once the log has the assignee, the claim is valid: a later failure must not release the lease.
    const isWritten = error instanceof AfterWriteError
    if (outcome !== 'renewed' && !isWritten) await releaseLock(repository, place, resource).catch(() => {})
    throw error
  }
}

/** Pushes the log. A failure is a warning: the lease has decided, even if others do not see the assignee yet. */
async function pushOrWarn(context: SharedContext, repository: Workspace, remote: ChosenRemote): Promise<void> {
  const why = await sendLog(context, repository, remote)
  if (why === null) return
  const shown = showRemote(remote.name)
  const message = `you have claimed the issue, but '${shown}' does not show it yet: ${why}`
  context.warn({ code: 'claim-not-sent', message, details: { remote: shown } })
}

/** Returns null when the remote has the log, else the reason. */
async function sendLog(context: SharedContext, repository: Workspace, remote: ChosenRemote): Promise<string | null> {
  try {
    const { refused } = await runSync(context, repository, remote, { pull: true, push: true })
    return refused && pushRefused(remote.name, refused).message
  } catch (error) {
    if (!(error instanceof GriteError)) throw error
    return error.message
  }
}
