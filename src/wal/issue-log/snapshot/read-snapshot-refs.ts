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

/** Pending deletions on a remote, by the names of the snapshots there. */
export async function readSnapshotIntents(git: GitPort, remote: string): Promise<SnapshotRefs> {
  return refsBelow(git, deletedPrefix(remote), (ref) => refOfDeletion(remote, ref))
}

async function refsBelow(
  git: GitPort,
  prefix: string,
  nameThere: (ref: RefName) => RefName,
): Promise<Map<RefName, Oid>> {
  // A broken ref is no snapshot; `doctor` reports it.
  const rows = await git.listRefs(prefix, () => {})
  return new Map(rows.map(({ ref, oid }) => [nameThere(ref), oid]))
}

/** Why a remote's commit under a snapshot's name is not a snapshot; null when it is one. Does not read its events. */
export async function findSnapshotFault(git: GitPort, { ref, oid }: NamedSnapshot): Promise<string | null> {
  const timestamp = snapshotTimeOf(ref)
  if (timestamp === 0) return `${ref}: its name is not a time`
  return faultOf(openSnapshot(git, { ref, oid, timestamp }))
}

/** Whether a snapshot belongs to the log that ends in `head`; a snapshot of another log is useless here. */
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
