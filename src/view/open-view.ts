/**
 * Opening the view of an actor: take its lock, judge what is there, catch up with the log, rebuild where that cannot
 * be trusted. The caller gets a view that shows the log as it is now.
 */
import { type GitPort, type Oid, Retry, type SharedPermissions } from '../git/index.ts'
import { CorruptObjectError, type Event, StorageError, UnusableSnapshotError } from '../model/index.ts'
import {
  type IssueStream,
  incompleteLog,
  type LogProblem,
  listSnapshots,
  openSnapshot,
  readSnapshot,
  requireSnapshotOf,
  type Snapshot,
  type SnapshotRef,
} from '../wal/index.ts'
import { type CatchUpOptions, type CatchUpOutcome, catchUp } from './catch-up.ts'
import { fillView } from './fill.ts'
import { isStoreFailure, type OpenFailure, openMemoryStore, type Store } from './store.ts'
import { type HeldHead, View } from './view.ts'
import { ViewDirectory } from './view-directory.ts'

/** A reader that has waited this long for another process's view folds the log for itself. */
export const viewWaitMsMax = 2000
const pollMs = 10
/** Directories given up in a row before a view is made in memory. */
const openFailuresMax = 4

export interface OpenViewOptions {
  readonly git: GitPort
  /** The log that the view shows. */
  readonly stream: IssueStream
  /** The `level` folder of the view. */
  readonly directory: string
  /** What modes the files of the view get; default those of the umask. */
  readonly permissions?: SharedPermissions
  readonly clock: { readonly nowUnixMs: () => number }
  readonly onNewEvents?: (events: readonly Event[]) => void
  readonly report: (problem: LogProblem) => void
  readonly warn: (code: string, message: string, details?: Readonly<Record<string, unknown>>) => void
  readonly progress?: (commitsDone: number) => void
  /** As for a catch-up. */
  readonly hydrate?: CatchUpOptions['hydrate']
  readonly doubtsHead?: boolean
  readonly trustsRemotes?: boolean
}

/** What a view leaves to the one that replaces it: where the log once was, and which heads are gone, for good or in part. */
interface Heritage {
  readonly heads: readonly Oid[]
  readonly lostHeads: readonly string[]
  readonly heldHeads: readonly HeldHead[]
  readonly eventCount: number
}

const noHeritage: Heritage = { heads: [], lostHeads: [], heldHeads: [], eventCount: 0 }

function heritageOf({ head, apartHeads, lostHeads, heldHeads, eventCount }: View): Heritage {
  const heads = [...(head === null ? [] : [head]), ...apartHeads] as Oid[]
  return { heads, lostHeads, heldHeads, eventCount }
}

/** A view that corresponds to the log's head as it was a moment ago. */
export async function openView(options: OpenViewOptions): Promise<View> {
  const directory = new ViewDirectory(options.directory, options.permissions)
  const opened = await openStore(options, directory)
  if (opened === undefined) return openThrowAwayView(options, noHeritage)
  const view = await readView(options, directory, opened)
  if (view === undefined) return replaceView(options, noHeritage)
  try {
    const outcome = await catchUp({ ...options, view })
    if (outcome === 'read-only') {
      await view.close()
      return openThrowAwayView(options, heritageOf(view))
    }
    if (outcome !== 'rebuild-needed') return view
  } catch (error) {
    await view.close()
    if (!isStoreFailure(error)) throw error
    tellRebuilt(options, error)
    return replaceView(options, heritageOf(view))
  }
  await view.close()
  return replaceView(options, heritageOf(view))
}

/**
 * Folds the log into a fresh numbered directory and switches to it.
 *
 * @param present - the view of this directory that is open in this process; without it, none is
 * @throws {StorageError} when nothing can be written there; the old view stays as it was
 * @throws {IncompleteLogError} when the old view has events of a part of the log that is not here; it stays as it was
 */
export async function rebuildView(options: OpenViewOptions, present?: View): Promise<View> {
  const heritage = present === undefined ? await readHeritage(options) : heritageOf(present)
  return rebuild(options, heritage, { requireEvents: heritage.eventCount })
}

