import { hydrator, shallowMark, showRemote } from '../../git/index.ts'
import { type LogGaps, type LogSync, loadBulkHashing, readTrackedSnapshotRefs, syncLog } from '../../wal/index.ts'
import type { CommandContext } from '../effects.ts'
import { signatureInspector } from '../identity/received-signatures.ts'
import { makeDueSnapshot } from '../snapshots/make-due-snapshot.ts'
import type { Workspace } from '../workspace.ts'
import { type BegunSync, beginSync, onProgressOf } from './begin-sync.ts'
import { fetchMissing } from './complete-log.ts'
import { lendingView } from './lend-view.ts'
import { maintain } from './maintenance.ts'
import type { ChosenRemote } from './remote-name.ts'
import { fillGaps, mayLackObjects, repairForSync, restoreHead, untilClear } from './repair-for-sync.ts'
import { type SnapshotSync, syncSnapshots } from './sync-snapshots.ts'

export interface SyncDirections {
  readonly pull: boolean
  readonly push: boolean
}

export interface RepositorySync extends LogSync {
  /** Number of events that are new to this clone. */
  readonly pulledEvents: number
  readonly snapshots: SnapshotSync
  /** Remaining gaps in the log. */
  readonly gaps: LogGaps
}

/** About as many objects as in the commits from which on reading a log hashes in bulk. */
const bulkObjects = 1000

type SyncContext = Pick<CommandContext, 'progress' | 'clock' | 'random' | 'warn' | 'postponeOptimization'>

/** Synchronizes log and view with a remote. A refused push is part of the result, not an error. */
export async function runSync(
  context: SyncContext,
  repository: Workspace,
  remote: ChosenRemote,
  directions: SyncDirections,
  begun?: BegunSync,
): Promise<RepositorySync> {
  const { progress, early } = begun ?? (await beginSync(context, repository, remote))
  try {
    return await finishSync(context, repository, { ...remote, ...directions, progress, early })
  } finally {
    progress.end()
    await early?.cancel()
  }
}

async function finishSync(
  context: SyncContext,
  repository: Workspace,
  { name, isHome, pull, push, progress, early }: ChosenRemote & SyncDirections & BegunSync,
): Promise<RepositorySync> {
  const { sync } = await repository.config()
  await restoreHead(repository)
  const trackedBefore = await readTrackedSnapshotRefs(repository.git, name)
  let eventsBefore: number | undefined
  // Count before the log is completed.
  if (shallowMark(repository.layout) !== '') eventsBefore = (await repository.view()).eventCount
  /** Must come before the first move of the log. */
  const countBefore = async () => {
    const view = await repository.glance()
    eventsBefore ??= view.eventCount
    return view
  }
  let isRefreshed = false
  let begun = early
  const syncOnce = async () => {
    const landing = begun
    begun = undefined
    const inspecting = { remote: showRemote(name), warn: context.warn, beforeJudging: countBefore }
    return syncLog(
      {
        git: repository.git,
        remotes: lendingView(repository),
        queue: repository.queue,
        clock: context.clock,
        jitter: () => (context.random.bytes(1)[0] as number) / 256,
        at: repository.atSync,
      },
      {
        remote: name,
        isHome,
        pull,
        push,
        runHooks: sync.runHooks,
        inspect: await signatureInspector(repository, inspecting),
        mayRepeat: async () => (await countBefore()).mayRepeat,
        hydrate: hydrator(repository),
        // Opening the view also restores lost events of the log.
        async meanwhile() {
          await countBefore()
          if (((await landing?.arriving) ?? 0) >= bulkObjects) await loadBulkHashing()
        },
        whenApart: context.postponeOptimization,
        async whilePushing(gained) {
          await repository.refresh(gained)
          isRefreshed = true
          // Also writes the rows files.
          await repository.closeView()
        },
        onProgress: onProgressOf(progress),
        early: landing,
      },
    )
  }
  let result = await untilClear(syncOnce, async (error) => {
    await early?.cancel()
    return repairForSync(context, repository, name, error)
  })
  // git cannot push an incomplete history; the remote may have the missing objects.
  const lacksObjects = result.refused !== null && mayLackObjects(result.refused)
  if (lacksObjects && (await fillGaps(context, repository, name))) result = await syncOnce()
  const { gained } = result
  let view = gained === null || isRefreshed ? await repository.glance() : await repository.refresh(gained)
  const found = await fetchMissing(context, repository, { remote: name, gaps: view.gaps })
  if (found > 0) view = await repository.refresh(null)
  const { pushed, after, remoteHead } = result
  // Snapshot only what we pushed; if others have pushed in the meantime, they make the next snapshot.
  if (pushed && isHome && after !== null && after === remoteHead) await makeDueSnapshot(repository, context, after)
  const snapshots = await syncSnapshots(context, repository, {
    ...{ remote: name, trackedBefore, remoteHead, push, runHooks: sync.runHooks },
    lostItsLog: result.remoteChange === 'lost',
  })
  if (result.before !== result.after) await maintain(repository)
  return { ...result, pulledEvents: Math.max(0, view.eventCount - (eventsBefore ?? 0)), snapshots, gaps: view.gaps }
}
