/** Deletes ended locks in this clone and on a remote, each by compare-and-swap on the commit that was read (docs/format.md#locks). */
import { type PushUpdate, showRemote } from '../../git/index.ts'
import {
  currentState,
  encodeNamePart,
  GriteError,
  hasLeftBehind,
  hasLongEnded,
  isCollectable,
  issueOfResource,
  makeVisible,
} from '../../model/index.ts'
import type { View } from '../../view/index.ts'
import { deleteUnmovedRefs, splitTrackingRef } from '../../wal/index.ts'
import type { CommandContext } from '../effects.ts'
import type { Workspace } from '../workspace.ts'
import { isReadable, type ReadableLock, readKnownLocks, type SeenLock, stateOfLock } from './known-locks.ts'
import { mayAskForDeletion, noteRefusedDeletion } from './refused-deletions.ts'

export interface Collected {
  readonly removed: number
  readonly kept: number
  readonly level: 'local' | 'remote'
  readonly remote: string | null
  /** Refs that the remote refused to delete, with the reason. */
  readonly refused: readonly { readonly ref: string; readonly reason: string }[]
}

/** A sync deletes ended locks only if there are at least this many. */
const autoCollectMin = 100
/** Refs deleted by one push. git compares each with every ref of the remote before it prints anything, and a silent remote times out. */
const refsAtOnceMax = 100

/** Deletes the ended locks of this clone that are no longer needed. */
export async function collectLocal(repository: Workspace, nowUnixMs: number): Promise<Collected> {
  const locks = (await readKnownLocks(repository)).filter(({ level }) => level === 'local')
  const removed = await deleteLocal(repository, await withoutUse(repository, locks, nowUnixMs))
  return { removed, kept: locks.length - removed, level: 'local', remote: null, refused: [] }
}

/** Deletes ended locks of this clone when there are many. A failure is a warning. */
export async function autoCollectLocal(repository: Workspace): Promise<void> {
  await warnOnFailure(repository, async () => {
    const nowUnixMs = repository.facts.clock.nowUnixMs()
    const locks = (await readKnownLocks(repository)).filter(({ level }) => level === 'local')
    if (countEnded(locks, nowUnixMs) < autoCollectMin) return 0
    const useless = await withoutUse(repository, locks, nowUnixMs)
    return useless.length < autoCollectMin ? 0 : deleteLocal(repository, useless)
  })
}

/** Turns a failure into a warning: cleanup must not fail the command. */
async function warnOnFailure(repository: Workspace, work: () => Promise<number>): Promise<number> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof GriteError)) throw error
    tellFailure(repository, error)
    return 0
  }
}

function tellFailure({ facts }: Workspace, { message, details }: GriteError): void {
  facts.warn({ code: 'lock-kept', message: `could not delete ended locks: ${message}`, details })
}

async function deleteLocal({ git }: Workspace, locks: readonly ReadableLock[]): Promise<number> {
  return deleteUnmovedRefs(
    git,
    locks.map(({ found }) => ({ ref: found.ref, expected: found.oid })),
  )
}

/** Deletes on a remote the ended locks left by the Rust tool, and leases that ended long ago. */
export async function collectRemote(
  repository: Workspace,
  remote: string,
  { progress }: Pick<CommandContext, 'progress'>,
): Promise<Collected> {
  const locks = await locksOf(repository, remote)
  const ended = await collectableOf(repository, locks)
  const { removed, refused, failure } = await deleteOnRemote(repository, remote, { ended, progress })
  if (failure !== null && removed === 0) throw failure
  if (failure !== null) tellFailure(repository, failure)
  return { removed, kept: locks.length - removed, level: 'remote', remote: showRemote(remote), refused }
}

/**
 * Deletes ended leases on a remote when there are many. After a refusal, retries a week later; any other failure is a
 * warning.
 * @returns the number of deleted leases
 */
export async function autoCollectRemote(
  repository: Workspace,
  remote: string,
  context: Pick<CommandContext, 'progress' | 'warn'>,
): Promise<number> {
  return warnOnFailure(repository, () => collectIfMany(repository, remote, context))
}

