/**
 * A lock: who holds what, until when (docs/format.md#locks). It is the file `lock.json` of the newest commit on its ref;
 * what follows from it is stated here, on values alone.
 *
 * Invariants
 * - The fence of a chain of commits never shrinks, and grows by one with each new holder.
 * - Renewing keeps holder, nonce and fence.
 */
import { parseForeignJson } from './foreign/parse-json.ts'
import { Mismatch, type Shape, shape, type ValueOf } from './foreign/shapes.ts'
import type { ActorId, EventId } from './ids.ts'
import { limits } from './limits.ts'

export interface Lock {
  /** Actor id of the holder, as found. */
  readonly owner: string
  /** New for each acquisition. */
  readonly nonce: string
  /** 0 when it was released. */
  readonly expiresUnixMs: number
  readonly resource: string
  /** For how long it was taken or renewed; null where the writer did not say. */
  readonly ttlMs: number | null
  /** Grows with each holder; null where the writer counts none. */
  readonly fence: number | null
  /** Set where the lock is the lease of a claim. */
  readonly claim: Claim | null
}

/** What a claim did to the assignees of its issue, so that the traces of one that ended can be told from other assignments. */
export interface Claim {
  readonly assignee: string
  /** When this holder claimed; not moved by renewing. Milliseconds. */
  readonly sinceUnixMs: number
  /** Assignments of others that stood there and stay, by their events. */
  readonly beside: readonly EventId[]
  /** Assignments that claims before this one left behind, by their events: this claim takes them away. */
  readonly stale: readonly EventId[]
}

/** How much longer than its time a lock of another machine is honoured: clocks differ. Milliseconds. */
export const clockAllowanceMs = 30_000
/** Leases that clones share last no longer, so that one which does shows a wrong clock. Milliseconds. */
export const sharedTtlMsMax = 86_400_000
/** Ten years: locks of the Rust tool that are meant to stay have been seen to last that long. */
export const localTtlMsMax = 3650 * 86_400_000

/** By what rule the time of a lock is read. */
export interface LockTerms {
  /** How much longer than its time it is honoured. Milliseconds. */
  readonly allowanceMs: number
  /** For how long it can be taken. One that lasts longer was written by a wrong clock, and excludes nobody. Milliseconds. */
  readonly ttlMsMax: number
}

export const lockTerms = {
  /** A lock of this clone. */
  local: { allowanceMs: 0, ttlMsMax: localTtlMsMax },
  /** A lock of another clone, which the Rust tool put on a remote. */
  remoteLock: { allowanceMs: clockAllowanceMs, ttlMsMax: localTtlMsMax },
  /** A lease that clones share. */
  lease: { allowanceMs: clockAllowanceMs, ttlMsMax: sharedTtlMsMax },
} as const satisfies Record<string, LockTerms>

export type LockState = 'live' | 'expired' | 'released'

export function lockStateAt(lock: Lock, nowUnixMs: number, terms: LockTerms): LockState {
  if (lock.expiresUnixMs === 0) return 'released'
  if (nowUnixMs >= lock.expiresUnixMs + terms.allowanceMs || endsTooLate(lock, nowUnixMs, terms)) return 'expired'
  return 'live'
}

function endsTooLate({ expiresUnixMs }: Lock, nowUnixMs: number, { ttlMsMax }: LockTerms): boolean {
  return expiresUnixMs - nowUnixMs > ttlMsMax + clockAllowanceMs
}

/** What is strange about the times of a lock; null when nothing is. */
export function describeWrongClock(
  lock: Lock,
  { committedAtUnixMs, nowUnixMs, terms }: WrongClockFacts,
): string | null {
  if (lock.expiresUnixMs === 0) return null
  if (lock.expiresUnixMs < committedAtUnixMs) return 'it ended before it was written'
  if (!endsTooLate(lock, nowUnixMs, terms)) return null
  const length = terms.ttlMsMax === sharedTtlMsMax ? 'a day' : 'ten years'
  return `it ends more than ${length} from now, so it excludes nobody`
}

export interface WrongClockFacts {
  /** Whole seconds, as git keeps them, in milliseconds. */
  readonly committedAtUnixMs: number
  readonly nowUnixMs: number
  readonly terms: LockTerms
}

export interface LockRequest {
  readonly owner: ActorId
  readonly resource: string
  readonly ttlMs: number
  /** Used when a new holder takes it. */
  readonly nonce: string
  readonly nowUnixMs: number
  readonly terms: LockTerms
  readonly claim?: Claim
}

