/**
 * Makes the commits that seal a closed journal, with all their git objects. The same head and records give the same
 * bytes in every thread and process.
 */
import type { ObjectFormat, Oid, PendingObject } from '../../git/index.ts'
import type { Manifest } from '../../model/streams/index.ts'
import { encodeBatch } from '../append.ts'
import type { SegmentTools } from './open-segment.ts'
import { cutSegments, type SealedBatch, sealInSteps } from './seal-records.ts'
import { segmentStream } from './stream-codec.ts'
import type { StreamHead } from './stream-heads.ts'

/** A commit to publish. */
export interface SealedCommit {
  readonly commit: Oid
  readonly manifest: Manifest
  readonly message: string
  /** Of the commit, with the commit last. */
  readonly objects: readonly PendingObject[]
  /** The repository has the objects, flushed. */
  readonly isWritten: boolean
}

/** Yields nothing where other work can go on, after a few milliseconds at most. */
export function* sealBatches(
  tools: SegmentTools,
  format: ObjectFormat,
  head: StreamHead,
  batches: Iterable<SealedBatch>,
): Generator<SealedCommit | undefined> {
  const stream = segmentStream(head.ref, head.manifest.streamId, tools)
  let { commit, manifest } = head
  for (const records of cutSegments(batches)) {
    yield
    const made = yield* sealInSteps(tools, manifest, records)
    const encoded = encodeBatch(format, stream, made, [commit])
    commit = encoded.commit
    manifest = made.manifest
    yield { commit, manifest, message: encoded.message, objects: encoded.objects, isWritten: false }
  }
}

/** Batches of a closed file from an offset on, which begins one. Ends before a gap. */
export function* batchesUpToGap(batches: Iterable<SealedBatch>, from: number): Generator<SealedBatch> {
  let expected = from
  for (const batch of batches) {
    if (batch.firstOffset > expected) return
    // A commit may end inside a batch only when another program has made it.
    const skipped = expected - batch.firstOffset
    const records = skipped === 0 ? batch.records : batch.records.slice(skipped)
    yield { firstOffset: expected, records }
    expected += records.length
  }
}
