/**
 * Changes log and lease atomically for all clones (docs/format.md#locks): pushes both in one push, by id, before any
 * local ref moves. The clone whose push is accepted has made the change; any other fetches and decides again.
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
import { readKnownLocks, type SeenLock } from '../locks/known-locks.ts'
import { noteLease, pushRefused, sharedPlace, writeLease } from '../locks/shared-place.ts'
import type { ChosenRemote } from '../sync/remote-name.ts'
import { runSync } from '../sync/run-sync.ts'
import type { Staged, Workspace } from '../workspace.ts'

/** The effects that a sync needs besides the repository. */
export type SharedContext = Pick<CommandContext, 'progress' | 'clock' | 'random' | 'warn'>

/** A decision: the new lease, or null to keep the present one. */
export interface SharedDecision<Result> {
  readonly lock: Lock | null
  readonly result: Result
}

export interface SharedMove<Result> {
  /** Head of the log after the change; null when the log did not change. */
  readonly head: Oid | null
  readonly result: Result
}

const backoffMsFirst = 40
const backoffMsMax = 1500

/** The log of the home remote and the lease of a resource there. */
export interface SharedTarget {
  readonly context: SharedContext
  readonly repository: Workspace
  readonly remote: ChosenRemote
  readonly resource: string
  /** Whether the caller has just synced, so that the first fetch can be skipped. */
  readonly isFresh?: boolean
  /** Set when undoing a change that lost to somebody's lock: that lock must not block the undo. */
  readonly givesWay?: boolean
}

/**
 * @param decide - drafts the events and decides on the lease from the given locks; runs again after a lost race. It must
 * not read refs itself, or it would miss that another process of this clone has fetched in between
 * @throws {ConflictError} after losing races for 10 s
 * @throws {RemoteError} with reason `no-atomic` when the remote does not support atomic pushes, with `rejected` when it
 * refuses, or reports lost races although its refs do not move; nothing has changed
 */
export async function moveShared<Result>(
  target: SharedTarget,
  decide: (draft: Draft, sights: readonly SeenLock[]) => Promise<SharedDecision<Result>>,
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
    const sights = await readKnownLocks(repository)
    const present = findPresent(sights, place, resource)
    const staged = await repository.stage((draft) => decide(draft, sights), target)
    const { lock, result } = staged.result
    const seen = `${await repository.git.readRef(trackingRef(remote.name, walRef))} ${present?.oid}`
    const stale = await pushBoth(target, { staged, lock, present })
    if (stale === null) return { head: staged.appended?.head ?? null, result }
    if (standstill.see(seen)) throw pushRefused(remote.name, stale, refusedUnmoved)
    if (!(await retry.again())) {
      const shown = showRemote(remote.name)
      throw new ConflictError(
        `gave up after ${appendRetryMsMax} ms because others kept pushing to '${shown}'; nothing was changed`,
        {
          details: { reason: 'contended', resource, remote: shown },
        },
      )
    }
    await pull(target)
  }
}

const refusedUnmoved = [
  `Its refs did not move in ${unmovedRoundsMax} attempts; perhaps a crash on the host left a ref lock file behind`,
]

/** Fetches and joins the events of others. */
async function pull({ context, repository, remote }: SharedTarget): Promise<void> {
  await runSync(context, repository, remote, { pull: true, push: false })
}

interface Both {
  readonly staged: Staged<unknown>
  readonly lock: Lock | null
  readonly present: FoundLock | null
}

/** Returns null when the remote accepted the push, else the reason of an apparently lost race. */
async function pushBoth(target: SharedTarget, { staged, lock, present }: Both): Promise<PushedRef | null> {
  const { repository, remote, resource } = target
  const { git, remotes, facts } = repository
  const nowUnixMs = facts.clock.nowUnixMs()
  const tracking = trackingRef(remote.name, walRef)
  const known = await git.readRef(tracking)
  // Includes unpushed events of this clone: the lease may be for an issue among them.
  const ours = staged.appended?.head ?? (await git.readRef(walRef))
  const head = ours === known ? null : ours
  const lease = lock === null ? null : await writeLease(repository, { lock, present, nowUnixMs })
  const updates: PushUpdate[] = [
    ...(head === null ? [] : [{ ref: walRef, next: head }]),
    ...(lease === null ? [] : [{ ref: leaseRefOf(resource), next: lease }]),
  ]
  if (lease === null && staged.appended === null) return null
  if (head !== null && staged.appended === null && target.givesWay !== true) await repository.checkRepositoryLocks()
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

/** After an accepted push, updates the local log, with a join if something else was written in between. */
async function land(target: SharedTarget, staged: Staged<unknown>): Promise<void> {
  try {
    await target.repository.land(staged)
  } catch (error) {
    // A failed flush is not an error here: the log has the events, and the remote has stored them.
    if (error instanceof AfterWriteError) return
    const isRace = error instanceof RefMovedError || error instanceof RefLockedError
    if (isRace || error instanceof StorageError) return follow(target)
    throw error
  }
}

/** Syncs after an accepted push. A failure is only a warning, because the remote already has the change. */
async function follow(target: SharedTarget): Promise<void> {
  try {
    await pull(target)
  } catch (error) {
    if (!(error instanceof GriteError)) throw error
    const remote = showRemote(target.remote.name)
    const message = `'${remote}' accepted the change; the log of this clone will follow with the next sync: ${error.message}`
    target.context.warn({ code: 'log-not-followed', message, details: { remote } })
  }
}

export function isNoAtomic(error: unknown): boolean {
  return error instanceof RemoteError && error.details.reason === 'no-atomic'
}
