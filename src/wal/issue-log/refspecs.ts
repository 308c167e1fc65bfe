import { limits } from '../../model/index.ts'
import { leasePrefix, lockPrefix, snapshotPrefix, trackingRefspec } from '../ref-names.ts'
import type { RefsAlongside } from '../sync-request.ts'

/**
 * Refspecs fetched with the log: snapshots, locks and leases. All are patterns: a pattern without a match is no error,
 * and refs gone from the remote are pruned.
 */
export function refspecsAlongside(remote: string): readonly string[] {
  return [trackingRefspec(remote, snapshotPrefix), ...lockRefspecs(remote)]
}

/**
 * How many refs of a remote to follow, by the left side of a refspec. Anyone who can push can create any number of
 * them, and each one costs every later command: a file, and its objects.
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

/** Refs of a remote that a sync of the log fetches with it. */
export function refsBesideLog(remote: string): RefsAlongside {
  return { refspecs: refspecsAlongside(remote), refsMax: followedRefsMax }
}

/** Refspecs to see the locks and leases on a remote. */
export function lockRefspecs(remote: string): readonly string[] {
  return [lockPrefix, leasePrefix].map((start) => trackingRefspec(remote, start))
}
