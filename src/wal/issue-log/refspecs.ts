import { limits } from '../../model/index.ts'
import { leasePrefix, lockPrefix, snapshotPrefix, trackingRefspec } from '../ref-names.ts'

/**
 * What a sync fetches with the log: snapshots, locks and leases. All are patterns: a pattern that matches nothing is no
 * error, and what the remote lost is pruned.
 */
export function refspecsAlongside(remote: string): readonly string[] {
  return [trackingRefspec(remote, snapshotPrefix), ...lockRefspecs(remote)]
}

/**
 * How many refs of a remote are followed, by the left side of a refspec. Anybody who can push can make any number of
 * them, and each costs every later command: a file, and the objects that it names.
 */
export function followedRefsMax(left: string): number {
  switch (left) {
    case snapshotPrefix:
      return limits.followedSnapshotsMax
    case leasePrefix:
      return limits.followedLeasesMax
    case lockPrefix:
      return limits.followedLocksMax
    default:
      return Number.POSITIVE_INFINITY
  }
}

/** What is fetched of a remote to see who holds what there. */
export function lockRefspecs(remote: string): readonly string[] {
  return [lockPrefix, leasePrefix].map((start) => trackingRefspec(remote, start))
}