/**
 * As `rebuildView`, for a view on which a read has failed: LevelDB opens a file when it is first needed, which may be long
 * after the view was opened. In memory where nothing can be written.
 */
export async function replaceUnreadableView(options: OpenViewOptions, failure: unknown, present?: View): Promise<View> {
  const heritage = present === undefined ? await readHeritage(options) : heritageOf(present)
  tellRebuilt(options, failure)
  return replaceView(options, heritage)
}

/** What a snapshot may be used for. */
export interface SnapshotLicence {
  /** Whether the log may hold a record more than once, though the snapshot does not say so. */
  readonly hasRepeats: boolean
  /** Whether the problems that it reports are those of the log. */
  readonly isReportTrue: boolean
}

/**
 * Decides whether a snapshot of the log is used.
 * @throws {UnusableSnapshotError} to pass over it; the message says why
 */
export type JudgeSnapshot<Licence extends SnapshotLicence> = (snapshot: Snapshot) => Promise<Licence>

export interface RebuiltView<Licence extends SnapshotLicence = SnapshotLicence> {
  readonly view: View
  /** What the rebuild started from; null when it had to read the whole log. */
  readonly snapshot: Snapshot | null
  /** What the judge said of it. */
  readonly licence: Licence | null
}

/** Snapshots that are looked at, newest first. */
const snapshotsTriedMax = 100
/** Snapshots that fail while they are read, each of which may cost most of a rebuild. */
const failuresMax = 8
/** Snapshots that are passed over with a warning each; the others are counted. */
const warningsMax = 8

/**
 * As `rebuildView`, but takes what the newest usable snapshot holds from there, and from the log only what came after.
 * The view is the same. Snapshots that are passed over are named.
 */
export async function rebuildViewFromSnapshot<Licence extends SnapshotLicence>(
  options: OpenViewOptions,
  judge: JudgeSnapshot<Licence>,
  present?: View,
): Promise<RebuiltView<Licence>> {
  const { git, stream, warn } = options
  const heritage = present === undefined ? await readHeritage(options) : heritageOf(present)
  const head = await git.readRef(stream.ref)
  const rows = head === null ? [] : await findSnapshots(options)
  let passedOver = 0
  let failures = 0
  for (const row of rows.slice(0, snapshotsTriedMax)) {
    let isJudged = false
    try {
      const snapshot = await openSnapshot(git, row)
      await requireSnapshotOf(git, snapshot, head as Oid)
      const licence = await judge(snapshot)
      isJudged = true
      return { view: await rebuild(options, heritage, { from: { snapshot, licence } }), snapshot, licence }
    } catch (error) {
      if (!(error instanceof UnusableSnapshotError)) throw error
      passedOver += 1
      if (passedOver <= warningsMax) warn('snapshot-unusable', `snapshot not used: ${error.message}`, error.details)
      if (isJudged && ++failures === failuresMax) break
    }
  }
  if (passedOver > warningsMax) warn('snapshot-unusable', `${passedOver - warningsMax} more snapshots were not used`)
  const why = rows.length === 0 ? 'there is no snapshot' : 'no snapshot could be used'
  warn('snapshot-unusable', `${why}; the whole log was read`)
  const view = await rebuild(options, heritage, { requireEvents: heritage.eventCount })
  return { view, snapshot: null, licence: null }
}

/** The snapshots there are; none when something that is no ref stands in their place. */
async function findSnapshots({ git, warn }: OpenViewOptions): Promise<readonly SnapshotRef[]> {
  try {
    return await listSnapshots(git, (ref, reason) => warn('snapshot-unusable', `snapshot not used: ${ref} ${reason}`))
  } catch (error) {
    if (!(error instanceof CorruptObjectError)) throw error
    warn('snapshot-unusable', `snapshots not used: ${error.message}`)
    return []
  }
}

