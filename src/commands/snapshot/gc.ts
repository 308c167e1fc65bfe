import type { GitPort } from '../../git/index.ts'
import { RefMovedError } from '../../model/index.ts'
import { deleteSnapshots, type SnapshotRef } from '../../wal/index.ts'
import { defineCommand } from '../define-command.ts'
import { type ReadSnapshot, readSnapshots } from './list.ts'

/** As the Rust tool has it. */
export const snapshotsKeptByDefault = 5
/** Others may delete snapshots at the same time. */
const attemptsMax = 5

export const snapshotGc = defineCommand({
  name: 'snapshot gc',
  summary: 'Delete old snapshots, here and with the next sync on the remotes',
  description: `Keeps the newest ${snapshotsKeptByDefault} that can be read. The log is not touched: a snapshot only repeats it.`,
  examples: [
    { command: 'grite snapshot gc --keep 2', explains: 'all but the newest two' },
    { command: 'grite snapshot gc --keep 0', explains: 'all of them' },
  ],
  arguments: {},
  options: { keep: { type: 'count', summary: `How many to keep (default ${snapshotsKeptByDefault})` } },
  async run(context, { keep = snapshotsKeptByDefault }) {
    const repository = await context.repository()
    await repository.heedRepositoryLocks()
    const { deleted, remaining, owedCount } = await collectSnapshots(repository.git, keep)
    return {
      data: {
        deleted: deleted.length,
        kept: keep,
        remaining,
        deleted_refs: deleted.map(({ ref }) => ref),
        owed_remote_deletions: owedCount,
      },
    }
  },
})

export interface CollectedSnapshots {
  readonly deleted: readonly SnapshotRef[]
  readonly remaining: number
  /** Deletions on remotes that the next syncs will make. */
  readonly owedCount: number
}

/** Deletes all snapshots older than the newest `keep` that can be read. */
export async function collectSnapshots(git: GitPort, keep: number): Promise<CollectedSnapshots> {
  for (let attempt = 1; ; attempt++) {
    const all = await readSnapshots(git)
    const old = all.slice(keptCount(all, keep)).map(({ row }) => row)
    try {
      const owedCount = await deleteSnapshots(git, old)
      return { deleted: old, remaining: all.length - old.length, owedCount }
    } catch (error) {
      if (!(error instanceof RefMovedError) || attempt === attemptsMax) throw error
    }
  }
}

/** What cannot be read does not take the place of what can. */
function keptCount(newestFirst: readonly ReadSnapshot[], keep: number): number {
  let readable = 0
  for (const [index, { snapshot }] of newestFirst.entries()) {
    if (readable === keep) return index
    if (snapshot !== null) readable += 1
  }
  return newestFirst.length
}