async function collectIfMany(
  repository: Workspace,
  remote: string,
  { progress, warn }: Pick<CommandContext, 'progress' | 'warn'>,
): Promise<number> {
  const { paths, facts } = repository
  const nowUnixMs = facts.clock.nowUnixMs()
  const locks = await locksOf(repository, remote)
  if (countEnded(locks, nowUnixMs) < autoCollectMin) return 0
  if (!(await mayAskForDeletion(paths, remote, nowUnixMs))) return 0
  const ended = await collectableOf(repository, locks)
  if (ended.length < autoCollectMin) return 0
  const { removed, refused, failure } = await deleteOnRemote(repository, remote, { ended, progress })
  if (failure !== null) tellFailure(repository, failure)
  const [first] = refused
  if (first === undefined) return removed
  await noteRefusedDeletion(paths, remote, nowUnixMs)
  const shown = showRemote(remote)
  const message = `'${shown}' refused to delete ${refused.length} ended leases: ${makeVisible(first.reason)}; will retry in a week`
  warn({ code: 'lock-kept', message, details: { remote: shown, ref: first.ref, count: refused.length } })
  return removed
}

async function locksOf(repository: Workspace, remote: string): Promise<SeenLock[]> {
  const part = encodeNamePart(remote)
  return (await readKnownLocks(repository)).filter(({ remotePart }) => remotePart === part)
}

function countEnded(locks: readonly SeenLock[], nowUnixMs: number): number {
  return locks.filter(isReadable).filter((sight) => stateOfLock(sight, nowUnixMs) !== 'live').length
}

async function collectableOf(repository: Workspace, locks: readonly SeenLock[]): Promise<ReadableLock[]> {
  const nowUnixMs = repository.facts.clock.nowUnixMs()
  const old = locks.filter(isReadable).filter(({ kind, found }) => {
    if (kind === 'lock') return true
    return isCollectable(found.lock, { committedAtUnixMs: found.committedAtUnixMs, nowUnixMs })
  })
  return withoutUse(repository, old, nowUnixMs)
}

/** Ended locks that are no longer needed. */
async function withoutUse(
  repository: Workspace,
  locks: readonly SeenLock[],
  nowUnixMs: number,
): Promise<ReadableLock[]> {
  const useless: ReadableLock[] = []
  for (const sight of locks.filter(isReadable)) {
    if (stateOfLock(sight, nowUnixMs) === 'live') continue
    if (!(await marksIssueFree(() => repository.view(), sight, nowUnixMs))) useless.push(sight)
  }
  return useless
}

/**
 * Whether an ended lock still marks an assigned open issue as free. For a closed issue the lock is kept for a day, since
 * the issue may be reopened.
 */
export async function marksIssueFree(
  openView: () => Promise<View>,
  { level, kind, found: { lock, committedAtUnixMs } }: ReadableLock,
  nowUnixMs: number,
): Promise<boolean> {
  const issueId = issueOfResource(lock.resource)
  if (issueId === null || lock.claim === null) return false
  const state = await (await openView()).findIssue(issueId)
  // The log of the remote may not have been fetched yet.
  if (state === undefined) return level === 'remote' && kind === 'lease'
  if (!hasLeftBehind(state, [lock])) return false
  return currentState(state) === 'open' || !hasLongEnded(lock, { committedAtUnixMs, nowUnixMs })
}

interface RemoteDeletions extends Pick<Collected, 'removed' | 'refused'> {
  /** The error that stopped the deletions early. */
  readonly failure: GriteError | null
}

interface RemoteDeletion {
  readonly ended: readonly ReadableLock[]
  readonly progress: CommandContext['progress']
}

async function deleteOnRemote(
  repository: Workspace,
  remote: string,
  { ended, progress }: RemoteDeletion,
): Promise<RemoteDeletions> {
  const bar = progress('Deleting ended leases')
  const refused: Collected['refused'][number][] = []
  let removed = 0
  try {
    const { git, remotes } = repository
    const { runHooks } = (await repository.config()).sync
    for (let start = 0; start < ended.length; start += refsAtOnceMax) {
      bar.report(start, ended.length)
      const some = ended.slice(start, start + refsAtOnceMax)
      const results = await remotes.push({ remote, updates: some.map(deletionOf), atomic: false, runHooks })
      const gone = some.filter((_, index) => results[index]?.outcome === 'ok')
      removed += gone.length
      await deleteUnmovedRefs(
        git,
        gone.map(({ found }) => ({ ref: found.ref, expected: found.oid })),
      )
      const rejected = results.filter(({ outcome }) => outcome === 'rejected')
      refused.push(...rejected.map(({ ref, reason }) => ({ ref, reason })))
      // If the host refused a whole batch, it will refuse the next one, too.
      if (rejected.length === some.length && rejected.length === refsAtOnceMax) break
    }
    return { removed, refused, failure: null }
  } catch (error) {
    if (!(error instanceof GriteError)) throw error
    return { removed, refused, failure: error }
  } finally {
    bar.end()
  }
}

function deletionOf({ found }: ReadableLock): PushUpdate {
  return { ref: splitTrackingRef(found.ref).remoteRef, next: null, expected: found.oid }
}
