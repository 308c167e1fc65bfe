/** The codec for commits of one kind of stream. Each tenant of the engine brings one. */
import type { CommitEntry, Oid, TreeFiles } from '../git/index.ts'
import type { LogGap } from './log-gap.ts'

/** The commit for one batch, except its tree object and parent link. */
export interface SegmentCommit {
  readonly files: TreeFiles
  /** Paths of compressed files, so that git stores them as they are. */
  readonly storedPaths?: ReadonlySet<string>
  readonly message: string
  readonly identity: { readonly name: string; readonly email: string }
  readonly date: { readonly unixSeconds: number; readonly offsetMinutes: number }
}

/** A part of a stream that is unusable or looks wrong. It never hides its neighbours. */
export interface StreamProblem {
  readonly commit: Oid
  /** The damaged git object, if known. */
  readonly objectId: Oid | null
  /** `damaged`: a part was skipped. `suspicious`: everything was used, but a stated fact is wrong. */
  readonly severity: 'damaged' | 'suspicious'
  readonly reason: string
  /** Set when bytes are unavailable, so that their events are unknown here. */
  readonly unread?: 'too-large' | 'missing' | 'corrupt'
  /** Set when another clone may have the missing part. */
  readonly gap?: LogGap
}

/** One commit of a stream, decoded and verified. */
export interface Segment<Item, Problem extends StreamProblem = StreamProblem> {
  readonly commit: Oid
  readonly parents: readonly Oid[]
  readonly items: readonly Item[]
  readonly problems: readonly Problem[]
}

export interface SegmentCodec<Batch, Item, Sealed extends Segment<Item> = Segment<Item>> {
  /** Top-level name that every commit of the stream has, which distinguishes it from other commits. */
  readonly markFile: string
  /** A larger file is neither written nor loaded. Bytes. */
  readonly fileBytesMax: number
  /** Files that are loaded first when a commit exceeds its limits. */
  readonly comesFirst: (path: string) => boolean
  /** Encodes a batch on top of its parents, the chain's own first. Pure: the batch contains the dates. */
  readonly encode: (batch: Batch, parents: readonly Oid[]) => SegmentCommit
  /**
   * Decodes a commit. Never throws on foreign bytes.
   *
   * @param taken - large objects of earlier commits; repeats are skipped
   */
  readonly decode: (entry: CommitEntry, taken?: TakenObjects) => Sealed
  /**
   * Like `decode`, for a commit in which everything is as writers make it; null for any other, and for most that are
   * not pairs. Makes no objects beside those in the segment.
   */
  readonly decodePair: (entry: CommitEntry) => Sealed | null
  /** Like `decode`; yields now and then during long work so that other work can go on. */
  readonly decodeInSteps: (entry: CommitEntry, taken?: TakenObjects) => Generator<undefined, Sealed>
}

/** Ids of large objects decoded in one reading of a stream. */
export type TakenObjects = Set<Oid>
