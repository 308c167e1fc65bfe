import type { Oid } from '../../../git/index.ts'
import { DamagedStreamError } from '../../../model/index.ts'
import type { Lineage, Manifest, RetentionPolicy, StreamId } from '../../../model/streams/index.ts'
import { UnreadableCommitError } from '../commit-reader.ts'
import type { JournalPlace } from '../journal/index.ts'
import type { SegmentTools } from '../open-segment.ts'
import type { CreateStream, StreamPlace, StreamSummary } from '../record-streams.ts'
import type { StreamHead, StreamHeads } from '../stream-heads.ts'
import type { StreamReader } from '../stream-reader.ts'
import type { ActCommit } from '../stream-writer.ts'

/** What acts need of the store. */
export interface ActPlace {
  readonly place: StreamPlace
  readonly reader: StreamReader
  readonly heads: StreamHeads
  readonly tools: () => Promise<SegmentTools>
  readonly journalPlace: (streamId: StreamId, generation: number) => Promise<JournalPlace>
  /** A head that has the records below an offset sealed; by default all. */
  readonly sealedPosition: (
    streamId: StreamId,
    below: number | undefined,
  ) => Promise<{ readonly at: number; readonly head: StreamHead }>
  /** The offset of the next record, with those in the journal. */
  readonly nextOffset: (streamId: StreamId) => Promise<number>
  readonly metadata: (
    facts: Pick<CreateStream, 'actor' | 'reason' | 'labels'>,
    retention: RetentionPolicy | null,
  ) => Lineage['metadata']
  readonly genesis: (streamId: StreamId, generation: number, firstOffset: number, lineage: Lineage) => Promise<Manifest>
  readonly begin: (manifest: Manifest, parents: readonly Oid[]) => Promise<StreamSummary>
  readonly act: (streamId: StreamId, makeCommit: (head: StreamHead) => Promise<ActCommit | null>) => Promise<StreamHead>
  readonly summary: (head: StreamHead) => Promise<StreamSummary>
  /** Closes the writer of this process, after another way to write has moved the ref. */
  readonly forget: (streamId: StreamId) => Promise<void>
}

/** Runs work for which every object must be readable. @throws {DamagedStreamError} naming the one that is not */
export async function requireReadable<Result>(streamId: StreamId, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof UnreadableCommitError)) throw error
    throw new DamagedStreamError(error.message, {
      details: { stream: streamId, object_id: error.objectId },
      cause: error,
    })
  }
}
