/**
 * Opens the view of an actor: acquire its lock, check it, catch up with the log, rebuild when it cannot be trusted. The
 * caller gets a view that shows the log as it is now.
 */
import { setImmediate } from 'node:timers/promises'
import { type GitPort, type Oid, Retry, type SharedPermissions } from '../git/index.ts'
import { CorruptObjectError, type Event, StorageError, UnusableSnapshotError } from '../model/index.ts'
import {
  type IssueStream,
  incompleteLog,
  type LogProblem,
  listSnapshots,
  openSnapshot,
  readLog,
  readSnapshot,
  requireSnapshotOf,
  type Snapshot,
  type SnapshotRef,
} from '../wal/index.ts'
import { type CatchUpOptions, type CatchUpOutcome, catchUp } from './catch-up.ts'
import { fillView } from './fill.ts'
import { keepRows } from './keep-rows.ts'
import { type PrefetchedLog, prefetchLog } from './prefetched-log.ts'
import { isStoreFailure, type OpenFailure, openMemoryStore, type Store } from './store.ts'
import { type HeldHead, View } from './view.ts'
import { ViewDirectory } from './view-directory.ts'

/** A reader that has waited this long for a view that one process has open folds the log itself. Milliseconds. */
export const viewWaitMsMax = 2000
/** As long as other processes take turns, it waits longer: a turn is short, and a long log takes seconds. Milliseconds. */
const queueWaitMsMax = 10_000
/** Who has waited longest asks most often, so that those who come later do not overtake. */
const pollMsFirst = 12
const pollFactor = 0.97
/** A process that leaves the view stays away for about this time, and may then be the next to have it. Milliseconds. */
const askAgainMs = 150
/** Consecutive unusable directories before a view is built in memory. */
const openFailuresMax = 4

export interface OpenViewOptions {
  readonly git: GitPort
  /** The log that the view shows. */
  readonly stream: IssueStream
  /** The `level` folder of the view. */
  readonly directory: string
  /** File modes of the view; by default those of the umask. */
  readonly permissions?: SharedPermissions
  readonly clock: { readonly nowUnixMs: () => number }
  readonly onNewEvents?: (events: readonly Event[]) => void
  readonly report: (problem: LogProblem) => void
  readonly warn: (code: string, message: string, details?: Readonly<Record<string, unknown>>) => void
  readonly progress?: (commitsDone: number) => void
  /** Called every 150 ms or so while another process has the view open. */
  readonly onLocked?: () => Promise<void>
  /** See `CatchUpOptions`. */
  readonly hydrate?: CatchUpOptions['hydrate']
  readonly doubtsHead?: boolean
  /** See `CatchUpOptions`. */
  readonly gained?: CatchUpOptions['gained']
  readonly trustsRemotes?: boolean
  /** Whether closing the view updates its rows files: for a process that opens it once. */
  readonly keepsRows?: boolean
}

/** Facts that a view passes to its replacement: former heads of the log, and lost or held heads. */
interface FormerState {
  readonly heads: readonly Oid[]
  readonly lostHeads: readonly string[]
  readonly heldHeads: readonly HeldHead[]
  readonly eventCount: number
}

const noFormerState: FormerState = { heads: [], lostHeads: [], heldHeads: [], eventCount: 0 }

function formerStateOf({ head, apartHeads, lostHeads, heldHeads, eventCount }: View): FormerState {
  const heads = [...(head === null ? [] : [head]), ...apartHeads] as Oid[]
  return { heads, lostHeads, heldHeads, eventCount }
}

/** A view at the log's head as of a moment ago. */
export async function openView(options: OpenViewOptions): Promise<View> {
  const directory = new ViewDirectory(options.directory, options.permissions)
  const opened = await openStore(options, directory)
  if (opened === undefined) return openThrowAwayView(options, noFormerState)
  const view = await readView(options, directory, opened)
  if (view === undefined) return replaceView(options, noFormerState)
  try {
    const outcome = await catchUp({ ...options, view })
    if (outcome === 'read-only') {
      await view.close()
      return openThrowAwayView(options, formerStateOf(view))
    }
    if (outcome !== 'rebuild-needed') return view
  } catch (error) {
    await view.close()
    if (!isStoreFailure(error)) throw error
    warnRebuilt(options, error)
    return replaceView(options, formerStateOf(view))
  }
  await view.close()
  return replaceView(options, formerStateOf(view))
}

