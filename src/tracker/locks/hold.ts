/**
 * Taking locks, giving them more time and giving them back, wherever they are kept.
 *
 * Two that overlap may have different refs, and then no compare-and-swap decides between them. A command that takes one looks
 * around, writes, and looks around again. Of two that do so at once at least one sees the other after its own write, and
 * gives way: at most one keeps its lock, and no clock is asked (docs/decisions/0010).
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
import { type LockInSight, locksAgainst, locksInSight, type ReadableLock } from './known-locks.ts'
import type { LockPlace } from './lock-place.ts'
import { giveBackOrTell, lookAgain } from './recheck.ts'

export interface HoldRequest {
  readonly resource: string
  readonly ttlMs: number
  readonly claim?: Claim
  /**
   * The lock serves a write that follows: when it was written and its flush failed, it is held, a warning says so, and the
   * write reports for itself.
   */
  readonly isStep?: boolean
}

/** A lock that the current actor has now. */
export interface Held {
  readonly outcome: 'acquired' | 'renewed' | 'taken-over'
  readonly lock: Lock
  readonly place: LockPlace
}

/** Takes a lock for the current actor; the one that it has gets more time. @throws {ConflictError} naming who holds it */
export async function acquireLock(repository: Workspace, place: LockPlace, request: HoldRequest): Promise<Held> {
  return hold(repository, place, request, ({ current, owner, nonce, nowUnixMs }) =>
    planAcquire(current, {
      ...{ owner, nonce, nowUnixMs, resource: request.resource, ttlMs: request.ttlMs },
      terms: termsAt(place),
      ...(request.claim === undefined ? {} : { claim: request.claim }),
    }),
  )
}

/** Gives the current actor's lock more time; takes it where nobody has it. @throws {ConflictError} naming the holder */
export async function renewLock(repository: Workspace, place: LockPlace, request: HoldRequest): Promise<Held> {
  return hold(repository, place, request, ({ current, owner, nonce, nowUnixMs }) => {
    const { resource, ttlMs } = request
    const renewed = planRenew(current, { owner, ttlMs, nowUnixMs })
    if (renewed !== null) return { outcome: 'renewed', lock: renewed }
    // Of one whose time is over somebody else was the last holder: that is no renewal.
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
  const look = async (): Promise<readonly LockInSight[]> => {
    await place.refresh()
    return locksInSight(repository)
  }
  const against = (sights: readonly LockInSight[]) =>
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
    // One that was live all the time was seen by everybody who looked.
    if (wasOwn && isOwnLive(current, facts.clock.nowUnixMs())) return held
    const after = await lookAgain(repository, resource, look)
    const rival = after && against(after)
    if (after === undefined || rival === undefined) return held
    const own = findPresent(after, place, resource)
    if (own?.lock?.nonce !== plan.lock.nonce) return undefined
    const isBack = await giveBackOrTell(repository, resource, () =>
      place.move({ lock: planRelease(plan.lock), present: own, sights: after, nowUnixMs }),
    )
    // In another turn it would be one's own that only needs more time.
    if (!isBack) throw await heldError(repository, resource, rival)
    return undefined
  })
}

export interface Released {
  /** False when there was nothing to give back. */
  readonly changed: boolean
  /** The lock as it is now; null when there is none. */
  readonly lock: Lock | null
}

/**
 * Gives the current actor's lock back. One that cannot be read is anybody's to clear away; one whose time is over needs
 * no release.
 *
 * @param giveBack - what becomes of the lock that is held
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
    // What one holds oneself has hardly moved since it was last seen.
    if (!isFirst) await place.refresh()
    let sights = await locksInSight(repository)
    if (isFirst && findPresent(sights, place, resource)?.lock?.owner !== owner) {
      await place.refresh()
      sights = await locksInSight(repository)
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

/** The lock of a resource at a place; null when there is none. */
export function findPresent(sights: readonly LockInSight[], place: LockPlace, resource: string): FoundLock | null {
  const ref = place.refOf(resource)
  return sights.find(({ found }) => found.ref === ref)?.found ?? null
}

export function sightOf(sights: readonly LockInSight[], found: FoundLock | null): ReadableLock {
  return sights.find((sight) => sight.found === found) as ReadableLock
}

/** A lock that stands in the way although nobody can tell whose it is. */
export function damagedError(resource: string, { ref, oid, problem }: FoundLock): Error {
  const details = { reason: 'damaged', resource, ref }
  if (oid === null) {
    return new CorruptObjectError(`the lock of ${resource} cannot be read: ${problem}`, {
      details,
      hints: [`The ref ${ref} was damaged by something else; once it is deleted the lock can be taken`],
    })
  }
  return new ConflictError(`the lock of ${resource} cannot be read: ${problem}`, {
    details,
    hints: ['`grite lock release` on it clears it away'],
  })
}

const backoffMsFirst = 5
const backoffMsMax = 400
/** Also where the clock stands still. */
const turnsMax = 100

/** Works until nobody else was in the way: `undefined` and a lost race are followed by another turn. */
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
      throw new ConflictError(`others kept reaching for ${resource}; nothing was taken`, {
        details: { resource, reason: 'contended' },
      })
    }
  }
}
