import { collectSnapshots, snapshotsKeptByDefault } from '../../tracker/snapshots/collect-snapshots.ts'
import { SnapshotTrust } from '../../tracker/snapshots/snapshot-trust.ts'
import { type DataOf, defineCommand, type GivenInput } from '../define-command.ts'

export const snapshotGc = defineCommand({
  name: 'snapshot gc',
  summary: 'Delete old snapshots, here and with the next sync on the remotes',
  description:
    `Keeps the newest ${snapshotsKeptByDefault} that match the log; those of other clones are checked first. Snapshots that were found to ` +
    'differ from the log are deleted too. The log is not touched: a snapshot only repeats it.',
  examples: [
    { command: 'grite snapshot gc --keep 2', explains: 'all but the newest two' },
    { command: 'grite snapshot gc --keep 0', explains: 'all of them' },
  ],
  arguments: {},
  options: { keep: { type: 'count', summary: `How many to keep (default ${snapshotsKeptByDefault})` } },
  async run(context, { keep = snapshotsKeptByDefault }) {
    const repository = await context.repository()
    await repository.respectRepositoryLocks()
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