/** A view rebuilt from the log, for an open one that cannot be caught up with it. The open one stays as it is. */
export function replaceOpenView(options: OpenViewOptions, present: View): Promise<View> {
  return replaceView(options, heritageOf(present))
}

/** As `rebuildView`; where nothing can be written, what is asked for is answered from memory. */
async function replaceView(options: OpenViewOptions, heritage: Heritage): Promise<View> {
  try {
    return await rebuild(options, heritage)
  } catch (error) {
    if (!(error instanceof StorageError)) throw error
    return openThrowAwayView(options, heritage)
  }
}

interface RebuildFrom {
  readonly from?: SnapshotSource
  /** Events that the new view has to have at least where the log is incomplete. */
  readonly requireEvents?: number
}

async function rebuild(
  options: OpenViewOptions,
  heritage: Heritage,
  { from, requireEvents = 0 }: RebuildFrom = {},
): Promise<View> {
  const directory = new ViewDirectory(options.directory, options.permissions)
  const created = await directory.create().catch((error: unknown) => {
    throw asStorageFailure(error)
  })
  const view = (await View.over(created.store, { ...options, deferred: true })) as View
  try {
    if (from !== undefined) await fillFromSnapshot(options, view, from)
    const outcome = await fillFromLog(options, view, heritage)
    if (from !== undefined && outcome === 'rebuild-needed') throw lostMeanwhile(from.snapshot)
    if (view.gaps.count > 0 && view.eventCount < requireEvents) {
      throw incompleteLog(`the view was kept, because it has events of that part`, view.gaps)
    }
    await view.writeMeta('last_rebuild_ts', `${options.clock.nowUnixMs()}`)
    await view.noteEventsAtRebuild()
    await directory.switchTo(created.number)
    return view
  } catch (error) {
    await view.close().catch(() => {})
    await directory.remove(created.number).catch(() => {})
    throw isStoreFailure(error) ? asStorageFailure(error) : error
  }
}

function asStorageFailure(error: unknown): StorageError {
  const { message, cause } = error as Error
  // LevelDB's own words stand in the cause.
  const reason = cause instanceof Error ? cause.message : message
  return new StorageError(`the view cannot be written: ${reason}`, { cause: error })
}

/** A throw-away view in memory: where nothing can be written, or the lock cannot be had. */
async function openThrowAwayView(options: OpenViewOptions, heritage: Heritage): Promise<View> {
  const view = (await View.over(await openMemoryStore(), { ...options, deferred: true })) as View
  await fillFromLog({ ...options, isThrowAway: true }, view, heritage)
  return view
}

interface SnapshotSource {
  readonly snapshot: Snapshot
  readonly licence: SnapshotLicence
}

/** Brings everything up to a snapshot's `walHead` into an empty view. @throws {UnusableSnapshotError} */
async function fillFromSnapshot(
  { git, report, warn, progress }: OpenViewOptions,
  view: View,
  { snapshot, licence }: SnapshotSource,
): Promise<void> {
  const problems: LogProblem[] = []
  await fillView(view, {
    head: snapshot.walHead,
    source: readSnapshot(git, snapshot),
    // Told only once the snapshot has turned out sound; otherwise the log tells them.
    report: (problem) => void problems.push(problem),
    ...(progress === undefined ? {} : { progress }),
  })
  // What this repository lacks of the snapshot itself was found here.
  for (const problem of problems) if (licence.isReportTrue || problem.commit === snapshot.oid) report(problem)
  const { problemCount = 0, hasRepeats = false } = snapshot.report ?? {}
  if (!licence.isReportTrue && problemCount > 0) {
    const problemsText = problemCount === 1 ? '1 problem' : `${problemCount} problems`
    const message = `${snapshot.ref} reports ${problemsText} of the log that could not be confirmed; \`grite db check\` shows what there is`
    warn('snapshot-report', message, { ref: snapshot.ref, oid: snapshot.oid, problem_count: problemCount })
  }
  if (hasRepeats || licence.hasRepeats) await view.noteRepeats()
}

