import { collectSnapshots, snapshotsKeptByDefault } from '../../tracker/snapshots/collect-snapshots.ts'
import { SnapshotTrust } from '../../tracker/snapshots/snapshot-trust.ts'
import { type DataOf, defineCommand, type GivenInput } from '../define-command.ts'

export const snapshotGc = defineCommand({
  name: 'snapshot gc',
  summary: 'Delete old snapshots here, and on remotes with the next sync',
  description:
    `Keeps the newest ${snapshotsKeptByDefault} snapshots that match the log, and checks those of other clones first. Snapshots that are known to ` +
    'differ from the log are deleted too. The log itself does not change.',
  examples: [
    { command: 'grite snapshot gc --keep 2', explains: 'delete all but the newest two' },
    { command: 'grite snapshot gc --keep 0', explains: 'delete all snapshots' },
  ],
  effect: 'destroys',
  arguments: {},
  options: { keep: { type: 'count', summary: `Number of snapshots to keep; default ${snapshotsKeptByDefault}` } },
  async run(context, { keep = snapshotsKeptByDefault }) {
    const repository = await context.repository()
    await repository.checkRepositoryLocks()
    const progress = context.progress('Checking snapshots')
    try {
      const trust = new SnapshotTrust(repository)
      const collected = await collectSnapshots(repository, trust, {
        keep,
        progress: (done) => progress.report(done, null),
      })
      const { deleted, remaining, owedCount } = collected
      return {
        data: {
          deleted: deleted.length,
          kept: keep,
          remaining,
          deleted_refs: deleted.map(({ ref }) => ref),
          owed_remote_deletions: owedCount,
        },
      }
    } finally {
      progress.end()
    }
  },
})

export type SnapshotGcInput = GivenInput<typeof snapshotGc>
export type SnapshotGcData = DataOf<typeof snapshotGc>