/**
 * Folds the log into a fresh numbered directory and switches to it.
 *
 * @param present - the view of this directory that is open in this process, if any
 * @throws {StorageError} when the directory is not writable; the old view stays unchanged
 * @throws {IncompleteLogError} when the old view has events of a missing part of the log; it stays unchanged
 */
export async function rebuildView(options: OpenViewOptions, present?: View): Promise<View> {
  // First: git walks the whole history before its first answer. It runs before this process waits for anything.
  const prefetching = startPrefetching(options)
  // It may fail before it is waited for.
  prefetching.catch(() => {})
  await setImmediate()
  const formerState = await startReadingFormerState(options, present)
  return rebuild(options, formerState, { keepsEvents: true, prefetching })
}

/**
 * Like `rebuildView`, for a view on which a read failed: LevelDB opens files on demand, possibly long after the view
 * was opened. In memory when the directory is not writable.
 */
export async function replaceUnreadableView(options: OpenViewOptions, failure: unknown, present?: View): Promise<View> {
  const formerState = await startReadingFormerState(options, present)
  warnRebuilt(options, failure)
  return replaceView(options, await formerState.value)
}

/** Permission to use a snapshot, and its limits. */
export interface SnapshotLicence {
  /** Whether the log may hold a record more than once, though the snapshot does not say so. */
  readonly hasRepeats: boolean
  /** Whether its reported problems are those of the log. */
  readonly isReportTrue: boolean
}

/**
 * Decides whether to use a snapshot of the log. The licence may come later, after a comparison with the log: meanwhile the new
 * view is filled, and discarded if the licence is refused.
 * @throws {UnusableSnapshotError} to skip it, now or in place of the licence; the message says why
 */
export type JudgeSnapshot<Licence extends SnapshotLicence> = (
  snapshot: Snapshot,
) => Promise<{ readonly licence: Licence | Promise<Licence> }>

export interface RebuiltView<Licence extends SnapshotLicence = SnapshotLicence> {
  readonly view: View
  /** The snapshot that the rebuild started from; null when it read the whole log. */
  readonly snapshot: Snapshot | null
  /** The judge's answer for it. */
  readonly licence: Licence | null
}

/** Snapshots tried, newest first. */
const snapshotsTriedMax = 100
/** Snapshots that may fail during reading; each may cost most of a rebuild. */
const failuresMax = 8
/** Skipped snapshots with a separate warning; more are only counted. */
const warningsMax = 8

/**
 * Like `rebuildView`, but reads the newest usable snapshot, and from the log only later commits. The resulting view is
 * the same. Warns about skipped snapshots.
 */
export async function rebuildViewFromSnapshot<Licence extends SnapshotLicence>(
  options: OpenViewOptions,
  judge: JudgeSnapshot<Licence>,
  present?: View,
): Promise<RebuiltView<Licence>> {
  const { git, stream, warn } = options
  const formerState = await startReadingFormerState(options, present)
  const head = await git.readRef(stream.ref)
  const rows = head === null ? [] : await findSnapshots(options)
  let passedOver = 0
  let failures = 0
  for (const row of rows.slice(0, snapshotsTriedMax)) {
    let isJudged = false
    try {
      const snapshot = await openSnapshot(git, row)
      await requireSnapshotOf(git, snapshot, head as Oid)
      const licence = Promise.resolve((await judge(snapshot)).licence)
      // It may be refused before it is waited for.
      licence.catch(() => {})
      const filled = rebuild(options, formerState, { from: { snapshot, licence } })
      filled.catch(() => {})
      // A refusal says more than how the filling then ended.
      await filled.catch(() => licence)
      const granted = await licence
      isJudged = true
      return { view: await filled, snapshot, licence: granted }
    } catch (error) {
      if (!(error instanceof UnusableSnapshotError)) throw error
      passedOver += 1
      if (passedOver <= warningsMax) warn('snapshot-unusable', `skipped snapshot: ${error.message}`, error.details)
      if (isJudged && ++failures === failuresMax) break
    }
  }
  if (passedOver > warningsMax) warn('snapshot-unusable', `skipped ${passedOver - warningsMax} more snapshots`)
  const why = rows.length === 0 ? 'there is no snapshot' : 'no snapshot is usable'
  warn('snapshot-unusable', `${why}; read the whole log`)
  const view = await rebuild(options, formerState, { keepsEvents: true })
  return { view, snapshot: null, licence: null }
}

