/** Deletes ended locks, in this clone and on a remote, each from the very commit that was judged (docs/format.md#locks). */
import { type PushUpdate, showRemote } from '../../git/index.ts'
import {
  currentState,
  GriteError,
  hasLeftBehind,
  hasLongEnded,
  isCollectable,
  issueOfResource,
  makeVisible,
} from '../../model/index.ts'
import type { View } from '../../view/index.ts'
import { deleteUnmovedRefs, encodeRefPart, splitTrackingRef } from '../../wal/index.ts'
import type { CommandContext } from '../effects.ts'
import type { Workspace } from '../workspace.ts'
import { isReadable, type LockInSight, locksInSight, type ReadableLock, stateInSight } from './known-locks.ts'
import { mayAskForDeletion, noteRefusedDeletion } from './refused-deletions.ts'

export interface Collected {
  readonly removed: number
  readonly kept: number
  readonly level: 'local' | 'remote'
  readonly remote: string | null
  /** What the remote would not delete, and why. */
  readonly refused: readonly { readonly ref: string; readonly reason: string }[]
}

/** Ended locks that make it worth while to delete them by the way. */
const collectedByTheWayMin = 100
/** Refs that one push deletes. git compares each with every ref of the remote before it says a word, and a remote that is silent for long is given up. */
const refsAtOnceMax = 100

/** Deletes the locks of this clone that ended and tell nothing any more. */
export async function collectLocal(repository: Workspace, nowUnixMs: number): Promise<Collected> {
  const locks = (await locksInSight(repository)).filter(({ level }) => level === 'local')
  const removed = await deleteLocal(repository, await withoutUse(repository, locks, nowUnixMs))
  return { removed, kept: locks.length - removed, level: 'local', remote: null, refused: [] }
}

/** Deletes ended locks of this clone when there are many. A failure is a warning. */
export async function collectLocalByTheWay(repository: Workspace): Promise<void> {
  await byTheWay(repository, async () => {
    const nowUnixMs = repository.facts.clock.nowUnixMs()
    const locks = (await locksInSight(repository)).filter(({ level }) => level === 'local')
    if (countEnded(locks, nowUnixMs) < collectedByTheWayMin) return 0
    const useless = await withoutUse(repository, locks, nowUnixMs)
    return useless.length < collectedByTheWayMin ? 0 : deleteLocal(repository, useless)
  })
}

/** Tidying must not fail what the command did. */
async function byTheWay(repository: Workspace, work: () => Promise<number>): Promise<number> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof GriteError)) throw error
    tellFailure(repository, error)
    return 0
  }
}

function tellFailure({ facts }: Workspace, { message, details }: GriteError): void {
  facts.warn({ code: 'lock-kept', message: `ended locks could not be deleted now: ${message}`, details })
}

async function deleteLocal({ git }: Workspace, locks: readonly ReadableLock[]): Promise<number> {
  return deleteUnmovedRefs(
    git,
    locks.map(({ found }) => ({ ref: found.ref, expected: found.oid })),
  )
}

/** Deletes on a remote what the Rust tool has left there and has ended, and leases that ended long ago. */
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
 * Deletes ended leases on a remote when there are many. A remote that refuses that is asked again a week later; another
 * failure is a warning.
 * @returns how many were deleted
 */
export async function collectRemoteByTheWay(
  repository: Workspace,
  remote: string,
  context: Pick<CommandContext, 'progress' | 'warn'>,
): Promise<number> {
  return byTheWay(repository, () => collectIfMany(repository, remote, context))
}

async function collectIfMany(
  repository: Workspace,
  remote: string,
  { progress, warn }: Pick<CommandContext, 'progress' | 'warn'>,
): Promise<number> {
  const { paths, facts } = repository
  const nowUnixMs = facts.clock.nowUnixMs()
  const locks = await locksOf(repository, remote)
  if (countEnded(locks, nowUnixMs) < collectedByTheWayMin) return 0
  if (!(await mayAskForDeletion(paths, remote, nowUnixMs))) return 0
  const ended = await collectableOf(repository, locks)
  if (ended.length < collectedByTheWayMin) return 0
  const { removed, refused, failure } = await deleteOnRemote(repository, remote, { ended, progress })
  if (failure !== null) tellFailure(repository, failure)
  const [first] = refused
  if (first === undefined) return removed
  await noteRefusedDeletion(paths, remote, nowUnixMs)
  const shown = showRemote(remote)
  const message = `'${shown}' does not delete the refs of ${refused.length} ended leases: ${makeVisible(first.reason)}; the next try is in a week`
  warn({ code: 'lock-kept', message, details: { remote: shown, ref: first.ref, count: refused.length } })
  return removed
}

async function locksOf(repository: Workspace, remote: string): Promise<LockInSight[]> {
  const part = encodeRefPart(remote)
  return (await locksInSight(repository)).filter(({ remotePart }) => remotePart === part)
}

function countEnded(locks: readonly LockInSight[], nowUnixMs: number): number {
  return locks.filter(isReadable).filter((sight) => stateInSight(sight, nowUnixMs) !== 'live').length
}

async function collectableOf(repository: Workspace, locks: readonly LockInSight[]): Promise<ReadableLock[]> {
  const nowUnixMs = repository.facts.clock.nowUnixMs()
  const old = locks.filter(isReadable).filter(({ kind, found }) => {
    if (kind === 'lock') return true
    return isCollectable(found.lock, { committedAtUnixMs: found.committedAtUnixMs, nowUnixMs })
  })
  return withoutUse(repository, old, nowUnixMs)
}

/** Those that ended and tell nothing any more. */
async function withoutUse(
  repository: Workspace,
  locks: readonly LockInSight[],
  nowUnixMs: number,
): Promise<ReadableLock[]> {
  const useless: ReadableLock[] = []
  for (const sight of locks.filter(isReadable)) {
    if (stateInSight(sight, nowUnixMs) === 'live') continue
    if (!(await tellsOfFreeIssue(() => repository.view(), sight, nowUnixMs))) useless.push(sight)
  }
  return useless
}

/**
 * Whether a lock that ended says of an open issue that it is free although somebody is assigned. One of a closed issue
 * says so for a day, since the issue may be opened again.
 */
export async function tellsOfFreeIssue(
  openView: () => Promise<View>,
  { level, kind, found: { lock, committedAtUnixMs } }: ReadableLock,
  nowUnixMs: number,
): Promise<boolean> {
  const issueId = issueOfResource(lock.resource)
  if (issueId === null || lock.claim === null) return false
  const state = await (await openView()).findIssue(issueId)
  // The log of a remote may not have arrived here.
  if (state === undefined) return level === 'remote' && kind === 'lease'
  if (!hasLeftBehind(state, [lock])) return false
  return currentState(state) === 'open' || !hasLongEnded(lock, { committedAtUnixMs, nowUnixMs })
}

interface RemoteDeletions extends Pick<Collected, 'removed' | 'refused'> {
  /** Why it ended before all were asked for. */
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
      // A host that takes none of so many takes none of the next either.
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
