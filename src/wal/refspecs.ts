import { limits } from '../model/index.ts'
import { leasePrefix, lockPrefix, snapshotPrefix, trackingRef, walRef } from './ref-names.ts'

/**
 * What a sync fetches of a remote, to its tracking refs. All are patterns: a pattern that matches nothing is no error,
 * and what the remote lost is pruned.
 */
export function fetchRefspecs(remote: string): readonly [log: string, ...others: string[]] {
  return [refspecOf(remote, logStart), refspecOf(remote, snapshotPrefix), ...lockRefspecs(remote)]
}

/** `wa*`, because the pattern of a single name must hold a star. */
const logStart = walRef.slice(0, -1)

/** Whether a ref that the refspecs match is one of ours. Of names that begin like the log's, those below it are in its place. */
export function isFollowedRef(ref: string): boolean {
  return !ref.startsWith(logStart) || ref === walRef || ref.startsWith(`${walRef}/`)
}

/**
 * How many refs of a remote are followed, by the left side of a refspec. Anybody who can push can make any number of
 * them, and each costs every later command: a file, and the objects that it names.
 */
export function followedRefsMax(left: string): number {
  switch (left) {
    case logStart:
      return 1
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
  return [lockPrefix, leasePrefix].map((start) => refspecOf(remote, start))
}

function refspecOf(remote: string, start: string): string {
  return `+${start}*:${trackingRef(remote, start)}*`
}
