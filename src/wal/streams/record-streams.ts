/** What the engine of record streams takes and gives (docs/format.md, "Record streams"). */
import type { GitPort, Oid, RefName, SharedPermissions } from '../../git/index.ts'
import type { ActorId } from '../../model/index.ts'
import type {
  CloneId,
  Incarnation,
  Labels,
  LineageKind,
  LineageParent,
  RetentionPolicy,
  StreamId,
  StreamRecord,
} from '../../model/streams/index.ts'
import type { StreamActs } from './acts/index.ts'

/** Where the streams of one repository are, and what their engine needs beside it. */
export interface StreamPlace {
  readonly git: GitPort
  /** Journals, locks and the cache of heads: `<common git dir>/grite/streams`. Made when first needed. */
  readonly folder: string
  readonly permissions: SharedPermissions
  /** The id of this clone, 32 hex: the owner of the epochs it begins. Made when first asked for. */
  readonly cloneId: () => Promise<CloneId>
  readonly clock: { readonly nowUnixMs: () => number }
  /** Random bytes, this many. */
  readonly random: (byteCount: number) => Uint8Array
  /** Receives damage found on the way, which hides nothing else. */
  readonly warn: (damage: StreamDamage) => void
}

/** A part of a stream that is unreadable or looks wrong. */
export interface StreamDamage {
  readonly streamId: StreamId | null
  readonly ref: RefName | null
  /** The git object concerned; null for a journal, or when only the ref is wrong. */
  readonly objectId: Oid | null
  /** Name of the journal file; null for a git object. */
  readonly file: string | null
  /** Byte position in that file. */
  readonly bytePosition: number | null
  /** The affected records, if known: from this offset up to, not including, the next. */
  readonly offsets: { readonly from: number; readonly to: number } | null
  readonly reason: string
}

export interface StreamMetadata {
  readonly createdTsUnixMs: number
  readonly actor: ActorId | null
  readonly reason: string | null
  /** Sorted by key. */
  readonly labels: Labels
  readonly retention: RetentionPolicy | null
}

export interface StreamSummary {
  readonly streamId: StreamId
  readonly incarnation: Incarnation
  readonly generation: number
  readonly ref: RefName
  readonly head: Oid
  readonly kind: LineageKind
  readonly parents: readonly LineageParent[]
  readonly metadata: StreamMetadata
  readonly epoch: { readonly number: number; readonly owner: CloneId }
  /** Offset of the next record, with those in the journal. */
  readonly nextOffset: number
  /** Offset after the newest sealed record. */
  readonly sealedOffset: number
  /** Oldest readable offset: above 0 after retention. */
  readonly firstOffset: number
  /** Commits of this generation. */
  readonly commitCount: number
  /** Entries of the head's Merkle tree. */
  readonly entries: number
  /** Root of the head, 64 hex. */
  readonly root: string
  /** `continued`: in a next generation. */
  readonly state: 'live' | 'deleted' | 'continued'
  /** Whether this clone may append. */
  readonly owner: 'ours' | 'foreign'
}

export interface JournalFacts {
  readonly file: string
  readonly firstOffset: number
  readonly nextOffset: number
  readonly byteCount: number
  readonly closed: 'seal' | 'barrier' | 'fault' | null
}

/** The journal continues another head than the ref's, or holds other records than its commits. */
export interface Divergence {
  readonly file: string
  /** The commit that the journal continues. */
  readonly sealedCommit: Oid
  /** The first offset at which both differ, or at which the journal begins. */
  readonly offset: number
  readonly reason: string
}

export interface StreamStatus extends StreamSummary {
  readonly journals: readonly JournalFacts[]
  readonly unsealedRecords: number
  readonly unsealedBytes: number
  readonly damage: readonly StreamDamage[]
  readonly divergence: Divergence | null
}

export interface ListFilter {
  /** Default: streams that are neither deleted nor continued in a next generation. */
  readonly includeEnded?: boolean
  /** Whether what was read is kept for the next list. Default true. */
  readonly keepsHeads?: boolean
  readonly onDamage?: (damage: StreamDamage) => void
}

export interface CreateStream {
  readonly actor: ActorId | null
  readonly reason: string | null
  readonly labels: Labels
  readonly retention: RetentionPolicy | null
}

export interface BranchStream {
  /** Where the branch begins: it inherits the parent's records below. Default: the parent's next offset. */
  readonly at?: number | undefined
  readonly actor: ActorId | null
  readonly reason: string | null
  readonly labels: Labels
}

