import { type Oid, setAsideCorruptObject, shallowMark, showRemote } from '../../git/index.ts'
import { CorruptObjectError, GriteError, IncompleteLogError, NotFoundError, RemoteError } from '../../model/index.ts'
import { type LogGaps, type LogSync, readTrackedSnapshotRefs, syncLog } from '../../wal/index.ts'
import type { CommandContext } from '../context.ts'
import { maintain } from '../maintenance.ts'
import { signatureInspector } from '../received-signatures.ts'
import type { Repository } from '../repository.ts'
import { makeDueSnapshot } from '../snapshot/make-due-snapshot.ts'
import { deleteUnreadRefs, fetchMissing } from './complete-log.ts'
import { hydrator } from './hydrate.ts'
import { lendingView } from './lend-view.ts'
import type { ChosenRemote } from './remote-name.ts'
import { type SnapshotSync, syncSnapshots } from './sync-snapshots.ts'

export interface SyncDirections {
  readonly pull: boolean
  readonly push: boolean
}

export interface RepositorySync extends LogSync {
  /** Events that this clone did not have before. */
  readonly pulledEvents: number
  readonly snapshots: SnapshotSync
  /** What the log lacks here all the same. */
  readonly gaps: LogGaps
}

/** A log whose head cannot be read is put back on what it had before, or stays as it is for the remote to replace. */
async function putBackHead(repository: Repository): Promise<void> {
  try {
    await repository.requireSoundHead()
  } catch (error) {
    if (!(error instanceof IncompleteLogError)) throw error
  }
}

/** What git or the log says where an object is missing or damaged here. */
function mayBeMended(error: GriteError): boolean {
  if (error instanceof RemoteError) return error.details.reason === 'corrupt' || error.details.reason === 'failed'
  if (error instanceof NotFoundError) return error.details.field === undefined
  return error instanceof IncompleteLogError || error.kind === 'internal'
}

/** Mends what may have kept a sync from working. False when there was nothing to mend. */
async function clearTheWay(
  context: Pick<CommandContext, 'warn'>,
  repository: Repository,
  remote: string,
  error: unknown,
): Promise<boolean> {
  if (!(error instanceof GriteError) || !mayBeMended(error)) return false
  // What no ref of ours names may still lie in the way of what a fetch brings.
  const { oid } = error.details
  const isSetAside = error instanceof CorruptObjectError && typeof oid === 'string'
  if (isSetAside && setAsideCorruptObject(repository.layout, oid as Oid) !== null) return true
  const deleted = await deleteUnreadRefs(repository)
  for (const { ref, oid } of deleted) {
    const message = `${ref} named ${oid}, which cannot be read here, and was deleted, because git fetches nothing while it is there`
    context.warn({ code: 'ref-deleted', message, details: { ref, object_id: oid } })
  }
  const { gaps } = await repository.view()
  return (await fetchMissing(context, repository, { remote, gaps })) + deleted.length > 0
}

/** Obstacles that one sync clears away. */
const obstaclesMax = 16

async function untilClear<Result>(
  work: () => Promise<Result>,
  clear: (error: unknown) => Promise<boolean>,
): Promise<Result> {
  for (let count = 0; ; count++) {
    try {
      return await work()
    } catch (error) {
      if (count >= obstaclesMax || !(await clear(error))) throw error
    }
  }
}

/** Brings the log and the view together with a remote. What the remote refused is in the result, not an error. */
export async function runSync(
  context: Pick<CommandContext, 'progress' | 'clock' | 'random' | 'warn'>,
  repository: Repository,
  { name, isHome }: ChosenRemote,
  { pull, push }: SyncDirections,
): Promise<RepositorySync> {
  const { sync } = await repository.config()
  await putBackHead(repository)
  const trackedBefore = await readTrackedSnapshotRefs(repository.git, name)
  const progress = context.progress('Fetching')
  let eventsBefore: number | undefined
  // Of a log that is about to be completed.
  if (shallowMark(repository.layout) !== '') eventsBefore = (await repository.view()).eventCount
  const syncOnce = async () =>
    syncLog(
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
        inspect: await signatureInspector(repository, { remote: showRemote(name), warn: context.warn }),
        mayRepeat: async () => (await repository.view()).mayRepeat,
        hydrate: hydrator(repository),
        // Opening the view also puts back what something else took from the log.
        meanwhile: async () => {
          const { eventCount } = await repository.view()
          eventsBefore ??= eventCount
        },
        onProgress: progress.isShown ? (_phase, done, total) => progress.report(done, total) : undefined,
      },
    )
  try {
    const result = await untilClear(syncOnce, (error) => clearTheWay(context, repository, name, error))
    let view = await repository.refresh(result.gained)
    const found = await fetchMissing(context, repository, { remote: name, gaps: view.gaps })
    if (found > 0) view = await repository.refresh(null)
    const { pushed, after, remoteHead } = result
    // A snapshot holds what the remote has; where others wrote meanwhile, they make the next one.
    if (pushed && isHome && after !== null && after === remoteHead) await makeDueSnapshot(repository, context, after)
    const snapshots = await syncSnapshots(context, repository, {
      ...{ remote: name, trackedBefore, remoteHead, push, runHooks: sync.runHooks },
      lostItsLog: result.remoteChange === 'lost',
    })
    if (result.before !== result.after) await maintain(repository)
    return { ...result, pulledEvents: Math.max(0, view.eventCount - (eventsBefore ?? 0)), snapshots, gaps: view.gaps }
  } finally {
    progress.end()
  }
}
