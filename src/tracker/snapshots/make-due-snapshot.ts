import type { Oid } from '../../git/index.ts'
import { hydrator } from '../../git/index.ts'
import { GriteError, isSnapshotDue, type SnapshotCover } from '../../model/index.ts'
import { listSnapshots, type WrittenSnapshot } from '../../wal/index.ts'
import type { CommandContext } from '../effects.ts'
import type { Workspace } from '../workspace.ts'
import { collectOldSnapshots, isOfFuture, snapshotsKeptByDefault } from './collect-snapshots.ts'
import { readSnapshot } from './read-snapshot.ts'
import { isTrusted, SnapshotTrust } from './snapshot-trust.ts'

export interface DueSnapshot {
  readonly made: WrittenSnapshot
  readonly deletedCount: number
}

/**
 * Creates a snapshot of the pushed log when the configured thresholds are reached, and deletes old ones. Null when none is
 * due, which costs only a read of the view's counts and of the snapshots' metadata.
 * Call it after a push of the log was accepted: the result is a ref to push and deletions to pass on. A failure is a
 * warning, because the sync itself has succeeded.
 *
 * @param pushedHead - head of the log on the home remote; the view is at it
 */
export async function makeDueSnapshot(
  repository: Workspace,
  context: Pick<CommandContext, 'clock' | 'warn' | 'progress'>,
  pushedHead: Oid,
): Promise<DueSnapshot | null> {
  const { snapshot: settings } = await repository.config()
  if (!settings.auto) return null
  const nowUnixMs = context.clock.nowUnixMs()
  const progress = context.progress('Making a snapshot')
  try {
    const { eventCount } = await repository.glance()
    const trust = new SnapshotTrust(repository, async (actor) => (await repository.view()).findActor(actor))
    const cover = await findCover(repository, trust)
    if (!isSnapshotDue(cover, { eventCount, nowUnixMs }, settings)) return null
    await hydrator(repository)?.(pushedHead, [])
    const report = (done: number) => progress.report(done, null)
    const made = await trust.make({ head: pushedHead, nowUnixMs, progress: report })
    const { deleted } = await collectOldSnapshots(repository, trust, snapshotsKeptByDefault)
    return { made, deletedCount: deleted.length }
  } catch (error) {
    if (!(error instanceof GriteError)) throw error
    context.warn({
      code: 'snapshot-failed',
      message: `could not create a snapshot: ${error.message}`,
      details: error.details,
    })
    return null
  } finally {
    progress.end()
  }
}

/** Maximum number of snapshots read. There are more only if somebody floods the remote. */
const looksMax = 100

/**
 * Uses the maximum coverage of all snapshots instead of that of the newest one: a clock that ran ahead leaves a snapshot
 * that stays the newest, and another one would be due on every sync. A snapshot from the future has no age. Untrusted
 * snapshots do not count, since they can claim anything.
 */
async function findCover({ git, facts }: Workspace, trust: SnapshotTrust): Promise<SnapshotCover | null> {
  const covers: SnapshotCover[] = []
  for (const row of (await listSnapshots(git, () => {})).slice(0, looksMax)) {
    const { snapshot } = await readSnapshot(git, row)
    if (snapshot === null || !isTrusted((await trust.find(snapshot)).verdict)) continue
    const { timestamp, eventCount, report } = snapshot
    const createdTs = isOfFuture(timestamp, facts.clock.nowUnixMs()) ? 0 : timestamp
    covers.push({ createdTs, eventCount: eventCount + (report?.orphanCount ?? 0) })
  }
  if (covers.length === 0) return null
  return {
    createdTs: Math.max(...covers.map(({ createdTs }) => createdTs)),
    eventCount: Math.max(...covers.map(({ eventCount }) => eventCount)),
  }
}
