import {
  type EventId,
  type IssueId,
  isAssignedByClaim,
  issueResource,
  type Lock,
  planUnclaim,
} from '../../model/index.ts'
import type { Draft } from '../draft.ts'
import { removeAssignee } from '../issues/changes.ts'
import { heldError } from '../locks/held-error.ts'
import { findPresent, releaseLock } from '../locks/hold.ts'
import { locksAgainst, readKnownLocks, type SeenLock } from '../locks/known-locks.ts'
import { type LockPlace, localPlace } from '../locks/lock-place.ts'
import { pushRefused, sharedPlace } from '../locks/shared-place.ts'
import type { ChosenRemote } from '../sync/remote-name.ts'
import { runSync } from '../sync/run-sync.ts'
import type { Workspace } from '../workspace.ts'
import { isNoAtomic, moveShared, type SharedContext, type SharedTarget } from './move-shared.ts'

/** The result of releasing a claim. */
export interface Unclaimed {
  /** False when there was no claim to release. */
  readonly changed: boolean
  readonly lock: Lock | null
  readonly eventIds: readonly EventId[]
  readonly head: string | null
}

const nothing: Unclaimed = { changed: false, lock: null, eventIds: [], head: null }

/** Releases a local claim: writes the log first, so that nobody claims the issue before the log shows it as free. */
export async function unclaimLocally(repository: Workspace, issueId: IssueId): Promise<Unclaimed> {
  return repository.exclusively(() => giveBack(repository, localPlace(repository), issueId))
}

async function giveBack(repository: Workspace, place: LockPlace, issueId: IssueId): Promise<Unclaimed> {
  const resource = issueResource(issueId)
  const lock = await findOwnClaim(repository, { place, resource, sights: await readKnownLocks(repository) })
  if (lock === null) return nothing
  const { head, result } = await repository.write((draft) => draftUnclaim(draft, issueId, lock))
  await releaseLock(repository, place, resource, planUnclaim)
  return { changed: true, lock: planUnclaim(lock), eventIds: result, head }
}

interface OwnClaimRequest {
  readonly place: LockPlace
  readonly resource: string
  readonly sights: readonly SeenLock[]
}

/** @throws {ConflictError} when somebody else holds the issue */
async function findOwnClaim(repository: Workspace, { place, resource, sights }: OwnClaimRequest): Promise<Lock | null> {
  const owner = (await repository.requireActor()).actor.id
  const present = findPresent(sights, place, resource)?.lock ?? null
  if (present?.owner === owner && present.expiresUnixMs !== 0) return present
  const nowUnixMs = repository.facts.clock.nowUnixMs()
  const [against] = locksAgainst(sights, { resource, owner, nowUnixMs })
  if (against?.found.lock.resource === resource) throw await heldError(repository, resource, against)
  return null
}

/** Drafts the removal of the assignee that the claim added. */
async function draftUnclaim(draft: Draft, issueId: IssueId, lock: Lock): Promise<EventId[]> {
  const state = await draft.findIssue(issueId)
  if (state === undefined || lock.claim === null || !isAssignedByClaim(state, lock)) return []
  return removeAssignee(draft, issueId, lock.claim.assignee)
}

export interface SharedUnclaimRequest {
  readonly context: SharedContext
  readonly repository: Workspace
  readonly remote: ChosenRemote
  readonly issueId: IssueId
}

/** Releases a claim on a remote. @throws {ConflictError} when somebody else holds the issue */
export async function unclaimOnRemote({
  context,
  repository,
  remote,
  issueId,
}: SharedUnclaimRequest): Promise<Unclaimed> {
  if (!remote.isHome) return giveBackInTurn({ context, repository, remote, issueId })
  try {
    return await giveBackShared({ context, repository, remote, resource: issueResource(issueId) })
  } catch (error) {
    if (isNoAtomic(error)) return giveBackInTurn({ context, repository, remote, issueId })
    throw error
  }
}

/** Pushes log and lease together. */
export async function giveBackShared(target: SharedTarget): Promise<Unclaimed> {
  const { repository, remote, resource } = target
  const place = sharedPlace(repository, remote.name)
  const issueId = resource.slice('issue:'.length) as IssueId
  const { head, result } = await moveShared(target, async (draft, sights) => {
    const lock = await findOwnClaim(repository, { place, resource, sights })
    if (lock === null) return { lock: null, result: nothing }
    const eventIds = await draftUnclaim(draft, issueId, lock)
    const released = planUnclaim(lock)
    return { lock: released, result: { ...nothing, changed: true, lock: released, eventIds } }
  })
  return { ...result, head }
}

const notFreed = [
  'A hook or a rule of the host refused the push; some hosts accept only branches and tags',
  'You keep the claim until the log can be pushed; then run the command again',
]

/** Pushes the log before it releases the lease. */
async function giveBackInTurn({ context, repository, remote, issueId }: SharedUnclaimRequest): Promise<Unclaimed> {
  const place = sharedPlace(repository, remote.name)
  const resource = issueResource(issueId)
  const lock = await findOwnClaim(repository, { place, resource, sights: await readKnownLocks(repository) })
  if (lock === null) return nothing
  const { head, result } = await repository.write((draft) => draftUnclaim(draft, issueId, lock))
  await repository.checkRepositoryLocks()
  const { refused } = await runSync(context, repository, remote, { pull: true, push: true })
  if (refused !== null) throw pushRefused(remote.name, refused, notFreed)
  await releaseLock(repository, place, resource, planUnclaim)
  return { changed: true, lock: planUnclaim(lock), eventIds: result, head }
}
