/**
 * A stream as a value: its ref, the codec of its commits, and its policy when two clones have both written. Append,
 * read, heal, join and sync take one, and know no tenant by name.
 */
import type { Oid, RefName, RefUpdate } from '../git/index.ts'
import type { Segment, SegmentCodec } from './segment-codec.ts'

export interface Stream<Batch, Item, Sealed extends Segment<Item> = Segment<Item>> {
  readonly ref: RefName
  /** Its name in messages, such as `the log`. */
  readonly title: string
  readonly codec: SegmentCodec<Batch, Item, Sealed>
  readonly divergence: DivergencePolicy<Batch, Sealed>
  /** Whether its moves are written to a reflog, where healing finds former values of the ref. */
  readonly keepsReflog: boolean
}

/** The policy for a stream written in two places. */
export type DivergencePolicy<Batch, Sealed> = UnionPolicy<Batch, Sealed> | RefusalPolicy

/** Items that one side lacks are re-appended to it: the stream is a set of items in any order. */
export interface UnionPolicy<Batch, Sealed> {
  readonly kind: 'union'
  /** Ids of the items of a segment; an item has the same id in every clone. */
  readonly idsOf: (segment: Sealed) => readonly string[]
  /** Bytes of the items of a segment; bounds the readers' memory. */
  readonly bytesOf: (segment: Sealed) => number
  /** Batches that append the missing items to another chain, oldest first. */
  readonly batchesOfMissing: (
    segments: readonly Sealed[],
    isMissing: (id: string) => boolean,
    nowUnixMs: number,
  ) => readonly Batch[]
  /** Items in a batch. */
  readonly countOf: (batch: Batch) => number
}

/** Nothing is joined: the caller gets a `ConflictError` that names both heads. */
export interface RefusalPolicy {
  readonly kind: 'refuse'
}

/** A stream whose two sides can be joined. */
export interface UnionStream<Batch, Item, Sealed extends Segment<Item> = Segment<Item>>
  extends Stream<Batch, Item, Sealed> {
  readonly divergence: UnionPolicy<Batch, Sealed>
}

/** A stream with any policy: enough to append and read. */
export type AnyStream<Batch, Item> = Omit<Stream<Batch, Item>, 'divergence'>

/** The parts of a stream that concern only its ref. */
export type StreamRef = Pick<Stream<unknown, unknown>, 'ref' | 'title' | 'keepsReflog'>

/** One move of a stream's ref. */
export interface StreamMove {
  readonly expected: Oid | null
  readonly next: Oid | null
  readonly reflogMessage: string
}

/** The update that moves a stream's ref, with a reflog where the stream keeps one. */
export function updateOf({ ref, keepsReflog }: Pick<StreamRef, 'ref' | 'keepsReflog'>, move: StreamMove): RefUpdate {
  return { ref, ...move, keepsReflog }
}
