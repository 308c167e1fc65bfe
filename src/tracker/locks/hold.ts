/**
 * Acquires, renews and releases locks in any place.
 *
 * Overlapping locks may be different refs, and then no compare-and-swap decides between them. So a command checks for
 * overlapping locks, writes its own, and checks again. Of two commands at once, at least one sees the lock of the other after
 * its own write and releases: at most one keeps its lock, without relying on clocks (docs/decisions/0010).
 */
import { Retry } from '../../git/index.ts'
import {
  type AcquirePlan,
  type ActorId,
  AfterWriteError,
  type Claim,
  ConflictError,
  CorruptObjectError,
  formatUuid,
  type Lock,
  type LockTerms,
  lockStateAt,
  lockTerms,
  planAcquire,
  planRelease,
  planRenew,
  RefMovedError,
} from '../../model/index.ts'
import { appendRetryMsMax, type FoundLock } from '../../wal/index.ts'
import type { Workspace } from '../workspace.ts'
import { heldError } from './held-error.ts'
import { locksAgainst, type ReadableLock, readKnownLocks, type SeenLock } from './known-locks.ts'
import type { LockPlace } from './lock-place.ts'
import { recheckLocks, releaseOrWarn } from './recheck.ts'

export interface HoldRequest {
  readonly resource: string
  readonly ttlMs: number
  readonly claim?: Claim
  /**
   * Set when a write follows. If the flush of the lock fails, the lock still counts as held, with a warning; the write
   * reports its own failure.
   */
  readonly isStep?: boolean
}

/** A lock that the current actor holds. */
export interface Held {
  readonly outcome: 'acquired' | 'renewed' | 'taken-over'
  readonly lock: Lock
  readonly place: LockPlace
}

/** Acquires a lock for the current actor, or renews the one it holds. @throws {ConflictError} naming the holder */
export async function acquireLock(repository: Workspace, place: LockPlace, request: HoldRequest): Promise<Held> {
  return hold(repository, place, request, ({ current, owner, nonce, nowUnixMs }) =>
    planAcquire(current, {
      ...{ owner, nonce, nowUnixMs, resource: request.resource, ttlMs: request.ttlMs },
      terms: termsAt(place),
      ...(request.claim === undefined ? {} : { claim: request.claim }),
    }),
  )
}

/** Renews the current actor's lock, or acquires a free one. @throws {ConflictError} naming the holder */
export async function renewLock(repository: Workspace, place: LockPlace, request: HoldRequest): Promise<Held> {
  return hold(repository, place, request, ({ current, owner, nonce, nowUnixMs }) => {
    const { resource, ttlMs } = request
    const renewed = planRenew(current, { owner, ttlMs, nowUnixMs })
    if (renewed !== null) return { outcome: 'renewed', lock: renewed }
    // The last holder of this expired lock is somebody else, so it cannot be renewed.
    if (current !== null && current.expiresUnixMs !== 0) return { outcome: 'held', by: current }
    return planAcquire(current, { owner, nonce, nowUnixMs, resource, ttlMs, terms: termsAt(place) })
  })
}

function termsAt({ level }: LockPlace): LockTerms {
  return level === 'remote' ? lockTerms.lease : lockTerms.local
}

interface PlanFacts {
  readonly current: Lock | null
  readonly owner: ActorId
  readonly nonce: string
  readonly nowUnixMs: number
}

async function hold(
  repository: Workspace,
  place: LockPlace,
  { resource, isStep = false }: HoldRequest,
  makePlan: (facts: PlanFacts) => AcquirePlan,
): Promise<Held> {
  const { facts } = repository
  const owner = (await repository.requireActor()).actor.id
  const look = async (): Promise<readonly SeenLock[]> => {
    await place.refresh()
    return readKnownLocks(repository)
  }
  const against = (sights: readonly SeenLock[]) =>
    locksAgainst(sights, { resource, owner, nowUnixMs: facts.clock.nowUnixMs() })[0]

  const ownTerms = { ...termsAt(place), allowanceMs: 0 }
  const isOwnLive = (lock: Lock | null, nowUnixMs: number) =>
    lock?.owner === owner && lockStateAt(lock, nowUnixMs, ownTerms) === 'live'

  return untilUncontended(repository, resource, async () => {
    const sights = await look()
    const present = findPresent(sights, place, resource)
    const current = present?.lock ?? null
    const nowUnixMs = facts.clock.nowUnixMs()
    const wasOwn = isOwnLive(current, nowUnixMs)
    const holder = wasOwn ? undefined : against(sights)
    if (holder !== undefined) throw await heldError(repository, resource, holder)
    if (present?.lock === null) throw damagedError(resource, present)
    const plan = makePlan({ current, owner, nonce: formatUuid(facts.random.bytes(16)), nowUnixMs })
    if (plan.outcome === 'held') {
      throw await heldError(repository, resource, sightOf(sights, present))
    }
    await place.move({ lock: plan.lock, present, sights, nowUnixMs }).catch((error: unknown) => {
      if (!isStep || !(error instanceof AfterWriteError) || error.details.written !== true) throw error
      facts.warn({ code: 'lock-not-flushed', message: error.message, details: { resource } })
    })
    const held: Held = { outcome: plan.outcome, lock: plan.lock, place }
    // A lock that stayed live was visible to everyone who checked, so no second check is needed.
    if (wasOwn && isOwnLive(current, facts.clock.nowUnixMs())) return held
    const after = await recheckLocks(repository, resource, look)
    const rival = after && against(after)
    if (after === undefined || rival === undefined) return held
    const own = findPresent(after, place, resource)
    if (own?.lock?.nonce !== plan.lock.nonce) return undefined
    const isBack = await releaseOrWarn(repository, resource, () =>
      place.move({ lock: planRelease(plan.lock), present: own, sights: after, nowUnixMs }),
    )
    // In another turn it would look like our own lock that only needs a renewal.
    if (!isBack) throw await heldError(repository, resource, rival)
    return undefined
  })
}