/** The existing snapshots; none when their refs are unreadable. */
async function findSnapshots({ git, warn }: OpenViewOptions): Promise<readonly SnapshotRef[]> {
  try {
    return await listSnapshots(git, (ref, reason) => warn('snapshot-unusable', `skipped snapshot: ${ref} ${reason}`))
  } catch (error) {
    if (!(error instanceof CorruptObjectError)) throw error
    warn('snapshot-unusable', `skipped all snapshots: ${error.message}`)
    return []
  }
}

/** A view rebuilt from the log, for an open one that cannot catch up. The open one stays unchanged. */
export function replaceOpenView(options: OpenViewOptions, present: View): Promise<View> {
  return replaceView(options, formerStateOf(present))
}

/** Like `rebuildView`; in memory when the directory is not writable. */
async function replaceView(options: OpenViewOptions, formerState: FormerState): Promise<View> {
  try {
    return await rebuild(options, { value: formerState })
  } catch (error) {
    if (!(error instanceof StorageError)) throw error
    return openThrowAwayView(options, formerState)
  }
}

interface RebuildFrom {
  readonly from?: SnapshotSource
  /** If the log is incomplete, the new view must have as many events as the old one. */
  readonly keepsEvents?: boolean
  /** The log, when its reading has begun. */
  readonly prefetching?: Promise<PrefetchedLog | undefined>
}

/** Starts git on the whole log. Not in a partial clone, where missing parts are fetched first. */
function startPrefetching({ git, stream, hydrate }: OpenViewOptions): Promise<PrefetchedLog | undefined> {
  return hydrate === undefined ? prefetchLog(git, stream) : Promise.resolve(undefined)
}

async function rebuild(
  options: OpenViewOptions,
  formerState: PendingFormerState,
  { from, keepsEvents = false, prefetching }: RebuildFrom = {},
): Promise<View> {
  // While git starts, the new view is created and the old one opened.
  const prefetched = from === undefined ? await (prefetching ?? startPrefetching(options)) : undefined
  try {
    const directory = new ViewDirectory(options.directory, options.permissions)
    const created = await directory.create().catch((error: unknown) => {
      throw asStorageFailure(error)
    })
    const view = (await View.over(withRows(options, created.store, true), { ...options, deferred: true })) as View
    try {
      await prefetched?.prepare()
      if (from !== undefined) await fillFromSnapshot(options, view, from)
      const former = await formerState.value
      const outcome = await fillFromLog({ ...options, prefetched }, view, former)
      if (from !== undefined && outcome === 'rebuild-needed') throw movedDuringRebuild(from.snapshot)
      if (keepsEvents && view.gaps.count > 0 && view.eventCount < former.eventCount) {
        throw incompleteLog(`kept the view, because it has events of the missing part`, view.gaps)
      }
      await view.writeMeta('last_rebuild_ts', `${options.clock.nowUnixMs()}`)
      await view.noteEventsAtRebuild()
      // The view is complete, so a failure to compact it is only that of its next write.
      const compacted = view.store.compactLog().catch(() => {})
      await directory.switchTo(created.number)
      await compacted
      return view
    } catch (error) {
      await view.close().catch(() => {})
      await directory.remove(created.number).catch(() => {})
      throw isStoreFailure(error) ? asStorageFailure(error) : error
    }
  } finally {
    await prefetched?.close()
    // Whatever failed above, the old view must not stay open.
    await Promise.resolve(formerState.value).catch(() => {})
  }
}

function asStorageFailure(error: unknown): StorageError {
  const { message, cause } = error as Error
  // LevelDB's own message is in the cause.
  const reason = cause instanceof Error ? cause.message : message
  return new StorageError(`cannot write the view: ${reason}`, { cause: error })
}

/** A throw-away view in memory: when the directory is not writable, or its lock is unavailable. */
async function openThrowAwayView(options: OpenViewOptions, formerState: FormerState): Promise<View> {
  const view = (await View.over(await openMemoryStore(), { ...options, deferred: true })) as View
  await fillFromLog({ ...options, isThrowAway: true }, view, formerState)
  return view
}

