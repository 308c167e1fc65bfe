import { hydrator } from '../../git/index.ts'
import type { CommandContext } from '../../tracker/effects.ts'
import { chooseSnapshotHead } from '../../tracker/snapshots/choose-head.ts'
import { SnapshotTrust } from '../../tracker/snapshots/snapshot-trust.ts'
import type { WrittenSnapshot } from '../../wal/index.ts'
import { type DataOf, defineCommand, type GivenInput } from '../define-command.ts'

const shared = {
  summary: 'Create a snapshot of the log to speed up rebuilds',
  description:
    'A snapshot stores the events of the log in a few large files under a ref that `grite sync` shares. It covers the part of ' +
    'the log that the home remote has; without a configured remote, the local log. If the actor has a key, the snapshot is ' +
    'signed, so that other clones can use it without a check.',
  heapGrowthPercent: 100,
  effect: 'adds',
  arguments: {},
  options: { local: { type: 'boolean', summary: 'Cover the whole local log, pushed or not' } },
  run: async (context: CommandContext, { local }: { readonly local: boolean }) => {
    const repository = await context.repository()
    await repository.checkRepositoryLocks()
    const { head, localHead, remote } = await chooseSnapshotHead(repository, local)
    if (head !== localHead) {
      context.warn({
        code: 'snapshot-behind',
        message: `the snapshot covers only the part of the log that '${remote}' has; run \`grite sync\` to push the rest`,
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

/** A new snapshot in the data of commands. */
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
    { command: 'grite snapshot create', explains: 'cover the pushed part of the log' },
    { command: 'grite snapshot create --local', explains: 'cover the whole local log' },
  ],
})

export type SnapshotCreateInput = GivenInput<typeof snapshotCreate>
export type SnapshotCreateData = DataOf<typeof snapshotCreate>
