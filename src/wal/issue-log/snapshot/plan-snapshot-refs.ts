/**
 * Plans how a sync handles the snapshots of one remote, as a function of the refs on both sides. Snapshots never move:
 * they are created and deleted, here, there, or by tools that do not know this plan.
 *
 *   case                                                          action
 *   1. only here, never seen there                                push
 *   2. only there                                                 adopt
 *   3. deleted here by grite, with an intent                      delete there, do not adopt
 *   4. deleted here by another tool, without an intent            adopt again; this loses nothing
 *   5. deleted there since the last fetch, unchanged here         drop here
 *   6. like 3, but a plain fetch restored it here                 delete there, drop here
 *   7. like 3, but gone or replaced there                         forget the intent
 *   8. different snapshots under one name                         keep both, report them
 *   9. the remote lost its log and its snapshots                  push: nobody deleted them
 *
 * `deleteSnapshots` drops a snapshot here and leaves intents for the other remotes that have it. A snapshot deleted
 * everywhere comes back when a stale clone pushes it with a tool that pushes everything.
 */
import type { Oid, RefName } from '../../../git/index.ts'

/** Oids by ref name, which is the same on both sides. */
export type SnapshotRefs = ReadonlyMap<RefName, Oid>

export interface SnapshotRefsOnBothSides {
  readonly local: SnapshotRefs
  /** The remote's refs at the previous fetch or push. */
  readonly trackedBefore: SnapshotRefs
  readonly trackedNow: SnapshotRefs
  /** Pending deletions on the remote, with its last known values. */
  readonly intents: SnapshotRefs
  /** Whether the remote had a log and has none now. */
  readonly lostItsLog?: boolean
}

export interface NamedSnapshot {
  readonly ref: RefName
  readonly oid: Oid
}

export interface SnapshotRefsPlan {
  /** To create here, if they are valid snapshots. */
  readonly adopt: readonly NamedSnapshot[]
  readonly dropLocally: readonly NamedSnapshot[]
  readonly push: readonly NamedSnapshot[]
  /** To delete on the remote by compare-and-swap; then forget the intent. */
  readonly deleteRemotely: readonly NamedSnapshot[]
  readonly forgetIntents: readonly NamedSnapshot[]
  /** Local snapshots whose name belongs to another snapshot there. */
  readonly clashing: readonly NamedSnapshot[]
}

/** Plans by the table above. Lists are sorted by ref name. */
export function planSnapshotRefs(sides: SnapshotRefsOnBothSides): SnapshotRefsPlan {
  const { local, trackedBefore, trackedNow, intents, lostItsLog = false } = sides
  const isToBeDeleted = ({ ref, oid }: NamedSnapshot) => intents.get(ref) === oid && trackedNow.get(ref) === oid
  const wasDeletedThere = ({ ref, oid }: NamedSnapshot) =>
    trackedBefore.get(ref) === oid && !trackedNow.has(ref) && !lostItsLog
  const here = listOf(local)
  const there = listOf(trackedNow)
  const isDropped = (one: NamedSnapshot) => isToBeDeleted(one) || wasDeletedThere(one)
  return {
    adopt: there.filter((one) => !local.has(one.ref) && !isToBeDeleted(one)),
    dropLocally: here.filter(isDropped),
    push: here.filter((one) => !trackedNow.has(one.ref) && !isDropped(one)),
    deleteRemotely: there.filter(isToBeDeleted),
    forgetIntents: listOf(intents).filter((one) => !isToBeDeleted(one)),
    clashing: here.filter(({ ref, oid }) => (trackedNow.get(ref) ?? oid) !== oid),
  }
}

function listOf(refs: SnapshotRefs): NamedSnapshot[] {
  return [...refs].map(([ref, oid]) => ({ ref, oid })).sort((left, right) => (left.ref < right.ref ? -1 : 1))
}
