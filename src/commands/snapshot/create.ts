import { hydrator } from '../../git/index.ts'
import type { CommandContext } from '../../tracker/effects.ts'
import { chooseSnapshotHead } from '../../tracker/snapshots/choose-head.ts'
import { SnapshotTrust } from '../../tracker/snapshots/snapshot-trust.ts'
import type { WrittenSnapshot } from '../../wal/index.ts'
import { type DataOf, defineCommand, type GivenInput } from '../define-command.ts'

const shared = {
  summary: 'Make a snapshot of the log, which shortens a rebuild',
  description:
    'A snapshot holds the events of the log in a few large files, in a ref that travels with `grite sync`. It is made of what ' +
    'the home remote has of the log; where no remote is configured, of the local log. An actor with a key signs it, so that ' +
    'other clones may use it without a check.',
  heapGrowth: { percent: 100 },
  arguments: {},
  options: { local: { type: 'boolean', summary: 'Take the local log, pushed or not' } },
  run: async (context: CommandContext, { local }: { readonly local: boolean }) => {
    const repository = await context.repository()
    await repository.respectRepositoryLocks()
    const { head, localHead, remote } = await chooseSnapshotHead(repository, local)
    if (head !== localHead) {
      context.warn({
        code: 'snapshot-behind',
        message: `the snapshot ends with what '${remote}' has of the log; what is here beyond that is pushed by \`grite sync\``,
        details: { wal_head: head, local_wal_head: localHead },
      })
    }
    const progress = context.progress('Reading the log')
    try {
      await hydrator(repository)?.(head, [])
      const written = await new SnapshotTrust(repository).make({
        head,
        nowUnixMs: context.clock.nowUnixMs(),
        progress: (done) => progress.report(done, null),
      })
      return { data: { ...describeSnapshot(written), local_wal_head: localHead } }
    } finally {
      progress.end()
    }
  },
} as const

/** A new snapshot as commands print it. */
function describeSnapshot({ ref, oid, createdTs, walHead, eventCount, chunks, report }: WrittenSnapshot) {
  return {
    oid,
    snapshot_ref: ref,
    created_ts: createdTs,
    wal_head: walHead,
    event_count: eventCount,
    chunk_count: chunks.length,
    orphan_count: report.orphanCount,
    attachment_count: report.attachmentCount,
    problem_count: report.problemCount,
  }
}

/** `grite snapshot` alone makes one, as the published documents have it. */
export const snapshot = defineCommand({
  ...shared,
  name: 'snapshot',
  examples: [{ command: 'grite snapshot', explains: 'the same as `grite snapshot create`' }],
})

export type SnapshotInput = GivenInput<typeof snapshot>
export type SnapshotData = DataOf<typeof snapshot>

export const snapshotCreate = defineCommand({
  ...shared,
  name: 'snapshot create',
  examples: [
    { command: 'grite snapshot create', explains: 'of what has been pushed' },
    { command: 'grite snapshot create --local', explains: 'of the local log, pushed or not' },
  ],
})

export type SnapshotCreateInput = GivenInput<typeof snapshotCreate>
export type SnapshotCreateData = DataOf<typeof snapshotCreate>
