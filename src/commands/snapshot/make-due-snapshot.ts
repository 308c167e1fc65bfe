import type { Oid } from '../../git/index.ts'
import { GriteError, isSnapshotDue, type SnapshotCover } from '../../model/index.ts'
import { type WrittenSnapshot, writeSnapshot } from '../../wal/index.ts'
import type { CommandContext } from '../context.ts'
import { readRepoConfig } from '../local/repo-config.ts'
import type { Repository } from '../repository.ts'
import { hydrator } from '../sync/hydrate.ts'
import { collectSnapshots, snapshotsKeptByDefault } from './gc.ts'
import { type ReadSnapshot, readSnapshots } from './list.ts'

export interface DueSnapshot {
  readonly made: WrittenSnapshot
  readonly deletedCount: number
}

/**
 * Makes a snapshot of the pushed log when the configured thresholds say so, and lets go of old ones. Null when none is
 * due, which costs a look at the view's counts and at what the snapshots say of themselves.
 *
 * To be called after a push of the log was accepted: what is new is a ref to push, and deletions to pass on. A failure is
 * a warning, because what was synced is synced.
 *
 * @param pushedHead - what the home remote's log now ends in; the view is at it
 */
export async function makeDueSnapshot(
  repository: Repository,
  context: Pick<CommandContext, 'clock' | 'warn' | 'progress'>,
  pushedHead: Oid,
): Promise<DueSnapshot | null> {
  const { snapshot: settings } = await readRepoConfig(repository.paths.config)
  if (!settings.auto) return null
  const nowUnixMs = context.clock.nowUnixMs()
  const progress = context.progress('Making a snapshot')
  try {
    const cover = coverOf(await readSnapshots(repository.git))
    const { eventCount } = await repository.view()
    if (!isSnapshotDue(cover, { eventCount, nowUnixMs }, settings)) return null
    await hydrator(repository)?.(pushedHead, [])
    const report = (done: number) => progress.report(done, null)
    const made = await writeSnapshot({ git: repository.git, head: pushedHead, nowUnixMs, progress: report })
    const { deleted } = await collectSnapshots(repository.git, snapshotsKeptByDefault)
    return { made, deletedCount: deleted.length }
  } catch (error) {
    if (!(error instanceof GriteError)) throw error
    context.warn({ code: 'snapshot-failed', message: `no snapshot was made: ${error.message}`, details: error.details })
    return null
  } finally {
    progress.end()
  }
}

/**
 * The most that any snapshot covers, not what the newest does: a clock that ran ahead leaves one that stays the newest,
 * and another would be due again and again.
 */
function coverOf(snapshots: readonly ReadSnapshot[]): SnapshotCover | null {
  const read = snapshots.flatMap(({ snapshot }) => (snapshot === null ? [] : [snapshot]))
  if (read.length === 0) return null
  return {
    createdTs: read.reduce((newest, { timestamp }) => Math.max(newest, timestamp), 0),
    eventCount: read.reduce((most, one) => Math.max(most, one.eventCount + (one.report?.orphanCount ?? 0)), 0),
  }
}