/** A record to append. Its time and offset are set when it is appended. */
export interface RecordDraft {
  readonly payload: Uint8Array
  readonly key?: Uint8Array | null | undefined
  readonly contentType?: string | null | undefined
  readonly headers?: readonly (readonly [string, string | Uint8Array])[] | undefined
  readonly writer?: ActorId | null | undefined
  readonly producer?: { readonly id: string; readonly sequence: number } | null | undefined
}

/** Levels of durability that this clone alone can reach. `memory`: written, not flushed. */
export type LocalDurability = 'memory' | 'local'

/** What an append asks right before its records are written, such as an `AbortSignal`. */
export type Cancellation = Pick<AbortSignal, 'throwIfAborted'>

export interface AppendOptions {
  readonly durability: LocalDurability
  /** Refuses the append unless its first record gets this offset. */
  readonly expectedOffset?: number | undefined
  /** Gives up before the records are written; an append under way is finished. */
  readonly signal?: Cancellation | undefined
}

export interface AppendedRecords {
  readonly streamId: StreamId
  readonly incarnation: Incarnation
  readonly epoch: number
  /** Offset of the first record. */
  readonly offset: number
  readonly nextOffset: number
  /** The level reached. */
  readonly level: LocalDurability
  /** The producer's sequence had been appended before: `offset` is where. */
  readonly repeated: boolean
}

/** A position: an offset alone is no identity. */
export interface Position {
  readonly streamId: StreamId
  readonly incarnation: Incarnation
  readonly offset: number
}

export interface ReadRecord {
  readonly offset: number
  /** The stored record: a view of a larger buffer, which must not be changed. */
  readonly bytes: Uint8Array
  /** Where it was appended; null when that is this stream at this offset. */
  readonly origin: Position | null
  /** Decodes the record each time it is called. */
  readonly record: () => StreamRecord
}

export interface ReadOptions {
  readonly from: number
  /** Up to, not including, this offset. Default: the end at the time of the call. */
  readonly to?: number | undefined
  readonly limitRecords?: number | undefined
  readonly signal?: AbortSignal | undefined
  /** Whether to go on into the journal, after sealed records. */
  readonly includeTail: boolean
  /** Receives unreadable parts, which are then skipped. Without it, the first one is an error. */
  readonly onDamage?: ((damage: StreamDamage) => void) | undefined
}

export interface FollowOptions {
  readonly from: number
  /** Ends the iteration without an error. */
  readonly signal: AbortSignal
  readonly onDamage?: ((damage: StreamDamage) => void) | undefined
}

/**
 * The record streams of one repository. Every method takes ids as `parseStreamId` gives them, and finds the newest
 * generation of a stream; an unknown id is a `NotFoundError`.
 */
export interface RecordStreams {
  /** Merges, checkpoints, proofs and other acts on whole streams. */
  readonly acts: StreamActs
  list(filter?: ListFilter): Promise<readonly StreamSummary[]>
  status(streamId: StreamId): Promise<StreamStatus>
  /** @throws {ConflictError} when the stream exists */
  create(streamId: StreamId, options: CreateStream): Promise<StreamSummary>
  /**
   * Appends an atomic batch of records.
   * @throws {ConflictError} when another clone owns the stream, the next offset is not the expected one, or a producer's
   * sequence is older than its last
   * @throws {InvalidArgsError} when a record or the batch exceeds a limit
   */
  append(streamId: StreamId, drafts: readonly RecordDraft[], options: AppendOptions): Promise<AppendedRecords>
  /** Batches of records by ascending offset. */
  read(streamId: StreamId, options: ReadOptions): AsyncIterable<readonly ReadRecord[]>
  /** @throws {NotFoundError} when there is no record at this offset */
  readAt(streamId: StreamId, offset: number): Promise<ReadRecord>
  /** @throws {ConflictError} when the new stream exists */
  branch(streamId: StreamId, parentId: StreamId, options: BranchStream): Promise<StreamSummary>
  /** Seals everything that was appended before the call. */
  seal(streamId: StreamId): Promise<Sealed>
  /** Batches of records as they are appended, until the signal aborts. */
  follow(streamId: StreamId, options: FollowOptions): AsyncIterable<readonly ReadRecord[]>
  /** Finishes what is under way, and releases files, locks and workers. Seals nothing. */
  close(): Promise<void>
}

export interface Sealed {
  readonly streamId: StreamId
  /** Head after the seal. */
  readonly head: Oid
  readonly sealedOffset: number
  /** Commits written by this call. */
  readonly commits: readonly Oid[]
  readonly records: number
}
