/** The refs of streams, and where what remotes said about them is kept (docs/format.md#refs). */
import type { RefName } from '../git/index.ts'
import { base32hex, blake2b160 } from '../model/index.ts'

/** The issue log. */
export const walRef = 'refs/grite/wal' as RefName
const gritePrefix = 'refs/grite/'
/** Snapshots: `<ms>` below it. */
export const snapshotPrefix = 'refs/grite/snapshots/'
/** Locks of this clone, and of clones of the Rust tool: 16 hex below it. Never pushed by grite. */
export const lockPrefix = 'refs/grite/locks/'
/** Leases, on a remote: 16 hex below it. */
export const leasePrefix = 'refs/grite-leases/'
/** What is known of remotes: below it a part for each, named by `encodeRefPart`. */
export const remotesPrefix = 'refs/grite-remotes/'

/** The ref of a snapshot, by the time in its name. Milliseconds. */
export function snapshotRef(createdTs: number): RefName {
  return `${snapshotPrefix}${createdTs}` as RefName
}

/** The last millisecond of the year 9999: snapshots are ordered by these times, and a later one is nobody's clock. */
const snapshotTimeMax = 253_402_300_799_999

/** The time in the name of a snapshot's ref; 0 when there is none, as the Rust tool has it. */
export function snapshotTimeOf(ref: RefName): number {
  const text = ref.slice(snapshotPrefix.length)
  const time = /^(0|[1-9]\d{0,14})$/.test(text) ? Number(text) : 0
  return time <= snapshotTimeMax ? time : 0
}

/**
 * The ref under which the last fetch from a remote left one of its refs.
 *
 * @param remote - name or address, as given
 * @param ref - a ref of the remote below `refs/grite/` or `refs/grite-leases/`
 */
export function trackingRef(remote: string, ref: string): RefName {
  return `${trackingPrefix(remote)}${ref.replace(/^refs\//, '')}` as RefName
}

/** The refspec that fetches every ref whose name starts so to its tracking ref, and prunes what the remote lost. */
export function trackingRefspec(remote: string, start: string): string {
  return `+${start}*:${trackingRef(remote, start)}*`
}

/**
 * The refspec of one stream. It is a pattern, which may match other refs too: the exact name of a ref that the remote does
 * not have would be an error, and would not be pruned.
 */
export function streamRefspec(remote: string, ref: RefName): string {
  return trackingRefspec(remote, streamStart(ref))
}

/** What the pattern of a single ref begins with: it must hold a star. */
export function streamStart(ref: RefName): string {
  return ref.slice(0, -1)
}

/** Whether a ref that is fetched with a stream is wanted. Of names that begin like the stream's, those below it are in its place. */
export function isFollowedBeside(stream: RefName, ref: string): boolean {
  return !ref.startsWith(streamStart(stream)) || ref === stream || ref.startsWith(`${stream}/`)
}

/** Below it lie all tracking refs of a remote, by their name there without `refs/`. */
export function trackingPrefix(remote: string): string {
  return `${remotesPrefix}${encodeRefPart(remote)}/`
}

/** The name that a tracking ref has on its remote. */
export function remoteRefOf(remote: string, tracking: RefName): RefName {
  return `refs/${tracking.slice(trackingPrefix(remote).length)}` as RefName
}

/** A tracking ref as the part that stands for its remote, and the name that it has there. */
export function splitTrackingRef(ref: RefName): { readonly remotePart: string; readonly remoteRef: RefName } {
  const rest = ref.slice(remotesPrefix.length)
  const slash = rest.indexOf('/')
  return { remotePart: rest.slice(0, slash), remoteRef: `refs${rest.slice(slash)}` as RefName }
}

const trackedSnapshot = /^(refs\/grite-remotes\/[^/]+\/)grite\/(snapshots\/.+)$/

/**
 * The ref that says: this snapshot was deleted here, and is to be deleted on the remote as well. It names the commit
 * that the remote is known to have.
 *
 * @param ref - name of a snapshot on the remote
 */
export function deletedRef(remote: string, ref: RefName): RefName {
  return `${deletedPrefix(remote)}${ref.slice(gritePrefix.length)}` as RefName
}

/** Below it lie the deletions that a remote has not been told of. */
export function deletedPrefix(remote: string): string {
  return `${trackingPrefix(remote)}deleted/`
}

/** The name of the snapshot that a deletion is about, as it is on the remote. */
export function refOfDeletion(remote: string, deletion: RefName): RefName {
  return `${gritePrefix}${deletion.slice(deletedPrefix(remote).length)}` as RefName
}

/** For the tracking ref of a snapshot, of whatever remote: the snapshot's own name, and that of its deletion there. */
export function deletionOf(tracking: RefName): { readonly ref: RefName; readonly deletion: RefName } | undefined {
  const [, remotePart, name] = trackedSnapshot.exec(tracking) ?? []
  if (remotePart === undefined || name === undefined) return undefined
  return { ref: `${gritePrefix}${name}` as RefName, deletion: `${remotePart}deleted/${name}` as RefName }
}

/** Any text as one part of a ref's name: base32hex, lower case, of its BLAKE2b-160. */
export function encodeRefPart(text: string): string {
  return base32hex(blake2b160(new TextEncoder().encode(text)))
}
