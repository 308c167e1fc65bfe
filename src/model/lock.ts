/**
 * A lock: holder, resource and expiry (docs/format.md#locks). It is the file `lock.json` of the newest commit on its
 * ref. This file holds its rules, on values alone.
 *
 * Invariants
 * - The fence never decreases along a chain of commits, and grows by one with each new holder.
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
  /** 0 after a release. */
  readonly expiresUnixMs: number
  readonly resource: string
  /** Duration for which it was acquired or renewed; null when the writer did not record it. */
  readonly ttlMs: number | null
  /** Grows with each holder; null when the writer counts none. */
  readonly fence: number | null
  /** Set when the lock is the lease of a claim. */
  readonly claim: Claim | null
}

/**
 * What a claim did to the assignees of its issue, so that the leftovers of an ended claim are distinguishable from
 * other assignments.
 */
export interface Claim {
  readonly assignee: string
  /** When this holder claimed; renewing keeps it. Milliseconds. */
  readonly sinceUnixMs: number
  /** Events of other actors' assignments that were present and stay. */
  readonly beside: readonly EventId[]
  /** Events of assignments that earlier claims left behind: this claim removes them. */
  readonly stale: readonly EventId[]
}

/** Grace period for the expiry of another machine's lock: clocks differ. Milliseconds. */
export const clockAllowanceMs = 30_000
/** Maximum duration of a shared lease: a longer one shows a wrong clock. Milliseconds. */
export const sharedTtlMsMax = 86_400_000
/** Ten years: permanent locks of the Rust tool have been seen to last that long. */
export const localTtlMsMax = 3650 * 86_400_000

/** The rules for reading the time of a lock. */
export interface LockTerms {
  /** Grace period after its expiry. Milliseconds. */
  readonly allowanceMs: number
  /** Maximum duration. A longer lock was written by a wrong clock, and excludes nobody. Milliseconds. */
  readonly ttlMsMax: number
}

