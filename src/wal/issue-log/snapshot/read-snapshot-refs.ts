import type { GitPort, Oid, RefName } from '../../../git/index.ts'
import { limits, UnusableSnapshotError } from '../../../model/index.ts'
import {
  deletedPrefix,
  refOfDeletion,
  remoteRefOf,
  snapshotPrefix,
  snapshotTimeOf,
  trackingRef,
} from '../../ref-names.ts'
import type { NamedSnapshot, SnapshotRefs } from './plan-snapshot-refs.ts'
import { openSnapshot, requireSnapshotOf } from './read-snapshot.ts'

/** The newest snapshots of this repository by their refs: a plain fetch may bring any number. */
export async function readLocalSnapshotRefs(git: GitPort): Promise<SnapshotRefs> {
  const all = await refsBelow(git, snapshotPrefix, (ref) => ref)
  if (all.size <= limits.followedSnapshotsMax) return all
  const newestFirst = [...all].sort(([left], [right]) => snapshotTimeOf(right) - snapshotTimeOf(left))
  return new Map(newestFirst.slice(0, limits.followedSnapshotsMax))
}

/** The snapshots that a remote had at the last fetch. */
export async function readTrackedSnapshotRefs(git: GitPort, remote: string): Promise<SnapshotRefs> {
  return refsBelow(git, trackingRef(remote, snapshotPrefix), (ref) => remoteRefOf(remote, ref))
}

/** Deletions that a remote has not been told of, by the names that the snapshots have there. */
export async function readSnapshotIntents(git: GitPort, remote: string): Promise<SnapshotRefs> {
  return refsBelow(git, deletedPrefix(remote), (ref) => refOfDeletion(remote, ref))
}

async function refsBelow(
  git: GitPort,
  prefix: string,
  nameThere: (ref: RefName) => RefName,
): Promise<Map<RefName, Oid>> {
  // One that is broken is no snapshot; `doctor` tells of it.
  const rows = await git.listRefs(prefix, () => {})
  return new Map(rows.map(({ ref, oid }) => [nameThere(ref), oid]))
}

/** Why what a remote has under the name of a snapshot is none; null when it is one. Its events are not read. */
export async function findSnapshotFault(git: GitPort, { ref, oid }: NamedSnapshot): Promise<string | null> {
  const timestamp = snapshotTimeOf(ref)
  if (timestamp === 0) return `${ref}: its name is no time`
  return faultOf(openSnapshot(git, { ref, oid, timestamp }))
}

/** Whether a snapshot is one of the log that ends in `head`: one of another log is of no use to who has that one. */
export async function isSnapshotOf(git: GitPort, { ref, oid }: NamedSnapshot, head: Oid): Promise<boolean> {
  const snapshot = openSnapshot(git, { ref, oid, timestamp: snapshotTimeOf(ref) })
  return (await faultOf(snapshot.then((opened) => requireSnapshotOf(git, opened, head)))) === null
}

async function faultOf(work: Promise<unknown>): Promise<string | null> {
  try {
    await work
    return null
  } catch (error) {
    if (error instanceof UnusableSnapshotError) return error.message
    throw error
  }
}
