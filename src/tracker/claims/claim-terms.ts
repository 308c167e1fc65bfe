/** Rules that decide whether an issue may be claimed, and the events of a claim. */
import {
  type ActorId,
  assignedToOthers,
  type Claim,
  ConflictError,
  currentState,
  type EventId,
  type IssueId,
  type IssueState,
  issueOfResource,
  issueResource,
  type Lock,
  makeVisible,
  newClaim,
  presentAssignees,
  staleAssignees,
} from '../../model/index.ts'
import type { Draft } from '../draft.ts'
import { findOwnName } from '../identity/own-name.ts'
import { addAssignee, removeAssignee } from '../issues/changes.ts'
import { heldError } from '../locks/held-error.ts'
import { isReadable, locksAgainst, readKnownLocks, type SeenLock, stateOfLock } from '../locks/known-locks.ts'
import type { Workspace } from '../workspace.ts'

/** The claimant and the known locks of the issue. */
export interface ClaimTerms {
  readonly issueId: IssueId
  readonly resource: string
  readonly owner: ActorId
  /** The name of the claimant as an assignee. */
  readonly assignee: string
  /** Locks of the issue that are not live. */
  readonly ended: readonly Lock[]
}

/**
 * Checks that an issue can be claimed. Several processes may write as one actor, and only one of them may claim an issue,
 * so a live claim of the same actor is a conflict too, unless the caller accepts it.
 *
 * @param mayHave - whether a live claim of the same actor is accepted
 * @param sights - locks, for a caller that has already read them
 * @throws {ConflictError} naming the holder of the issue, or the lock that blocks it
 */
export async function readClaimTerms(
  repository: Workspace,
  issueId: IssueId,
  mayHave: (own: Lock) => boolean,
  sights?: readonly SeenLock[],
): Promise<ClaimTerms> {
  const { actor } = await repository.requireActor()
  const resource = issueResource(issueId)
  const nowUnixMs = repository.facts.clock.nowUnixMs()
  const seen = sights ?? (await readKnownLocks(repository))
  const [against] = locksAgainst(seen, { resource, owner: actor.id, nowUnixMs })
  if (against !== undefined) throw await heldError(repository, resource, against)
  const own = seen.filter(isReadable).find((sight) => {
    const { lock } = sight.found
    const isClaim = lock.resource === resource && lock.owner === actor.id && lock.claim !== null
    return isClaim && stateOfLock(sight, nowUnixMs) === 'live' && !mayHave(lock)
  })
  if (own !== undefined) throw await heldError(repository, resource, own, claimedByYou)
  const ended = endedLocksOf(seen, nowUnixMs).get(issueId) ?? []
  return { issueId, resource, owner: actor.id, assignee: (await findOwnName(repository)) ?? actor.id, ended }
}

const claimedByYou = {
  isOwn: true,
  hints: [
    'You or another process with your identity has it; use `--renew` to extend the claim, or `grite issue unclaim` to release it',
  ],
}

/** Locks of issues that are not live, by issue. */
export function endedLocksOf(sights: readonly SeenLock[], nowUnixMs: number): Map<IssueId, Lock[]> {
  const ended = new Map<IssueId, Lock[]>()
  for (const sight of sights.filter(isReadable)) {
    const issueId = issueOfResource(sight.found.lock.resource)
    if (issueId === null || stateOfLock(sight, nowUnixMs) === 'live') continue
    ended.set(issueId, [...(ended.get(issueId) ?? []), sight.found.lock])
  }
  return ended
}

/**
 * Builds the claim to store in the lease.
 *
 * @param nowUnixMs - start of the claim in milliseconds; not later than the events written with it
 * @throws {ConflictError} when the issue is closed or assigned to somebody else
 */
export async function planClaim(
  repository: Workspace,
  terms: ClaimTerms,
  nowUnixMs = repository.facts.clock.nowUnixMs(),
): Promise<Claim> {
  const { issueId, owner, assignee, ended } = terms
  const view = await repository.view()
  const state = (await view.findIssue(issueId)) as IssueState
  requireClaimable(state, terms)
  const events = await view.eventsOf(issueId)
  return newClaim(state, { owner, assignee, ended, events, nowUnixMs })
}

export interface DraftedClaim {
  readonly eventIds: readonly EventId[]
  /** Assignees left behind by earlier claims. */
  readonly removed: readonly string[]
}

/**
 * Drafts the assignee of a claim, and removes assignees left behind by earlier claims. Drafts nothing when neither is needed.
 *
 * @param lock - the lease that the claimant holds or is about to acquire
 * @throws {ConflictError} when the issue has been closed or assigned to somebody else in the meantime
 */
export async function draftClaim(draft: Draft, terms: ClaimTerms, lock: Lock): Promise<DraftedClaim> {
  const { issueId, assignee, ended } = terms
  const state = await draft.requireIssue(issueId)
  requireClaimable(state, { ...terms, ended: [...ended, lock] })
  const removed = lock.claim === null ? [] : staleAssignees(state, lock.claim)
  const eventIds: EventId[] = []
  for (const user of removed) eventIds.push(...(await removeAssignee(draft, issueId, user)))
  eventIds.push(...(await addAssignee(draft, issueId, assignee)))
  return { eventIds, removed }
}

function requireClaimable(state: IssueState, { issueId, assignee, ended }: ClaimTerms): void {
  if (currentState(state) === 'closed') {
    throw new ConflictError(`issue ${issueId} is closed`, {
      details: { reason: 'closed', issue_id: issueId },
      hints: ['Use `grite issue reopen` to reopen it'],
    })
  }
  if (presentAssignees(state).includes(assignee)) return
  const others = assignedToOthers(state, assignee, ended)
  if (others.length === 0) return
  throw new ConflictError(`issue ${issueId} is assigned to ${others.map((user) => makeVisible(user)).join(', ')}`, {
    details: { reason: 'assigned', issue_id: issueId, holder: others[0], assignees: others },
    hints: ['If nobody is working on it, unassign them with `grite issue assignee remove`'],
  })
}

export const claimTtlMsDefault = 3_600_000