function lostMeanwhile({ ref }: Snapshot): UnusableSnapshotError {
  return new UnusableSnapshotError(`${ref}: the log was moved away from its wal_head meanwhile`, { details: { ref } })
}

async function fillFromLog(
  options: OpenViewOptions & { readonly isThrowAway?: boolean },
  view: View,
  { heads, lostHeads, heldHeads }: Heritage,
): Promise<CatchUpOutcome> {
  if (lostHeads.length > 0) await view.rememberLostHeads(lostHeads)
  await view.rememberHeldHeads(heldHeads)
  const outcome = await catchUp({ ...options, view, formerHeads: heads })
  // What cannot be put back stays with the view that saw it; a fresh one on disk shows what the log has.
  if (outcome === 'read-only') throw new StorageError('lost events cannot be put back into the log')
  return outcome
}

/** What the view in use knows, before it is replaced. One that cannot be read is put aside. */
async function readHeritage(options: OpenViewOptions): Promise<Heritage> {
  const directory = new ViewDirectory(options.directory, options.permissions)
  tellAside(options, await directory.setAsideObstacle().catch(() => null))
  if ((await directory.readCurrent()) === undefined) return noHeritage
  const opened = await openStore(options, directory).catch(() => undefined)
  if (opened === undefined) return noHeritage
  const view = await readView(options, directory, opened)
  if (view === undefined) return noHeritage
  await view.close()
  return heritageOf(view)
}

/** The view in a store. Undefined when the store holds none that can be read; then it is out of the way. */
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
    // Where nothing can be renamed, nothing can be rebuilt either: the log is folded in memory.
    tellAside(options, await directory.setAside(opened.number).catch(() => null))
    return undefined
  }
}

/** A store of another schema is ours to replace; one that holds something else is somebody's. */
async function discardForeign(
  options: OpenViewOptions,
  directory: ViewDirectory,
  { store, number }: OpenedStore,
): Promise<void> {
  const isOurs = await View.isOurs(store)
  await store.close()
  if (!isOurs) tellAside(options, await directory.setAside(number))
}

interface OpenedStore {
  readonly store: Store
  readonly number: number
}

/** The store in use, or a first one; undefined when this process cannot have it and shall fold in memory. */
async function openStore(options: OpenViewOptions, directory: ViewDirectory): Promise<OpenedStore | undefined> {
  // Asked for only when there is something to wait for: the first look at `performance` loads 2 ms of Node.
  let retry: Retry | undefined
  let failures = 0
  for (;;) {
    const attempt = await directory.open()
    if (attempt.store !== null) return attempt
    switch (attempt.reason) {
      case 'read-only':
      case 'full':
        return undefined
      case 'locked':
        retry ??= retryWhileLocked()
        if (!(await retry.again())) return undefined
        break
      case 'missing':
      case 'unreadable':
        if (++failures > openFailuresMax || !(await makeWay(options, directory, attempt))) return undefined
    }
  }
}

function retryWhileLocked(): Retry {
  return new Retry({ firstMs: pollMs, forMs: viewWaitMsMax, jitter: () => 0.5, nowMs: () => performance.now() })
}

/** Clears away what keeps a view from being opened. False where this cannot be done. */
async function makeWay(
  options: OpenViewOptions,
  directory: ViewDirectory,
  { number, reason }: { readonly number: number; readonly reason: OpenFailure },
): Promise<boolean> {
  try {
    // A rebuild that replaced a directory has named its successor before; else nobody ever will.
    if (reason === 'missing') await directory.forget(number)
    else tellAside(options, (await directory.setAsideObstacle()) ?? (await directory.setAside(number)))
    return true
  } catch {
    return false
  }
}

function tellRebuilt({ warn }: OpenViewOptions, failure: unknown): void {
  warn('view-rebuilt', `the view could not be used (${(failure as Error).message}) and is rebuilt`)
}

function tellAside({ warn }: OpenViewOptions, aside: string | null): void {
  if (aside !== null) warn('view-set-aside', `the view could not be read; it was moved to ${aside} and is rebuilt`)
}