/** A view in memory of the log up to a commit, for a question about the past. The caller closes it. */
export async function foldInMemory(git: GitPort, stream: IssueStream, head: Oid | null): Promise<View> {
  const view = (await View.over(await openMemoryStore(), { deferred: true })) as View
  if (head !== null) await fillView(view, { head, source: readLog(git, stream, { head }), report: () => {} })
  return view
}

interface SnapshotSource {
  readonly snapshot: Snapshot
  readonly licence: Promise<SnapshotLicence>
}

/** Fills an empty view with everything up to a snapshot's `walHead`. @throws {UnusableSnapshotError} */
async function fillFromSnapshot(
  { git, report, warn, progress }: OpenViewOptions,
  view: View,
  { snapshot, licence: pending }: SnapshotSource,
): Promise<void> {
  const problems: LogProblem[] = []
  await fillView(view, {
    head: snapshot.walHead,
    source: unlessRefused(readSnapshot(git, snapshot), pending),
    // Reported only once the snapshot has proved sound; otherwise the log reports them.
    report: (problem) => void problems.push(problem),
    ...(progress === undefined ? {} : { progress }),
  })
  const licence = await pending
  // Missing parts of the snapshot itself are found here.
  for (const problem of problems) if (licence.isReportTrue || problem.commit === snapshot.oid) report(problem)
  const { problemCount = 0, hasRepeats = false } = snapshot.report ?? {}
  if (!licence.isReportTrue && problemCount > 0) {
    const problemsText = problemCount === 1 ? '1 problem' : `${problemCount} problems`
    const message = `${snapshot.ref} reports ${problemsText} of the log that could not be confirmed; run \`grite db check\` to list them`
    warn('snapshot-report', message, { ref: snapshot.ref, oid: snapshot.oid, problem_count: problemCount })
  }
  if (hasRepeats || licence.hasRepeats) await view.noteRepeats()
}

/** Ends as soon as the licence is refused. */
async function* unlessRefused<Item>(
  source: AsyncIterable<Item>,
  licence: Promise<SnapshotLicence>,
): AsyncGenerator<Item> {
  let isRefused = false
  licence.catch(() => {
    isRefused = true
  })
  for await (const item of source) {
    if (isRefused) await licence
    yield item
  }
}

function movedDuringRebuild({ ref }: Snapshot): UnusableSnapshotError {
  return new UnusableSnapshotError(`${ref}: the log was moved away from its wal_head while it was read`, {
    details: { ref },
  })
}

async function fillFromLog(
  options: OpenViewOptions & Pick<CatchUpOptions, 'isThrowAway' | 'prefetched'>,
  view: View,
  { heads, lostHeads, heldHeads }: FormerState,
): Promise<CatchUpOutcome> {
  if (lostHeads.length > 0) await view.rememberLostHeads(lostHeads)
  await view.rememberHeldHeads(heldHeads)
  const outcome = await catchUp({ ...options, view, formerHeads: heads })
  // Events that cannot be restored stay in the view that saw them; a fresh one on disk shows the log's events.
  if (outcome === 'read-only') throw new StorageError('cannot restore lost events in the log')
  return outcome
}

/** What the present view passes on, in an object: an async function cannot return a promise that is still pending. */
interface PendingFormerState {
  readonly value: FormerState | Promise<FormerState>
}

/** Starts to read the facts that the current view passes on before it is replaced. An unreadable view is set aside. */
async function startReadingFormerState(
  options: OpenViewOptions,
  present: View | undefined,
): Promise<PendingFormerState> {
  if (present !== undefined) return { value: formerStateOf(present) }
  const directory = new ViewDirectory(options.directory, options.permissions)
  warnSetAside(options, await directory.setAsideObstacle().catch(() => null))
  const value = readFormerState(options, directory)
  // It may fail before it is waited for.
  value.catch(() => {})
  return { value }
}

async function readFormerState(options: OpenViewOptions, directory: ViewDirectory): Promise<FormerState> {
  if ((await directory.readCurrent()) === undefined) return noFormerState
  const opened = await openStore(options, directory).catch(() => undefined)
  if (opened === undefined) return noFormerState
  const view = await readView(options, directory, opened)
  if (view === undefined) return noFormerState
  await view.close()
  return formerStateOf(view)
}