export type AcquirePlan =
  | { readonly outcome: 'acquired' | 'renewed' | 'taken-over'; readonly lock: Lock }
  | { readonly outcome: 'held'; readonly by: Lock }

/** What acquiring makes of the present lock of a ref; of another's live one nothing. The present holder renews. */
export function planAcquire(current: Lock | null, request: LockRequest): AcquirePlan {
  const { owner, resource, ttlMs, nonce, nowUnixMs, terms } = request
  const expiresUnixMs = nowUnixMs + ttlMs
  const isOwn = current?.owner === owner
  const state =
    current === null ? 'released' : lockStateAt(current, nowUnixMs, isOwn ? { ...terms, allowanceMs: 0 } : terms)
  if (current !== null && state === 'live') {
    if (!isOwn) return { outcome: 'held', by: current }
    // Never shorter: a lock of five minutes within a claim of an hour must not end the claim.
    const later = Math.max(expiresUnixMs, current.expiresUnixMs)
    const renewed = { ...current, expiresUnixMs: later, ttlMs: later === expiresUnixMs ? ttlMs : current.ttlMs }
    return { outcome: 'renewed', lock: { ...renewed, claim: current.claim ?? request.claim ?? null } }
  }
  const fence = nextFence(current, nowUnixMs)
  const isOwnLapsed = isOwn && state === 'expired'
  const claim = request.claim === undefined ? null : isOwnLapsed ? resumeClaim(current, request.claim) : request.claim
  return {
    outcome: state === 'expired' && !isOwn ? 'taken-over' : 'acquired',
    lock: { owner, nonce, expiresUnixMs, resource, ttlMs, fence, claim },
  }
}

/** The assignee that one's own lapsed claim added is still the claim's. */
function resumeClaim({ claim: before }: Lock, claim: Claim): Claim {
  return before?.assignee === claim.assignee ? { ...claim, sinceUnixMs: before.sinceUnixMs } : claim
}

/** The present holder's lock with more time; null when somebody else holds it, or nobody since it was released. */
export function planRenew(
  current: Lock | null,
  { owner, ttlMs, nowUnixMs }: Pick<LockRequest, 'owner' | 'ttlMs' | 'nowUnixMs'>,
): Lock | null {
  if (current === null || current.owner !== owner || current.expiresUnixMs === 0) return null
  return { ...current, expiresUnixMs: nowUnixMs + ttlMs, ttlMs }
}

/** The same lock, given back. */
export function planRelease(current: Lock): Lock {
  return { ...current, expiresUnixMs: 0 }
}

/** A claim's lease, given back together with its assignee: nothing of the claim is left to be told from other things. */
export function planUnclaim(current: Lock): Lock {
  return { ...planRelease(current), claim: null }
}

/**
 * A chain begins with the time, so that the number goes on growing where the one before it is gone: a ref that was
 * cleaned away, a remote that was rebuilt, a holder whose tool does not count.
 */
function nextFence(current: Lock | null, nowUnixMs: number): number {
  return current?.fence == null || current.fence >= fenceMax ? nowUnixMs : current.fence + 1
}

/** A greater fence is none: a chain must be able to go on from the greatest. Some 140,000 years in milliseconds. */
const fenceMax = 2 ** 52

/** For how long an ended lease stays at least, and how far its fence must lie in the past. Milliseconds. */
const endedLeaseKeptMs = 86_400_000

/** Whether a lock that is not live ended more than a day ago. One whose time is still to come ended when it was written. */
export function hasLongEnded({ expiresUnixMs }: Lock, { committedAtUnixMs, nowUnixMs }: EndedFacts): boolean {
  const timeMs = expiresUnixMs > nowUnixMs ? 0 : expiresUnixMs
  // A commit from the future was written by a wrong clock, which tells nothing.
  const writtenMs = committedAtUnixMs > nowUnixMs + endedLeaseKeptMs ? 0 : committedAtUnixMs
  return nowUnixMs - Math.max(writtenMs, timeMs) > endedLeaseKeptMs
}

export interface EndedFacts {
  /** Of the newest commit of the lock. Milliseconds. */
  readonly committedAtUnixMs: number
  readonly nowUnixMs: number
}

/**
 * Whether the chain of a lease that is not live may be deleted: it ended long ago, and a chain that begins now, or on a
 * machine whose clock is up to a day behind, has a greater fence.
 */
