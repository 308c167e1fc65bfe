/** What the thread that seals is asked, and answers: structured clones, with large bytes transferred. */
import type { ObjectFormat, ObjectPlace, ObjectType, Oid, PendingObject, RefName } from '../../git/index.ts'
import { decodeManifest, encodeManifest } from '../../model/streams/index.ts'
import type { OpenJournal } from './journal/index.ts'
import type { SealedCommit } from './seal-batches.ts'
import type { StreamHead } from './stream-heads.ts'

export interface SealingOrder {
  readonly number: number
  readonly format: ObjectFormat
  readonly ref: RefName
  readonly head: Oid
  readonly manifest: Uint8Array
  readonly from: number
  /** Threads of a process share its descriptors. */
  readonly journal: OpenJournal
  /** Of a `FrameList`. */
  readonly frames: Float64Array<ArrayBuffer>
  /** Where to write the objects; null to leave that to the other thread. */
  readonly objectPlace: ObjectPlace | null
}

interface SentObject {
  readonly oid: Oid
  readonly type: ObjectType
  readonly content: Uint8Array
  readonly isStored: boolean
  readonly deflated: Uint8Array
}

export interface SentCommit {
  readonly commit: Oid
  readonly manifest: Uint8Array
  readonly message: string
  readonly objects: readonly SentObject[]
  readonly isWritten: boolean
}

/** Null when the thread could not do it. */
export interface SealingAnswer {
  readonly number: number
  readonly commits: readonly SentCommit[] | null
}

export function headOf({ ref, head, manifest }: SealingOrder): StreamHead {
  return { ref, commit: head, manifest: decodeManifest(manifest) }
}

/** @param deflate - the content of an object's loose file */
export function packCommit(
  { commit, manifest, message, objects }: SealedCommit,
  deflate: (object: PendingObject) => Uint8Array,
): SentCommit {
  const sent = objects.map(({ oid, type, content, isStored = false }) => {
    return { oid, type, content, isStored, deflated: deflate({ oid, type, content, isStored }) }
  })
  return { commit, manifest: encodeManifest(manifest), message, objects: sent, isWritten: false }
}

export function unpackCommit({ manifest, ...sent }: SentCommit): SealedCommit {
  return { ...sent, manifest: decodeManifest(manifest) }
}

/** Smaller bytes are copied: they may be part of a buffer that others use. */
const transferredBytesMin = 64 * 1024

/** The buffers of an answer that need not be copied. */
export function buffersOf(commits: readonly SentCommit[]): readonly ArrayBuffer[] {
  const buffers = new Set<ArrayBuffer>()
  for (const { objects } of commits) {
    for (const { content, deflated } of objects) {
      for (const { buffer, byteLength } of [content, deflated])
        if (byteLength >= transferredBytesMin && buffer instanceof ArrayBuffer) buffers.add(buffer)
    }
  }
  return [...buffers]
}