/** The view in a store. Undefined when the store holds no readable one; then it has been moved away. */
async function readView(
  options: OpenViewOptions,
  directory: ViewDirectory,
  opened: OpenedStore,
): Promise<View | undefined> {
  try {
    const view = await View.over(opened.store, options)
    if (view === undefined) await discardForeign(options, directory, opened)
    return view
  } catch (error) {
    await opened.store.close().catch(() => {})
    if (!isStoreFailure(error)) throw error
    // If it cannot be renamed, a rebuild is impossible too: fold the log in memory.
    warnSetAside(options, await directory.setAside(opened.number).catch(() => null))
    return undefined
  }
}

/** A store of another schema is ours to replace; a store with other content is not. */
async function discardForeign(
  options: OpenViewOptions,
  directory: ViewDirectory,
  { store, number }: OpenedStore,
): Promise<void> {
  const isOurs = await View.isOurs(store)
  await store.close()
  if (!isOurs) warnSetAside(options, await directory.setAside(number))
}

interface OpenedStore {
  readonly store: Store
  readonly number: number
}

/** Waiting for a view that other processes have open. */
class ViewWait {
  readonly #retry = new Retry({
    ...{ firstMs: pollMsFirst, factor: pollFactor, forMs: queueWaitMsMax },
    ...{ jitter: () => 0.5, nowMs: () => performance.now() },
  })
  #holderMark: string | undefined
  #holderSinceMs = 0
  #askAtMs = 0

  /**
   * Waits for a moment.
   * @returns false when it is better to do without the view
   */
  async again(holderMark: string, ask: OpenViewOptions['onLocked']): Promise<boolean> {
    const { elapsedMs } = this.#retry
    if (holderMark !== this.#holderMark) {
      this.#holderMark = holderMark
      this.#holderSinceMs = elapsedMs
    }
    if (elapsedMs - this.#holderSinceMs >= viewWaitMsMax) return false
    if (elapsedMs >= this.#askAtMs) {
      await ask?.()
      this.#askAtMs = this.#retry.elapsedMs + askAgainMs
    }
    return await this.#retry.again()
  }
}

/** The current store, or a first one; undefined when this process cannot get it and must fold in memory. */
async function openStore(options: OpenViewOptions, directory: ViewDirectory): Promise<OpenedStore | undefined> {
  // Created only when there is something to wait for: the first use of `performance` loads 2 ms of Node.
  let wait: ViewWait | undefined
  let failures = 0
  for (;;) {
    const attempt = await directory.open()
    if (attempt.store !== null) return { ...attempt, store: withRows(options, attempt.store) }
    switch (attempt.reason) {
      case 'read-only':
      case 'full':
        return undefined
      case 'locked':
        wait ??= new ViewWait()
        if (!(await wait.again(directory.holderMark(attempt.number), options.onLocked))) return undefined
        break
      case 'missing':
      case 'unreadable':
        if (++failures > openFailuresMax || !(await removeObstacle(options, directory, attempt))) return undefined
    }
  }
}

function withRows({ keepsRows, directory, permissions }: OpenViewOptions, store: Store, isNew = false): Store {
  return keepsRows === true ? keepRows(store, { folder: directory, permissions, isNew }) : store
}

/** Removes the obstacle to opening a view. False when that is impossible. */
async function removeObstacle(
  options: OpenViewOptions,
  directory: ViewDirectory,
  { number, reason }: { readonly number: number; readonly reason: OpenFailure },
): Promise<boolean> {
  try {
    // A rebuild that replaced a directory has already named its successor; otherwise nobody will.
    if (reason === 'missing') await directory.forget(number)
    else warnSetAside(options, (await directory.setAsideObstacle()) ?? (await directory.setAside(number)))
    return true
  } catch {
    return false
  }
}

function warnRebuilt({ warn }: OpenViewOptions, failure: unknown): void {
  warn('view-rebuilt', `rebuilding the view, because it is unusable: ${(failure as Error).message}`)
}

function warnSetAside({ warn }: OpenViewOptions, aside: string | null): void {
  if (aside !== null) warn('view-set-aside', `the view is unreadable; moved it to ${aside} and rebuilding it`)
}