export interface Released {
  /** False when there was no lock to release. */
  readonly changed: boolean
  /** The present lock; null when there is none. */
  readonly lock: Lock | null
}

/**
 * Releases the current actor's lock. Anyone may release an unreadable lock; an expired one needs no release.
 *
 * @param giveBack - computes the released form of the lock
 * @throws {ConflictError} when somebody else holds it
 */
export async function releaseLock(
  repository: Workspace,
  place: LockPlace,
  resource: string,
  giveBack: (held: Lock) => Lock = planRelease,
): Promise<Released> {
  const { facts } = repository
  const owner = (await repository.requireActor()).actor.id
  let isFirst = true
  return untilUncontended(repository, resource, async () => {
    // Our own lock has hardly moved since the last read, so try without a refresh first.
    if (!isFirst) await place.refresh()
    let sights = await readKnownLocks(repository)
    if (isFirst && findPresent(sights, place, resource)?.lock?.owner !== owner) {
      await place.refresh()
      sights = await readKnownLocks(repository)
    }
    isFirst = false
    const present = findPresent(sights, place, resource)
    if (present === null) return { changed: false, lock: null }
    const nowUnixMs = facts.clock.nowUnixMs()
    if (present.lock === null && present.oid === null) throw damagedError(resource, present)
    const { lock } = present
    if (lock !== null && lock.owner !== owner) {
      const [holder] = locksAgainst(sights, { resource, owner, nowUnixMs }).filter(({ found }) => found === present)
      if (holder !== undefined) throw await heldError(repository, resource, holder)
      return { changed: false, lock }
    }
    if (lock?.expiresUnixMs === 0) return { changed: false, lock }
    const empty = { owner, nonce: formatUuid(facts.random.bytes(16)), resource, ttlMs: null, fence: null, claim: null }
    const released = lock === null ? { ...empty, expiresUnixMs: 0 } : giveBack(lock)
    await place.move({ lock: released, present, sights, nowUnixMs })
    return { changed: true, lock: released }
  })
}

/** The lock of a resource in a place; null when there is none. */
export function findPresent(sights: readonly SeenLock[], place: LockPlace, resource: string): FoundLock | null {
  const ref = place.refOf(resource)
  return sights.find(({ found }) => found.ref === ref)?.found ?? null
}

export function sightOf(sights: readonly SeenLock[], found: FoundLock | null): ReadableLock {
  return sights.find((sight) => sight.found === found) as ReadableLock
}

/** The error for an unreadable lock, which blocks its resource although its holder is unknown. */
export function damagedError(resource: string, { ref, oid, problem }: FoundLock): Error {
  const details = { reason: 'damaged', resource, ref }
  if (oid === null) {
    return new CorruptObjectError(`the lock of ${resource} cannot be read: ${problem}`, {
      details,
      hints: [`The ref ${ref} is damaged; delete it to make the lock available`],
    })
  }
  return new ConflictError(`the lock of ${resource} cannot be read: ${problem}`, {
    details,
    hints: ['Run `grite lock release` on it to remove it'],
  })
}

const backoffMsFirst = 5
const backoffMsMax = 400
/** Bounds the loop even if the clock stands still. */
const turnsMax = 100

/** Repeats the work until it succeeds: `undefined` and a lost race lead to another turn. */
async function untilUncontended<Result extends object>(
  { facts: { clock, random } }: Workspace,
  resource: string,
  work: () => Promise<Result | undefined>,
): Promise<Result> {
  const retry = new Retry({
    ...{ firstMs: backoffMsFirst, maxMs: backoffMsMax, triesMax: turnsMax, forMs: appendRetryMsMax },
    ...{ nowMs: () => clock.nowUnixMs(), jitter: () => (random.bytes(1)[0] as number) / 256 },
  })
  for (;;) {
    try {
      const result = await work()
      if (result !== undefined) return result
    } catch (error) {
      if (!(error instanceof RefMovedError)) throw error
    }
    if (!(await retry.again())) {
      throw new ConflictError(`gave up because others kept trying to acquire ${resource}; nothing was acquired`, {
        details: { resource, reason: 'contended' },
      })
    }
  }
}
