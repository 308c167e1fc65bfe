import type { ProofFacts, StreamId } from '../../../model/streams/index.ts'
import type { StreamSummary } from '../record-streams.ts'
import type { StreamHead } from '../stream-heads.ts'
import type { ActPlace } from './act-place.ts'
import {
  type CheckedCheckpoint,
  type Checkpoint,
  type CreateCheckpoint,
  createCheckpoint,
  listCheckpoints,
  verifyCheckpoints,
} from './checkpoints.ts'
import { makeProof } from './make-proof.ts'
import { type MergeResult, type MergeStreams, mergeStreams } from './merge-streams.ts'
import { type Deed, deleteStream, type PurgedStream, type PurgeStream, purgeStream, takeOver } from './owner-acts.ts'
import { applyPolicy, type RetainedStream, type RetainStream, retainStream } from './retain-stream.ts'
import {
  type OnChecked,
  type StreamProblemFound,
  type VerifiedStream,
  verifyHead,
  verifyStream,
} from './verify-stream.ts'

/** What is done to whole streams. Every act on a live stream waits until what was appended before it is sealed. */
export class StreamActs {
  readonly #at: ActPlace

  constructor(at: ActPlace) {
    this.#at = at
  }

  /** Adds records of other streams, by reference. */
  async merge(target: StreamId, request: MergeStreams): Promise<MergeResult> {
    return await mergeStreams(this.#at, target, request)
  }

  /** States that the present root is right. */
  async createCheckpoint(streamId: StreamId, request: CreateCheckpoint): Promise<Checkpoint> {
    return await createCheckpoint(this.#at, streamId, request)
  }

  /** Newest first. */
  async listCheckpoints(streamId: StreamId): Promise<readonly Checkpoint[]> {
    return await listCheckpoints(this.#at, streamId)
  }

  async verifyCheckpoints(streamId: StreamId): Promise<readonly CheckedCheckpoint[]> {
    return await verifyCheckpoints(this.#at, streamId)
  }

  /** Proves that a sealed record is in the stream. */
  async prove(streamId: StreamId, offset: number): Promise<ProofFacts> {
    return await makeProof(this.#at, streamId, offset)
  }

  /** Checks all generations of a stream, with their journals. None for an unknown id. */
  async verify(streamId: StreamId, onChecked?: OnChecked): Promise<readonly VerifiedStream[]> {
    return await verifyStream(this.#at, streamId, onChecked)
  }

  /** Checks the commits that lead to a head which is not yet this clone's. */
  async verifyHead(head: StreamHead, onChecked?: OnChecked): Promise<readonly StreamProblemFound[]> {
    return await verifyHead(this.#at, head, onChecked)
  }

  /** Lets this clone append, and refuses other clones once they know. */
  async takeOver(streamId: StreamId, deed: Deed): Promise<StreamSummary> {
    return await takeOver(this.#at, streamId, deed)
  }

  /** Ends a stream; its records stay until it is purged. */
  async delete(streamId: StreamId, deed: Deed): Promise<StreamSummary> {
    return await deleteStream(this.#at, streamId, deed)
  }

  /** Removes the refs of what has ended. */
  async purge(streamId: StreamId, request: PurgeStream): Promise<PurgedStream> {
    return await purgeStream(this.#at, streamId, request)
  }

  /** Drops the oldest records, or joins small segments, in a new generation. */
  async retain(streamId: StreamId, request: RetainStream): Promise<RetainedStream> {
    return await retainStream(this.#at, streamId, request)
  }

  /** Does what the stream's own policy asks for, which is often nothing. */
  async applyPolicy(streamId: StreamId): Promise<void> {
    await applyPolicy(this.#at, streamId)
  }
}