export function isCollectable(lock: Lock, facts: EndedFacts): boolean {
  const fence = lock.fence ?? 0
  // No chain that began with the time comes so far: then it is of no use to wait until the time does.
  const isFencePast = fence + endedLeaseKeptMs <= facts.nowUnixMs || fence > facts.nowUnixMs + endedLeaseKeptMs
  return isFencePast && hasLongEnded(lock, facts)
}

/** True when less than half of the time that a lock was taken for is left. */
export function isRenewalDue(lock: Lock, nowUnixMs: number): boolean {
  return lock.ttlMs !== null && lock.expiresUnixMs - nowUnixMs < lock.ttlMs / 2
}

/** `lock.json`: pretty JSON. */
export function formatLock(lock: Lock): string {
  return JSON.stringify(lockMembers(lock), null, 2)
}

/** The members of `lock.json`, first those of the published format. */
export function lockMembers({ owner, nonce, expiresUnixMs, resource, ttlMs, fence, claim }: Lock): object {
  const ours = { ...(ttlMs === null ? {} : { ttl_ms: ttlMs }), ...(fence === null ? {} : { fence }) }
  const { assignee, sinceUnixMs: since_unix_ms, beside, stale } = claim ?? {}
  return {
    owner,
    nonce,
    expires_unix_ms: expiresUnixMs,
    resource,
    ...ours,
    ...(claim === null ? {} : { claim: { assignee, since_unix_ms, beside, stale } }),
  }
}

export type ParsedLock =
  | { readonly lock: Lock; readonly problem: null }
  | { readonly lock: null; readonly problem: string }

/** Reads `lock.json` as anybody may have written it. Unknown keys are left alone; ours that are wrong count as absent. */
export function parseLock(json: string | Uint8Array): ParsedLock {
  const { value, problem } = parseForeignJson(json, lockShape, { name: lockFileName, sizeMax: limits.lockFileBytesMax })
  return problem === null ? { lock: value, problem } : { lock: null, problem: problem.message }
}

const lockFileName = 'lock.json'
/** Longer than any owner or nonce that a tool writes. */
const ownerBytesMax = 256
/** Assignments of each sort that a claim remembers. */
export const claimEventsMax = 64

/** At most so many UTF-16 units: near enough to keep what is printed and compared small. */
function shortText(lengthMax: number, words = 'a short text'): Shape<string> {
  return shape.text({ lengthMin: 1, lengthMax, words, accepts: (value) => value.isWellFormed() })
}

/** Without control characters, which no writer of ours puts there: it is printed within lines of other words. */
function shortLine(lengthMax: number): Shape<string> {
  const accepts = (value: string) => value.isWellFormed() && !/\p{Cc}/u.test(value)
  return shape.text({ lengthMin: 1, lengthMax, words: 'a short line of text', accepts })
}

/** Ids beyond the first few, and what is no id, are passed over. */
const eventIds = shape.lenient(shape.list(shape.lenient(shape.text({ pattern: /^[0-9a-f]{64}$/ }), null)), [])

const claimShape = shape.table({
  assignee: shortText(limits.assigneeBytesMax),
  since_unix_ms: shape.integer(),
  beside: eventIds,
  stale: eventIds,
})

const memberShape = shape.table({
  owner: shortLine(ownerBytesMax),
  nonce: shortText(ownerBytesMax),
  resource: shortLine(limits.lockResourceBytesMax),
  expires_unix_ms: shape.wholeNumber,
  ttl_ms: shape.lenient(shape.integer({ max: localTtlMsMax }), null),
  fence: shape.lenient(shape.integer({ max: fenceMax }), null),
  claim: shape.lenient(claimShape, null),
})

/** What `lock.json` holds. */
export const lockShape: Shape<Lock> = (value) => {
  const members = memberShape(value)
  if (members instanceof Mismatch) return members
  const { owner, nonce, resource, expires_unix_ms: expires, ttl_ms: ttlMs, fence, claim } = members
  // The Rust tool adds without looking: beyond 2^53 it means "for ever".
  const expiresUnixMs = Math.min(expires, limits.tsUnixMsMax)
  return { owner, nonce, resource, expiresUnixMs, ttlMs, fence, claim: readClaim(claim) }
}

function readClaim(claim: ValueOf<typeof memberShape>['claim']): Claim | null {
  if (claim === null) return null
  const { assignee, since_unix_ms: sinceUnixMs, beside, stale } = claim
  return { assignee, sinceUnixMs, beside: firstEventIds(beside), stale: firstEventIds(stale) }
}

function firstEventIds(ids: readonly (string | null)[]): EventId[] {
  return ids.slice(0, claimEventsMax).filter((id) => id !== null) as EventId[]
}
