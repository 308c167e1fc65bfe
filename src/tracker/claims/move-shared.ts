/**
 * A change of log and lease that all clones see at once (docs/format.md#remotes): both are pushed in one go, by id, before
 * any local ref moves. The clone whose push is accepted has made the change; another looks again and decides again.
 */
import {
  findCause,
  type Oid,
  type PushedRef,
  type PushUpdate,
  Retry,
  Standstill,
  showRemote,
  unmovedRoundsMax,
} from '../../git/index.ts'
import {
  AfterWriteError,
  ConflictError,
  GriteError,
  type Lock,
  RefLockedError,
  RefMovedError,
  RemoteError,
  StorageError,
} from '../../model/index.ts'
import { appendRetryMsMax, type FoundLock, leaseRefOf, noteRemoteHead, trackingRef, walRef } from '../../wal/index.ts'
import type { Draft } from '../draft.ts'
import type { CommandContext } from '../effects.ts'
import { findPresent } from '../locks/hold.ts'
import { type LockInSight, locksInSight } from '../locks/known-locks.ts'
import { noteLease, pushRefused, sharedPlace, writeLease } from '../locks/shared-place.ts'
import type { ChosenRemote } from '../sync/remote-name.ts'
import { runSync } from '../sync/run-sync.ts'
import type { Staged, Workspace } from '../workspace.ts'

/** What a sync needs besides the repository. */
export type SharedContext = Pick<CommandContext, 'progress' | 'clock' | 'random' | 'warn'>

/** What a decision came to: the lease as it is to be, null when it stays as it is. */
export interface SharedDecision<Result> {
  readonly lock: Lock | null
  readonly result: Result
}

export interface SharedMove<Result> {
  /** Head of the log with the change in it; null when the log did not change. */
  readonly head: Oid | null
  readonly result: Result
}

const backoffMsFirst = 40
const backoffMsMax = 1500

/** The home remote's log and the lease of a resource there. */
export interface SharedTarget {
  readonly context: SharedContext
  readonly repository: Workspace
  readonly remote: ChosenRemote
  readonly resource: string
  /** Whether the caller has just synced, so that the first decision needs no fetch. */
  readonly isFresh?: boolean
  /** Whether it takes back what loses to somebody's lock, which that very lock must not prevent. */
  readonly givesWay?: boolean
}

/**
 * @param decide - drafts what the log needs and says what becomes of the lease, by what is in sight; runs again after a
 * lost race. It must not look itself: what another process of this clone fetches meanwhile would go unnoticed
 * @throws {ConflictError} when others kept being faster for 10 s
 * @throws {RemoteError} with the reason `no-atomic` when the remote cannot take both in one go, with `rejected` when it
 * refuses, or loses races that nobody wins; nothing has changed
 */
export async function moveShared<Result>(
  target: SharedTarget,
  decide: (draft: Draft, sights: readonly LockInSight[]) => Promise<SharedDecision<Result>>,
): Promise<SharedMove<Result>> {
  const { context, repository, remote, resource } = target
  const place = sharedPlace(repository, remote.name)
  const retry = new Retry({
    ...{ firstMs: backoffMsFirst, maxMs: backoffMsMax, forMs: appendRetryMsMax },
    ...{ nowMs: () => context.clock.nowUnixMs(), jitter: () => (context.random.bytes(1)[0] as number) / 256 },
  })
  if (target.isFresh !== true) await pull(target)
  const standstill = new Standstill()
  for (;;) {
    const sights = await locksInSight(repository)
    const present = findPresent(sights, place, resource)
    const staged = await repository.stage((draft) => decide(draft, sights), target)
    const { lock, result } = staged.result
    const seen = `${await repository.git.readRef(trackingRef(remote.name, walRef))} ${present?.oid}`
    const stale = await pushBoth(target, { staged, lock, present })
    if (stale === null) return { head: staged.appended?.head ?? null, result }
    if (standstill.see(seen)) throw pushRefused(remote.name, stale, refusedUnmoved)
    if (!(await retry.again())) {
      const shown = showRemote(remote.name)
      throw new ConflictError(`others kept writing to '${shown}' for ${appendRetryMsMax} ms; nothing was taken`, {
        details: { reason: 'contended', resource, remote: shown },
      })
    }
    await pull(target)
  }
}

const refusedUnmoved = [
  `Nothing moved there in ${unmovedRoundsMax} tries: as where a crash on the host has left the lock file of a ref behind`,
]

/** Takes in what others wrote. */
async function pull({ context, repository, remote }: SharedTarget): Promise<void> {
  await runSync(context, repository, remote, { pull: true, push: false })
}

interface Both {
  readonly staged: Staged<unknown>
  readonly lock: Lock | null
  readonly present: FoundLock | null
}

/** Null when the remote took it, else what it said when somebody else seemed to be faster. */
async function pushBoth(target: SharedTarget, { staged, lock, present }: Both): Promise<PushedRef | null> {
  const { repository, remote, resource } = target
  const { git, remotes, facts } = repository
  const nowUnixMs = facts.clock.nowUnixMs()
  const tracking = trackingRef(remote.name, walRef)
  const known = await git.readRef(tracking)
  // Also what this clone alone knows, which the lease may be about.
  const ours = staged.appended?.head ?? (await git.readRef(walRef))
  const head = ours === known ? null : ours
  const lease = lock === null ? null : await writeLease(repository, { lock, present, nowUnixMs })
  const updates: PushUpdate[] = [
    ...(head === null ? [] : [{ ref: walRef, next: head }]),
    ...(lease === null ? [] : [{ ref: leaseRefOf(resource), next: lease }]),
  ]
  if (lease === null && staged.appended === null) return null
  if (head !== null && staged.appended === null && target.givesWay !== true) await repository.respectRepositoryLocks()
  const { sync } = await repository.config()
  const atomic = updates.length > 1
  const results = await remotes.push({ remote: remote.name, updates, atomic, runHooks: sync.runHooks })
  const refused = findCause(results, 'rejected')
  if (refused !== undefined) throw pushRefused(remote.name, refused)
  const stale = findCause(results, 'stale')
  if (stale !== undefined) return stale
  if (lease !== null) await noteLease(repository, { remote: remote.name, resource, present, next: lease })
  if (head !== null) {
    await noteRemoteHead(git, tracking, known, head)
    await land(target, staged)
  }
  await staged.tellPassed()
  return null
}

/** The remote has it; the local log follows, by a join where something else was written meanwhile. */
async function land(target: SharedTarget, staged: Staged<unknown>): Promise<void> {
  try {
    await target.repository.land(staged)
  } catch (error) {
    // Flushed or not, the log has it here, and the remote has it for good.
    if (error instanceof AfterWriteError) return
    const isRace = error instanceof RefMovedError || error instanceof RefLockedError
    if (isRace || error instanceof StorageError) return follow(target)
    throw error
  }
}

/** What the remote has taken counts, whether or not this clone can see it now. */
async function follow(target: SharedTarget): Promise<void> {
  try {
    await pull(target)
  } catch (error) {
    if (!(error instanceof GriteError)) throw error
    const remote = showRemote(target.remote.name)
    const message = `'${remote}' has taken it, and the log of this clone follows with the next sync: ${error.message}`
    target.context.warn({ code: 'log-not-followed', message, details: { remote } })
  }
}

export function isNoAtomic(error: unknown): boolean {
  return error instanceof RemoteError && error.details.reason === 'no-atomic'
}
