import { leasePrefix, lockPrefix, snapshotPrefix, trackingRef, walRef } from './ref-names.ts'

/**
 * What a sync fetches of a remote, to its tracking refs. All are patterns: a pattern that matches nothing is no error,
 * and what the remote lost is pruned.
 */
export function fetchRefspecs(remote: string): readonly [log: string, ...others: string[]] {
  // `wa*` because the pattern of a single name must hold a star; nothing else is called so.
  const log = walRef.slice(0, -1)
  return [refspecOf(remote, log), refspecOf(remote, snapshotPrefix), ...lockRefspecs(remote)]
}

/** What is fetched of a remote to see who holds what there. */
export function lockRefspecs(remote: string): readonly string[] {
  return [lockPrefix, leasePrefix].map((start) => refspecOf(remote, start))
}

function refspecOf(remote: string, start: string): string {
  return `+${start}*:${trackingRef(remote, start)}*`
}
