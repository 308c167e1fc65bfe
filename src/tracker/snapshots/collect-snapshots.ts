/** Deletes old and wrong snapshots. */
import type { Oid } from '../../git/index.ts'
import { RefMovedError, UnusableSnapshotError } from '../../model/index.ts'
import {
  deleteSnapshots,
  findTrackedSnapshots,
  listSnapshots,
  requireSnapshotOf,
  type Snapshot,
  type SnapshotRef,
  walRef,
} from '../../wal/index.ts'
import type { Workspace } from '../workspace.ts'
import { readSnapshot } from './read-snapshot.ts'
import { isTrusted, type SnapshotTrust } from './snapshot-trust.ts'

/** The default of the Rust tool. */
export const snapshotsKeptByDefault = 5
/** Retries, since others may delete snapshots at the same time. */
const attemptsMax = 5
/** Maximum number of snapshots read to find the ones to keep. */
const looksMax = 1000
/** Maximum number of these checked against the log. */
const checksMax = 10

/** Tolerated difference between clocks: one day. */
const clocksDifferMsMax = 86_400_000

/** Whether the name of a snapshot is dated in the future. */
export function isOfFuture(timestamp: number, nowUnixMs: number): boolean {
  return timestamp > nowUnixMs + clocksDifferMsMax
}

export interface CollectedSnapshots {
  readonly deleted: readonly SnapshotRef[]
  readonly remaining: number
  /** Number of deletions on remotes left to the next syncs. */
  readonly owedCount: number
}

/** Deletes all snapshots older than the newest `keep` trusted ones. Does not check any snapshot. */
export function collectOldSnapshots(
  repository: Workspace,
  trust: SnapshotTrust,
  keep: number,
): Promise<CollectedSnapshots> {
  return collect(repository, {
    keep,
    counts: async (snapshot) => isTrusted((await trust.find(snapshot)).verdict),
    isRefused: () => false,
  })
}

/**
 * Deletes all snapshots older than the newest `keep` that match the log, and those that differ from it, even if they exist
 * only on a remote.
 */
export async function collectSnapshots(
  repository: Workspace,
  trust: SnapshotTrust,
  { keep, progress }: { readonly keep: number; readonly progress: (commitsDone: number) => void },
): Promise<CollectedSnapshots> {
  const { git } = repository
  const head = await git.readRef(walRef)
  let checks = 0
  async function counts(snapshot: Snapshot): Promise<boolean> {
    const { verdict } = await trust.find(snapshot)
    if (verdict !== 'unchecked') return isTrusted(verdict)
    if (head === null || checks === checksMax) return false
    try {
      await requireSnapshotOf(git, snapshot, head)
      checks += 1
      const checked = await trust.judge(snapshot, { progress })
      // If this clone lacks a part of the log, the snapshot may still be right.
      return isTrusted(checked.verdict) || checked.whyUnchecked !== undefined
    } catch (error) {
      if (error instanceof UnusableSnapshotError) return false
      throw error
    }
  }
  return collect(repository, { keep, counts, isRefused: (oid) => trust.recall(oid).verdict === 'refused' })
}

interface Choice {
  readonly keep: number
  /** Whether a snapshot counts toward `keep`. */
  readonly counts: (snapshot: Snapshot) => Promise<boolean>
  readonly isRefused: (oid: Oid) => boolean
}

async function collect(repository: Workspace, choice: Choice): Promise<CollectedSnapshots> {
  const { git } = repository
  for (let attempt = 1; ; attempt++) {
    const found = await listSnapshots(git, () => {})
    const isFuture = ({ timestamp }: SnapshotRef) => isOfFuture(timestamp, repository.facts.clock.nowUnixMs())
    // A snapshot from the future would stay the newest and displace every new one.
    const all = [...found.filter((row) => !isFuture(row)), ...found.filter(isFuture)]
    const keptRows = await findKept(repository, all, choice)
    const deleted = all.filter((row, index) => index >= keptRows || choice.isRefused(row.oid))
    const refusedThere = (await findTrackedSnapshots(git)).filter(({ oid }) => choice.isRefused(oid))
    try {
      const owedCount = await deleteSnapshots(git, deleted, refusedThere)
      return { deleted, remaining: all.length - deleted.length, owedCount }
    } catch (error) {
      if (!(error instanceof RefMovedError) || attempt === attemptsMax) throw error
    }
  }
}

/** Number of newest rows to keep so that `keep` of them count. Rows that do not count are ignored. */
async function findKept({ git }: Workspace, newestFirst: readonly SnapshotRef[], { keep, counts }: Choice) {
  let counted = 0
  for (const [index, row] of newestFirst.slice(0, looksMax).entries()) {
    if (counted === keep) return index
    const { snapshot } = await readSnapshot(git, row)
    if (snapshot !== null && (await counts(snapshot))) counted += 1
  }
  return newestFirst.length
}
