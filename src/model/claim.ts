/**
 * Claims: an assignee in the log plus a lease on `issue:<id>`. The lease decides who works on an issue; the assignee
 * shows it to everyone. This file holds the rules that combine both for one issue.
 */
import { compareVersions, type Event, type Version } from './event.ts'
import type { EventBodyOf } from './event-kinds.ts'
import type { ActorId } from './ids.ts'
import { type Claim, claimEventsMax, type Lock } from './lock.ts'
import { type IssueState, isPresent } from './projection.ts'

/** A present assignee with the event that added it. */
interface Assignment {
  readonly user: string
  readonly added: Version
}

function assignmentsOf(state: IssueState): Assignment[] {
  return [...state.assignees].flatMap(([user, versions]) =>
    versions.added !== null && isPresent(versions) ? [{ user, added: versions.added }] : [],
  )
}

/**
 * Whether an assignment belongs to the claim in a lock: it is the claim's own, or stale and for the claim to remove.
 */
function isOfClaim({ user, added }: Assignment, { owner, claim }: Lock): boolean {
  if (claim === null) return false
  const isItsOwn = user === claim.assignee && added.actor === owner && added.tsUnixMs >= claim.sinceUnixMs
  return isItsOwn || claim.stale.includes(added.eventId)
}

/** @param ended - the locks of this issue that are not live */
function isLeftBehind(assignment: Assignment, ended: readonly Lock[]): boolean {
  return ended.some((lock) => isOfClaim(assignment, lock))
}

/** Assignees other than `self` that no ended claim explains: people who work on the issue or were assigned to it. */
export function assignedToOthers(state: IssueState, self: string | null, ended: readonly Lock[]): string[] {
  return assignmentsOf(state)
    .filter((assignment) => assignment.user !== self && !isLeftBehind(assignment, ended))
    .map(({ user }) => user)
}

/** Whether ended claims left an assignee behind. */
export function hasLeftBehind(state: IssueState, ended: readonly Lock[]): boolean {
  return assignmentsOf(state).some((assignment) => isLeftBehind(assignment, ended))
}

export interface NewClaim {
  readonly owner: ActorId
  readonly assignee: string
  readonly nowUnixMs: number
  /** The locks of this issue that are not live. */
  readonly ended: readonly Lock[]
  /** All events of the issue. */
  readonly events: readonly Event[]
}

/** The claim of an actor who takes an issue in this state. */
export function newClaim(state: IssueState, { owner, assignee, nowUnixMs, ended, events }: NewClaim): Claim {
  const stale = assignmentsOf(state)
    .filter((assignment) => assignment.user !== assignee && isLeftBehind(assignment, ended))
    .map(({ added }) => added.eventId)
  const beside = assigneeAdds(events)
    .filter(({ actor, eventId }) => actor !== owner && !stale.includes(eventId))
    .map(({ eventId }) => eventId)
  return {
    assignee,
    sinceUnixMs: nowUnixMs,
    beside: beside.slice(-claimEventsMax),
    stale: stale.slice(-claimEventsMax),
  }
}

/** Assignees that a claim must remove: those in its `stale` list that are still present. */
export function staleAssignees(state: IssueState, claim: Claim): string[] {
  return assignmentsOf(state)
    .filter(({ added }) => claim.stale.includes(added.eventId))
    .map(({ user }) => user)
}

/** Whether the claim itself added its assignee, so that releasing the claim removes it. */
export function isAssignedByClaim(state: IssueState, lock: Lock): boolean {
  return assignmentsOf(state).some(
    (assignment) => assignment.user === lock.claim?.assignee && isOfClaim(assignment, lock),
  )
}

/** An assignment that came first. */
export interface EarlierAssignment {
  readonly user: string
  readonly actor: ActorId
  readonly tsUnixMs: number
}

/**
 * Finds the assignment by another actor that beats a claim known only to its own clone: neither clone had seen the
 * other, and the assignment has the smaller version. Null when the claim wins. Both sides reach the same answer from
 * the log alone.
 *
 * @param events - all events of the issue
 * @param lock - the claim's; a claim that never reached the log loses to any assignment that arrived
 */
export function findEarlierAssignment(events: readonly Event[], { owner, claim }: Lock): EarlierAssignment | null {
  if (claim === null) return null
  const adds = assigneeAdds(events).filter((add) => isStanding(add, events))
  const isKnown = ({ eventId }: AssigneeAdd) => claim.beside.includes(eventId) || claim.stale.includes(eventId)
  const own = adds.find((add) => add.body.user === claim.assignee && (add.actor === owner || isKnown(add)))
  const rival = adds.find((add) => add.actor !== owner && !isKnown(add))
  if (rival === undefined || (own !== undefined && compareVersions(own, rival) < 0)) return null
  return { user: rival.body.user, actor: rival.actor, tsUnixMs: rival.tsUnixMs }
}

type AssigneeAdd = Event & { readonly body: EventBodyOf<'AssigneeAdded'> }

/** In version order. */
function assigneeAdds(events: readonly Event[]): AssigneeAdd[] {
  return events.filter((event): event is AssigneeAdd => event.body.type === 'AssigneeAdded').sort(compareVersions)
}

function isStanding(add: AssigneeAdd, events: readonly Event[]): boolean {
  return !events.some(
    (event) =>
      event.body.type === 'AssigneeRemoved' && event.body.user === add.body.user && compareVersions(event, add) > 0,
  )
}
