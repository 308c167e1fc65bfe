/**
 * The refs of streams, and where what remotes said about them is kept (docs/format.md#refs). The log's own name is git's
 * to know too: it keeps a reflog for that one whatever the settings say.
 */
import type { RefName } from '../git/index.ts'
import { base32hex, blake2b160 } from '../model/index.ts'

export { walRef } from '../git/index.ts'

/** Snapshots: `<ms>` below it. */
export const snapshotPrefix = 'refs/grite/snapshots/'
/** Locks of this clone, and of clones of the Rust tool: 16 hex below it. Never pushed by grite. */
export const lockPrefix = 'refs/grite/locks/'
/** Leases, on a remote: 16 hex below it. */
export const leasePrefix = 'refs/grite-leases/'
/** Below it lies what the last fetches saw, one folder for each remote. */
export const remotesPrefix = 'refs/grite-remotes/'

/**
 * The ref under which the last fetch from a remote left one of its refs.
 *
 * @param remote - name or address, as given
 * @param ref - a ref of the remote below `refs/grite/` or `refs/grite-leases/`
 */
export function trackingRef(remote: string, ref: string): RefName {
  return `${trackingPrefix(remote)}${ref.replace(/^refs\//, '')}` as RefName
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

/** Any text as one part of a ref's name: base32hex, lower case, of its BLAKE2b-160. */
export function encodeRefPart(text: string): string {
  return base32hex(blake2b160(new TextEncoder().encode(text)))
}
