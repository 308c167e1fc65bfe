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
 * Makes a snapshot of the pushed log when the configured thresholds say so, and lets go of old ones. Null when none is
 * due, which costs a look at the view's counts and at what the snapshots say of themselves.
 *
 * To be called after a push of the log was accepted: what is new is a ref to push, and deletions to pass on. A failure is
 * a warning, because what was synced is synced.
 *
 * @param pushedHead - what the home remote's log now ends in; the view is at it
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
    const view = await repository.view()
    const trust = new SnapshotTrust(repository, (actor) => view.findActor(actor))
    const cover = await findCover(repository, trust)
    const { eventCount } = view
    if (!isSnapshotDue(cover, { eventCount, nowUnixMs }, settings)) return null
    await hydrator(repository)?.(pushedHead, [])
    const report = (done: number) => progress.report(done, null)
    const made = await trust.make({ head: pushedHead, nowUnixMs, progress: report })
    const { deleted } = await collectOldSnapshots(repository, trust, snapshotsKeptByDefault)
    return { made, deletedCount: deleted.length }
  } catch (error) {
    if (!(error instanceof GriteError)) throw error
    context.warn({ code: 'snapshot-failed', message: `no snapshot was made: ${error.message}`, details: error.details })
    return null
  } finally {
    progress.end()
  }
}

/** Snapshots that are looked at. More of them are only there when somebody floods the remote. */
const looksMax = 100

/**
 * The most that any snapshot covers, not what the newest does: a clock that ran ahead leaves one that stays the newest,
 * and another would be due again and again. One from the future has no age. A snapshot that is not trusted may claim
 * anything, and does not count.
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
