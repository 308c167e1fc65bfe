/**
 * A stream as a value: which ref it is, how its commits read and write, and what happens when two clones have both
 * written. Append, read, heal, join and sync take one, and know no tenant by name.
 */
import type { Oid, RefName, RefUpdate } from '../git/index.ts'
import type { Segment, SegmentCodec } from './segment-codec.ts'

export interface Stream<Batch, Item, Sealed extends Segment<Item> = Segment<Item>> {
  readonly ref: RefName
  /** The subject of messages about it, such as `the log`. */
  readonly title: string
  readonly codec: SegmentCodec<Batch, Item, Sealed>
  readonly divergence: DivergencePolicy<Batch, Sealed>
  /** Whether its moves are written to a reflog. Healing finds there what the ref once named. */
  readonly keepsReflog: boolean
}

/** What becomes of a stream that was written in two places. */
export type DivergencePolicy<Batch, Sealed> = UnionPolicy<Batch, Sealed> | RefusalPolicy

/** What one side lacks is appended to it again: the stream is a set of items, whatever their order. */
export interface UnionPolicy<Batch, Sealed> {
  readonly kind: 'union'
  /** Ids of the items of a segment; the same item has the same id in every clone. */
  readonly idsOf: (segment: Sealed) => readonly string[]
  /** Bytes of the items of a segment, by which readers bound what they keep in memory. */
  readonly bytesOf: (segment: Sealed) => number
  /** Batches that bring what is missing onto another chain, oldest item first. */
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

/** A stream, whatever its policy: enough to append to it, and to read it. */
export type AnyStream<Batch, Item> = Omit<Stream<Batch, Item>, 'divergence'>

/** What of a stream concerns its ref alone. */
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
