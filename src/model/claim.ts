/**
 * Claims: an assignee in the log and a lease on `issue:<id>` together. The lease decides who works on an issue; the
 * assignee tells everybody. What follows from both about one issue is stated here.
 */
import { compareVersions, type Event, type Version } from './event.ts'
import type { EventBodyOf } from './event-kinds.ts'
import type { ActorId } from './ids.ts'
import { type Claim, claimEventsMax, type Lock } from './lock.ts'
import { type IssueState, isPresent } from './projection.ts'

/** One assignee that is there now, by the event that put it there. */
interface Assignment {
  readonly user: string
  readonly added: Version
}

function assignmentsOf(state: IssueState): Assignment[] {
  return [...state.assignees].flatMap(([user, versions]) =>
    versions.added !== null && isPresent(versions) ? [{ user, added: versions.added }] : [],
  )
}

/** Whether an assignment came from the claim that a lock holds: its own, or one that it was to clear away. */
function isOfClaim({ user, added }: Assignment, { owner, claim }: Lock): boolean {
  if (claim === null) return false
  const isItsOwn = user === claim.assignee && added.actor === owner && added.tsUnixMs >= claim.sinceUnixMs
  return isItsOwn || claim.stale.includes(added.eventId)
}

/** @param ended - the locks of this issue that are not live */
function isLeftBehind(assignment: Assignment, ended: readonly Lock[]): boolean {
  return ended.some((lock) => isOfClaim(assignment, lock))
}

/** Assignees, other than one, that no ended claim explains: somebody works on it, or was told to. */
export function assignedToOthers(state: IssueState, self: string | null, ended: readonly Lock[]): string[] {
  return assignmentsOf(state)
    .filter((assignment) => assignment.user !== self && !isLeftBehind(assignment, ended))
    .map(({ user }) => user)
}

/** Whether claims that ended have left an assignee behind. */
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

/** The claim of somebody who takes an issue in this state. */
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

/** Assignees that a claim has to take away: those of its `stale` that are still there. */
export function staleAssignees(state: IssueState, claim: Claim): string[] {
  return assignmentsOf(state)
    .filter(({ added }) => claim.stale.includes(added.eventId))
    .map(({ user }) => user)
}

/** Whether the assignee of a claim is there because the claim put it there, so that giving it back takes it away. */
export function isAssignedByClaim(state: IssueState, lock: Lock): boolean {
  return assignmentsOf(state).some(
    (assignment) => assignment.user === lock.claim?.assignee && isOfClaim(assignment, lock),
  )
}

/** An assignment that was there first. */
export interface EarlierAssignment {
  readonly user: string
  readonly actor: ActorId
  readonly tsUnixMs: number
}

/**
 * The assignment by somebody else that beats a claim of which only its own clone knew: neither had seen the other, and
 * its version is the smaller one. Null when the claim stands. Both sides come to the same answer, from the log alone.
 *
 * @param events - all of the issue
 * @param lock - the claim's; one that never reached the log loses to whatever arrived
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

/** In the order of versions. */
function assigneeAdds(events: readonly Event[]): AssigneeAdd[] {
  return events.filter((event): event is AssigneeAdd => event.body.type === 'AssigneeAdded').sort(compareVersions)
}

function isStanding(add: AssigneeAdd, events: readonly Event[]): boolean {
  return !events.some(
    (event) =>
      event.body.type === 'AssigneeRemoved' && event.body.user === add.body.user && compareVersions(event, add) > 0,
  )
}
