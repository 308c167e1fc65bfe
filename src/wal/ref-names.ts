/** The refs of streams, and of the last known state of remotes (docs/format.md#refs). */
import type { RefName } from '../git/index.ts'
import { encodeNamePart } from '../model/index.ts'

/** The issue log. */
export const walRef = 'refs/grite/wal' as RefName
const gritePrefix = 'refs/grite/'
/** Snapshots: `<ms>` below it. */
export const snapshotPrefix = 'refs/grite/snapshots/'
/** Locks of this clone, and of clones of the Rust tool: 16 hex below it. Never pushed by grite. */
export const lockPrefix = 'refs/grite/locks/'
/** Leases, on a remote: 16 hex below it. */
export const leasePrefix = 'refs/grite-leases/'
/** Cursors of record streams: `<enc(stream id)>/<enc(name)>` below it. */
export const cursorRefPrefix = 'refs/grite-cursors/'
/** Refs of `stream probe`, here and on a remote, deleted before it ends. */
export const probePrefix = 'refs/grite-probe/'
/** Known state of remotes: below it one part per remote, named by `encodeNamePart`. */
export const remotesPrefix = 'refs/grite-remotes/'

/** The ref of a snapshot, by the time in its name. Milliseconds. */
export function snapshotRef(createdTs: number): RefName {
  return `${snapshotPrefix}${createdTs}` as RefName
}

/**
 * The last millisecond of the year 9999: snapshots are ordered by these times, and no right clock shows a later one.
 */
const snapshotTimeMax = 253_402_300_799_999

/** The time in the name of a snapshot's ref; 0 without one, like the Rust tool. */
export function snapshotTimeOf(ref: RefName): number {
  const text = ref.slice(snapshotPrefix.length)
  const time = /^(0|[1-9]\d{0,14})$/.test(text) ? Number(text) : 0
  return time <= snapshotTimeMax ? time : 0
}

/**
 * The tracking ref of a remote's ref, as left by the last fetch.
 *
 * @param remote - name or URL, as given
 * @param ref - a ref of the remote below `refs/grite/` or `refs/grite-leases/`
 */
export function trackingRef(remote: string, ref: string): RefName {
  return `${trackingPrefix(remote)}${ref.replace(/^refs\//, '')}` as RefName
}

/** The refspec that fetches every ref with this prefix to its tracking ref, and prunes refs gone from the remote. */
export function trackingRefspec(remote: string, start: string): string {
  return `+${start}*:${trackingRef(remote, start)}*`
}

/**
 * The refspec of one stream. It is a pattern, which may match other refs too: with an exact name, a ref missing on the
 * remote would be an error, and would not be pruned.
 */
export function streamRefspec(remote: string, ref: RefName): string {
  return trackingRefspec(remote, streamStart(ref))
}

/** The prefix of a single ref's pattern, which must contain a star. */
export function streamStart(ref: RefName): string {
  return ref.slice(0, -1)
}

/**
 * Whether to follow a ref that a stream's pattern matched. Of names with the stream's prefix, those below it block its
 * name.
 */
export function isFollowedBeside(stream: RefName, ref: string): boolean {
  return !ref.startsWith(streamStart(stream)) || ref === stream || ref.startsWith(`${stream}/`)
}

/** Prefix of all tracking refs of a remote, followed by their names there without `refs/`. */
export function trackingPrefix(remote: string): string {
  return `${remotesPrefix}${encodeNamePart(remote)}/`
}

/** The name of a tracking ref on its remote. */
export function remoteRefOf(remote: string, tracking: RefName): RefName {
  return `refs/${tracking.slice(trackingPrefix(remote).length)}` as RefName
}

/** Splits a tracking ref into the part for its remote, and its name there. */
export function splitTrackingRef(ref: RefName): { readonly remotePart: string; readonly remoteRef: RefName } {
  const rest = ref.slice(remotesPrefix.length)
  const slash = rest.indexOf('/')
  return { remotePart: rest.slice(0, slash), remoteRef: `refs${rest.slice(slash)}` as RefName }
}

const trackedSnapshot = /^(refs\/grite-remotes\/[^/]+\/)grite\/(snapshots\/.+)$/

/**
 * The ref that marks a pending deletion: the snapshot was deleted here, and must be deleted on the remote as well. It
 * points to the commit that the remote is known to have.
 *
 * @param ref - name of a snapshot on the remote
 */
export function deletedRef(remote: string, ref: RefName): RefName {
  return `${deletedPrefix(remote)}${ref.slice(gritePrefix.length)}` as RefName
}

/** Prefix of a remote's pending deletions. */
export function deletedPrefix(remote: string): string {
  return `${trackingPrefix(remote)}deleted/`
}

/** The snapshot of a pending deletion, by its name on the remote. */
export function refOfDeletion(remote: string, deletion: RefName): RefName {
  return `${gritePrefix}${deletion.slice(deletedPrefix(remote).length)}` as RefName
}

/** For a snapshot's tracking ref of any remote: the snapshot's own name, and its pending deletion there. */
export function deletionOf(tracking: RefName): { readonly ref: RefName; readonly deletion: RefName } | undefined {
  const [, remotePart, name] = trackedSnapshot.exec(tracking) ?? []
  if (remotePart === undefined || name === undefined) return undefined
  return { ref: `${gritePrefix}${name}` as RefName, deletion: `${remotePart}deleted/${name}` as RefName }
}

/** Prefix of the cursors of one stream. */
export function cursorPrefixOf(streamId: string): string {
  return `${cursorRefPrefix}${encodeNamePart(streamId)}/`
}

export function cursorRefOf(streamId: string, name: string): RefName {
  return `${cursorPrefixOf(streamId)}${encodeNamePart(name)}` as RefName
}