export const lockTerms = {
  /** A lock of this clone. */
  local: { allowanceMs: 0, ttlMsMax: localTtlMsMax },
  /** A lock of another clone, pushed to a remote by the Rust tool. */
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

/** Describes what is wrong with the times of a lock; null when nothing is. */
export function describeWrongClock(
  lock: Lock,
  { committedAtUnixMs, nowUnixMs, terms }: WrongClockFacts,
): string | null {
  if (lock.expiresUnixMs === 0) return null
  if (lock.expiresUnixMs < committedAtUnixMs) return 'it expired before it was written'
  if (!endsTooLate(lock, nowUnixMs, terms)) return null
  const length = terms.ttlMsMax === sharedTtlMsMax ? 'a day' : 'ten years'
  return `it expires more than ${length} from now, so it is ignored`
}

export interface WrongClockFacts {
  /** Whole seconds, as git stores them, in milliseconds. */
  readonly committedAtUnixMs: number
  readonly nowUnixMs: number
  readonly terms: LockTerms
}

export interface LockRequest {
  readonly owner: ActorId
  readonly resource: string
  readonly ttlMs: number
  /** Used when a new holder acquires it. */
  readonly nonce: string
  readonly nowUnixMs: number
  readonly terms: LockTerms
  readonly claim?: Claim
}

export type AcquirePlan =
  | { readonly outcome: 'acquired' | 'renewed' | 'taken-over'; readonly lock: Lock }
  | { readonly outcome: 'held'; readonly by: Lock }

/**
 * Plans acquiring the present lock of a ref: the present holder renews it; another holder's live lock is left alone.
 */
export function planAcquire(current: Lock | null, request: LockRequest): AcquirePlan {
  const { owner, resource, ttlMs, nonce, nowUnixMs, terms } = request
  const expiresUnixMs = nowUnixMs + ttlMs
  const isOwn = current?.owner === owner
  const state =
    current === null ? 'released' : lockStateAt(current, nowUnixMs, isOwn ? { ...terms, allowanceMs: 0 } : terms)
  if (current !== null && state === 'live') {
    if (!isOwn) return { outcome: 'held', by: current }
    // Never shorter: a lock of five minutes inside a claim of an hour must not end the claim.
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

/** The assignee that the actor's own expired claim added still belongs to the claim. */
function resumeClaim({ claim: before }: Lock, claim: Claim): Claim {
  return before?.assignee === claim.assignee ? { ...claim, sinceUnixMs: before.sinceUnixMs } : claim
}

/** The present holder's lock with more time; null when it is released or another actor holds it. */
export function planRenew(
  current: Lock | null,
  { owner, ttlMs, nowUnixMs }: Pick<LockRequest, 'owner' | 'ttlMs' | 'nowUnixMs'>,
): Lock | null {
  if (current === null || current.owner !== owner || current.expiresUnixMs === 0) return null
  return { ...current, expiresUnixMs: nowUnixMs + ttlMs, ttlMs }
}

/** The same lock, released. */
export function planRelease(current: Lock): Lock {
  return { ...current, expiresUnixMs: 0 }
}

/** A claim's lease, released together with its assignee: no leftovers of the claim need to be distinguished. */
export function planUnclaim(current: Lock): Lock {
  return { ...planRelease(current), claim: null }
}

/**
 * A chain starts at the current time, so that fences grow even after the previous chain is gone: a pruned ref, a
 * rebuilt remote, a holder whose tool does not count.
 */
function nextFence(current: Lock | null, nowUnixMs: number): number {
  return current?.fence == null || current.fence >= fenceMax ? nowUnixMs : current.fence + 1
}

/**
 * A greater fence is invalid: a chain must be able to continue from the greatest. Some 140,000 years in milliseconds.
 */
const fenceMax = 2 ** 52

/** Minimum age of an ended lease, and of its fence, before deletion. Milliseconds. */
const endedLeaseKeptMs = 86_400_000

/**
 * Whether a lock that is not live ended more than a day ago. A lock that expires in the future ended when it was
 * written.
 */
export function hasLongEnded({ expiresUnixMs }: Lock, { committedAtUnixMs, nowUnixMs }: EndedFacts): boolean {
  const timeMs = expiresUnixMs > nowUnixMs ? 0 : expiresUnixMs
  // A commit from the future shows a wrong clock, so its time means nothing.
  const writtenMs = committedAtUnixMs > nowUnixMs + endedLeaseKeptMs ? 0 : committedAtUnixMs
  return nowUnixMs - Math.max(writtenMs, timeMs) > endedLeaseKeptMs
}

export interface EndedFacts {
  /** Time of the newest commit of the lock. Milliseconds. */
  readonly committedAtUnixMs: number
  readonly nowUnixMs: number
}

/**
 * Whether the chain of a lease that is not live may be deleted: it ended long ago, and any new chain, even on a machine
 * whose clock is up to a day behind, gets a greater fence.
 */
export function isCollectable(lock: Lock, facts: EndedFacts): boolean {
  const fence = lock.fence ?? 0
  // No chain that started at the current time gets this far, so waiting until the clock does is pointless.
  const isFencePast = fence + endedLeaseKeptMs <= facts.nowUnixMs || fence > facts.nowUnixMs + endedLeaseKeptMs
  return isFencePast && hasLongEnded(lock, facts)
}

/** True when less than half of the lock's duration is left. */
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

/**
 * Reads a `lock.json` that anyone may have written. Unknown keys are ignored; invalid values of our own keys count as
 * absent.
 */
export function parseLock(json: string | Uint8Array): ParsedLock {
  const { value, problem } = parseForeignJson(json, lockShape, { name: lockFileName, sizeMax: limits.lockFileBytesMax })
  return problem === null ? { lock: value, problem } : { lock: null, problem: problem.message }
}

const lockFileName = 'lock.json'
/** Longer than any owner or nonce that a tool writes. */
const ownerBytesMax = 256
/** Assignments of each kind that a claim remembers. */
export const claimEventsMax = 64

/** At most `lengthMax` UTF-16 units, to keep printed and compared text small. */
function shortText(lengthMax: number, words = 'a short text'): Shape<string> {
  return shape.text({ lengthMin: 1, lengthMax, words, accepts: (value) => value.isWellFormed() })
}

/** Without control characters, because it is printed inside other lines; no writer of ours puts them there. */
function shortLine(lengthMax: number): Shape<string> {
  const accepts = (value: string) => value.isWellFormed() && !/\p{Cc}/u.test(value)
  return shape.text({ lengthMin: 1, lengthMax, words: 'a short line of text', accepts })
}

/** Ignores ids beyond the first few, and anything that is not an id. */
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

/** The shape of `lock.json`. */
export const lockShape: Shape<Lock> = (value) => {
  const members = memberShape(value)
  if (members instanceof Mismatch) return members
  const { owner, nonce, resource, expires_unix_ms: expires, ttl_ms: ttlMs, fence, claim } = members
  // The Rust tool adds without an overflow check: a time beyond 2^53 means "for ever".
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
