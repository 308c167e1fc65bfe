/**
 * What a sync does about the snapshots of one remote, as a function of the refs on both sides. Snapshots never move:
 * they are made and deleted, here, there, or by tools that know nothing of this.
 *
 *   case                                                          what is done
 *   1. only here, never known to be there                         pushed
 *   2. only there                                                 adopted
 *   3. deleted here by grite: there is an intent                  deleted there, and not adopted
 *   4. deleted here by another tool: no intent                    adopted again; nothing is lost by that
 *   5. deleted there since the last fetch, unchanged here         dropped here
 *   6. the intent of case 3, but a plain fetch brought it back    deleted there and dropped here
 *   7. the intent of case 3, but there it is gone, or another     the intent is forgotten
 *   8. different snapshots of one name                            both stay as they are, and are reported
 *   9. the remote lost its log, and with it the snapshots         pushed: nobody deleted them
 *
 * A snapshot that is dropped here goes by `deleteSnapshots`, which leaves intents for the other remotes that have it. One
 * that was deleted everywhere comes back when a clone that was away pushes it with a tool that pushes all it has.
 */
import type { Oid, RefName } from '../../../git/index.ts'

/** Oids by the name of the snapshot's ref, which is the same here and there. */
export type SnapshotRefs = ReadonlyMap<RefName, Oid>

export interface SnapshotRefsOnBothSides {
  readonly local: SnapshotRefs
  /** What the remote had at the last fetch or push before this one. */
  readonly trackedBefore: SnapshotRefs
  readonly trackedNow: SnapshotRefs
  /** Deletions that the remote has not been told of, with what it had. */
  readonly intents: SnapshotRefs
  /** Whether the remote has no log any more, though it had one. */
  readonly lostItsLog?: boolean
}

export interface NamedSnapshot {
  readonly ref: RefName
  readonly oid: Oid
}

export interface SnapshotRefsPlan {
  /** To be made here, when they turn out to be snapshots. */
  readonly adopt: readonly NamedSnapshot[]
  readonly dropLocally: readonly NamedSnapshot[]
  readonly push: readonly NamedSnapshot[]
  /** By compare-and-swap on the remote; the intent is to be forgotten after that. */
  readonly deleteRemotely: readonly NamedSnapshot[]
  readonly forgetIntents: readonly NamedSnapshot[]
  /** What is here under a name that means another snapshot there. */
  readonly clashing: readonly NamedSnapshot[]
}

/** Plans by the table above. Lists are in the order of the refs' names. */
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
