/** On what terms an issue may be claimed, and what a claim writes into the log. */
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
import { isReadable, type LockInSight, locksAgainst, locksInSight, stateInSight } from '../locks/known-locks.ts'
import type { Workspace } from '../workspace.ts'

/** Who claims, and what is known of the locks of the issue. */
export interface ClaimTerms {
  readonly issueId: IssueId
  readonly resource: string
  readonly owner: ActorId
  /** The name by which the claimant is an assignee. */
  readonly assignee: string
  /** Locks of the issue that are not live. */
  readonly ended: readonly Lock[]
}

/**
 * Looks who has an issue. Several processes may write as one actor, and of those that claim one issue only one shall get
 * it: so that what the actor has already is in the way as well, unless the caller knows of it.
 *
 * @param mayHave - whether the claimant may have this live claim of its own actor
 * @param sights - for a caller that has looked, and goes on from there
 * @throws {ConflictError} naming who holds the issue, or what excludes it
 */
export async function readClaimTerms(
  repository: Workspace,
  issueId: IssueId,
  mayHave: (own: Lock) => boolean,
  sights?: readonly LockInSight[],
): Promise<ClaimTerms> {
  const { actor } = await repository.requireActor()
  const resource = issueResource(issueId)
  const nowUnixMs = repository.facts.clock.nowUnixMs()
  const seen = sights ?? (await locksInSight(repository))
  const [against] = locksAgainst(seen, { resource, owner: actor.id, nowUnixMs })
  if (against !== undefined) throw await heldError(repository, resource, against)
  const own = seen.filter(isReadable).find((sight) => {
    const { lock } = sight.found
    const isClaim = lock.resource === resource && lock.owner === actor.id && lock.claim !== null
    return isClaim && stateInSight(sight, nowUnixMs) === 'live' && !mayHave(lock)
  })
  if (own !== undefined) throw await heldError(repository, resource, own, claimedByYou)
  const ended = endedLocksOf(seen, nowUnixMs).get(issueId) ?? []
  return { issueId, resource, owner: actor.id, assignee: (await findOwnName(repository)) ?? actor.id, ended }
}

const claimedByYou = {
  isOwn: true,
  hints: [
    'Another process that writes as you has it, or you do; `--renew` gives it more time, `grite issue unclaim` gives it back',
  ],
}

/** Locks of issues that are not live, by issue. */
export function endedLocksOf(sights: readonly LockInSight[], nowUnixMs: number): Map<IssueId, Lock[]> {
  const ended = new Map<IssueId, Lock[]>()
  for (const sight of sights.filter(isReadable)) {
    const issueId = issueOfResource(sight.found.lock.resource)
    if (issueId === null || stateInSight(sight, nowUnixMs) === 'live') continue
    ended.set(issueId, [...(ended.get(issueId) ?? []), sight.found.lock])
  }
  return ended
}

/**
 * The claim to put into the lease.
 *
 * @param nowUnixMs - when it begins; milliseconds, at most those of the events that come with it
 * @throws {ConflictError} when the issue is closed, or somebody else's
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
  /** Assignees that claims before had left behind. */
  readonly removed: readonly string[]
}

/**
 * Drafts the assignee of a claim, and the end of those that claims before it left behind. Nothing when all is so already.
 *
 * @param lock - the lease that the claimant has, or is about to have
 * @throws {ConflictError} when the issue was closed or given to somebody else meanwhile
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
      hints: ['`grite issue reopen` opens it again'],
    })
  }
  if (presentAssignees(state).includes(assignee)) return
  const others = assignedToOthers(state, assignee, ended)
  if (others.length === 0) return
  throw new ConflictError(`issue ${issueId} is assigned to ${others.map((user) => makeVisible(user)).join(', ')}`, {
    details: { reason: 'assigned', issue_id: issueId, holder: others[0], assignees: others },
    hints: ['`grite issue assignee remove` takes somebody off it who does not work on it any more'],
  })
}

export const claimTtlMsDefault = 3_600_000
