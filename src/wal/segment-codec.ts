/** How the commits of one kind of stream are written and read. Each tenant of the engine brings a codec. */
import type { CommitEntry, Oid, TreeFiles } from '../git/index.ts'
import type { LogGap } from './log-gap.ts'

/** The commit that will hold one batch, all but its tree object and parent link. */
export interface SegmentCommit {
  readonly files: TreeFiles
  /** Paths of files that are compressed already, so that git stores them as they are. */
  readonly storedPaths?: ReadonlySet<string>
  readonly message: string
  readonly identity: { readonly name: string; readonly email: string }
  readonly date: { readonly unixSeconds: number; readonly offsetMinutes: number }
}

/** Something in a stream that could not be used, or looks wrong. It never hides its neighbours. */
export interface StreamProblem {
  readonly commit: Oid
  /** The git object that is damaged, where one can be named. */
  readonly objectId: Oid | null
  /** `damaged`: something was skipped. `suspicious`: everything was used, but a stated fact does not hold. */
  readonly severity: 'damaged' | 'suspicious'
  readonly reason: string
  /** Set when bytes could not be had, so that nobody can tell here which events they hold. */
  readonly unread?: 'too-large' | 'missing' | 'corrupt'
  /** Set when another clone may have what is missing here. */
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
  /** Top-level name that every commit of the stream has, and that tells it from commits of something else. */
  readonly markFile: string
  /** A larger file is neither written nor loaded. Bytes. */
  readonly fileBytesMax: number
  /** Files that are loaded before others, where a commit holds more than is taken of one. */
  readonly comesFirst: (path: string) => boolean
  /** Bytes of a batch on top of its parents, the chain's own first. Pure: dates come with the batch. */
  readonly encode: (batch: Batch, parents: readonly Oid[]) => SegmentCommit
  /**
   * Decodes what a commit holds. Never throws on foreign bytes.
   *
   * @param taken - large objects that commits read before brought; what it brings again is passed over
   */
  readonly decode: (entry: CommitEntry, taken?: TakenObjects) => Sealed
  /** As `decode`; comes back now and then while there is much to do, so that other work can go on. */
  readonly decodeInSteps: (entry: CommitEntry, taken?: TakenObjects) => Generator<undefined, Sealed>
}

/** Ids of large objects that were decoded in one reading of a stream. */
export type TakenObjects = Set<Oid>
