/** What the engine of streams needs to reach a remote, and how it names what it finds there. */
import type { GitPort, Oid, OnProgress, RefName, RemotePort } from '../../../git/index.ts'
import { encodeStreamId, type Incarnation, nextOffsetOf, parseStreamRef } from '../../../model/streams/index.ts'
import type { Patience } from '../../fetch-with-retry.ts'
import { trackingRef } from '../../ref-names.ts'
import { type ManifestReader, UnreadableCommitError } from '../commit-reader.ts'
import type { StreamDamage } from '../record-streams.ts'
import { type StreamHead, type StreamState, stateOf } from '../stream-heads.ts'

export interface RemotePlace extends Patience {
  readonly git: GitPort
  readonly remotes: RemotePort
  readonly manifests: ManifestReader
  /** Name of a configured remote, or a URL. */
  readonly remote: string
  readonly runHooks: boolean
  readonly onProgress?: OnProgress | undefined
  /** Receives refs of the remote that are no streams, or cannot be read. */
  readonly onDamage: (damage: StreamDamage) => void
}

/** Where one copy of a stream is. */
export interface StreamPosition {
  readonly head: Oid
  readonly incarnation: Incarnation
  readonly generation: number
  readonly epoch: number
  /** Offset after the newest sealed record. */
  readonly nextOffset: number
  readonly state: StreamState
}

export function positionOf({ commit, manifest }: Pick<StreamHead, 'commit' | 'manifest'>): StreamPosition {
  const { incarnation, generation, epoch } = manifest
  const nextOffset = nextOffsetOf(manifest)
  return { head: commit, incarnation, generation, epoch: epoch.number, nextOffset, state: stateOf(manifest) }
}

/** For messages: `offset 12 of epoch 1 (commit 0123456789ab)`. */
export function describePosition({ head, epoch, nextOffset }: StreamPosition): string {
  return `next offset ${nextOffset} in epoch ${epoch} (commit ${head.slice(0, 12)})`
}

/** The head of a generation as the last fetch left it; null when the remote lacks it, or it is unreadable. */
export async function readTrackedHead(place: RemotePlace, ref: RefName): Promise<StreamHead | null> {
  const commit = await place.git.readRef(trackingRef(place.remote, ref))
  return commit === null ? null : await readForeignHead(place, ref, commit)
}

/** A head that another repository sent: reported, and null, unless it is a commit of the ref's stream. */
export async function readForeignHead(
  { manifests, onDamage }: Pick<RemotePlace, 'manifests' | 'onDamage'>,
  ref: RefName,
  commit: Oid,
): Promise<StreamHead | null> {
  const report = (objectId: Oid, reason: string): null => {
    const nowhere = { streamId: null, file: null, bytePosition: null, offsets: null }
    onDamage({ ...nowhere, ref, objectId, reason: `${ref}: ${reason}` })
    return null
  }
  const name = parseStreamRef(ref)
  if (name === null) return report(commit, 'is not the name of a stream')
  try {
    const { manifest } = await manifests.read(commit)
    const isOwn = manifest.generation === name.generation && encodeStreamId(manifest.streamId) === name.encoded
    return isOwn ? { ref, commit, manifest } : report(commit, `commit ${commit} is of another stream`)
  } catch (error) {
    if (!(error instanceof UnreadableCommitError)) throw error
    return report(error.objectId, error.message)
  }
}
