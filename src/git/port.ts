/**
 * The git operations that grite needs. Two implementations exist (`native`, `isomorphic`); the conformance suite in
 * `test/conformance/git-port.ts` tests both, and `openRepository` picks one per operation by measurement.
 *
 * Invariants
 * - An object named by a ref that `publish` moved was on disk, flushed, before the ref moved (R2).
 * - A ref moves only from the value the caller expected; a lost race is a `RefMovedError`, never a merge.
 * - Nothing outside this layer builds a path below the git directory's `objects/` or `refs/`, or reads git's stderr.
 */

import type { ObjectPlace } from './durable/write-loose-objects.ts'
import type { Environment } from './locate-git.ts'

declare const brand: unique symbol

/** Object id: lower-case hex, 40 characters (SHA-1) or 64 (SHA-256), by the repository's object format. */
export type Oid = string & { readonly [brand]: 'Oid' }
/** Full ref name, such as `refs/grite/wal`. */
export type RefName = string & { readonly [brand]: 'RefName' }

export type ObjectFormat = 'sha1' | 'sha256'
export type RefStorage = 'files' | 'reftable'
export type ObjectType = 'commit' | 'tree' | 'blob' | 'tag'

/** Paths and format of a repository. All paths are absolute and real (symbolic links resolved). */
export interface RepositoryLayout {
  /** The git directory of this work tree (`.git/worktrees/<name>` in a linked one). */
  readonly gitDir: string
  /** The directory shared by all work trees: objects, refs, and grite's own `grite/` folder. */
  readonly commonDir: string
  /** Top of the work tree; null in a bare repository. */
  readonly workTree: string | null
  readonly objectFormat: ObjectFormat
  readonly refStorage: RefStorage
  /** Where new objects go: `<commonDir>/objects`, or GIT_OBJECT_DIRECTORY. */
  readonly objectDir: string
  /** Set when GIT_OBJECT_DIRECTORY or alternates are in use, so that only the git program knows all stores. */
  readonly unusualObjectStore: boolean
}

export interface GitObject {
  readonly oid: Oid
  readonly type: ObjectType
  readonly content: Uint8Array
}

/** An object with its computed id (`encodeObject`), ready to be written. */
export interface PendingObject extends GitObject {
  /** Skips deflating, for bytes that are already compressed: 4 MiB take 65 ms deflated, and 3 ms stored. */
  readonly isStored?: boolean
  /** The content of its loose file, where another thread has deflated it (`deflateObject`). */
  readonly deflated?: Uint8Array
}

/** One file of a commit's tree. `content` is null when it is larger than the reader's limit, missing or corrupt. */
export interface CommitFile {
  /** Path inside the tree, `/`-separated, decoded as UTF-8. */
  readonly path: string
  /** Octal mode as git writes it, such as `100644`. */
  readonly mode: string
  readonly oid: Oid
  readonly content: Uint8Array | null
  /** Set exactly when `content` is null. */
  readonly problem: 'too-large' | 'missing' | 'corrupt' | null
}

/**
 * A part of a history that this repository lacks, though another may have it. A malformed object is not a gap: it is
 * the same everywhere.
 */
export interface HistoryGap {
  /** `shallow`: left out by a fetch with a depth. `corrupt`: the stored bytes do not match the id. */
  readonly reason: 'shallow' | 'missing' | 'corrupt'
  readonly kind: 'commit' | 'tree'
  /** The unreadable object. */
  readonly oid: Oid
}

/** A commit whose parents a shallow clone lacks. */
export interface CutCommit {
  readonly oid: Oid
  /** The first of the parents. */
  readonly parent: Oid
}

/** A commit with every file of its tree. `problem` says why commit or tree could not be read completely. */
export interface CommitEntry {
  readonly oid: Oid
  /** As listed in the commit, including those that a shallow clone lacks. */
  readonly parents: readonly Oid[]
  /** Committer time, seconds since the epoch. */
  readonly committedAtUnixSeconds: number
  readonly message: string
  readonly files: readonly CommitFile[]
  readonly problem: string | null
  /** Parts of the commit, of its trees, or of the history below it that this repository lacks. */
  readonly gaps: readonly HistoryGap[]
}

export interface ReadHistoryOptions {
  readonly head: Oid
  /** Commits reachable from any of these are left out. Unknown ids are a `NotFoundError`. */
  readonly exclude?: readonly Oid[]
  /**
   * Larger blobs are not loaded but reported as `too-large`. Bytes. Returned contents are verified against their id;
   * trees and commits only when the reader has to be careful.
   */
  readonly blobBytesMax: number
  /**
   * Files whose contents are loaded first when a commit exceeds its `limits`. The rest is listed in the entry's
   * `problem`, or is `too-large`.
   */
  readonly comesFirst?: (path: string) => boolean
  /** For callers that write here anyway: reads a whole history faster, through a file without a name in our folder. */
  readonly mayUseFile?: boolean
}

/** A commit without its files. `problem` says why it could not be read; it then has no tree and no parents. */
export interface BareCommit {
  readonly oid: Oid
  readonly tree: Oid | null
  /** As listed in the commit, including those that a shallow clone lacks. */
  readonly parents: readonly Oid[]
  /** Committer time, seconds since the epoch. */
  readonly committedAtUnixSeconds: number
  readonly message: string
  readonly problem: string | null
  /** Set when this repository lacks the commit, or where a shallow clone is cut off below it. */
  readonly gap: HistoryGap | null
}

export interface ListCommitsOptions {
  readonly head: Oid
  /** Commits reachable from any of these are left out. Unknown ids are a `NotFoundError`. */
  readonly exclude?: readonly Oid[]
}

/** One ref to move by compare-and-swap. `expected` null: the ref must not exist. `next` null: delete it. */
export interface RefUpdate {
  readonly ref: RefName
  readonly expected: Oid | null
  readonly next: Oid | null
  /** Reflog message, one line, if the ref has a reflog. */
  readonly reflogMessage: string
  /** Starts a reflog even where git's settings would not create one. */
  readonly keepsReflog?: boolean
}

export interface PublishPlan {
  readonly objects: readonly PendingObject[]
  /** Objects of an earlier publish that moved no ref. Those pruned since then are rewritten. */
  readonly staged?: readonly PendingObject[]
  readonly updates: readonly RefUpdate[]
  /**
   * Moves the refs in the order of `updates`, each durably before the next, deletions last: a crash leaves no ref that
   * depends on a later one. Otherwise the order is undefined.
   */
  readonly isOrdered?: boolean
}

/** Features of one implementation; the conformance suite skips, by name, the missing ones. */
export interface GitSupports {
  readonly objectFormats: readonly ObjectFormat[]
  readonly refStorages: readonly RefStorage[]
  /** Objects may come from alternates or GIT_OBJECT_DIRECTORY. */
  readonly alternates: boolean
  /** A large batch is written as one pack. */
  readonly packs: boolean
}

/** Receives a broken ref, and the reason. */
export type OnBrokenRef = (ref: RefName, reason: string) => void

export interface GitPort {
  /** `combined` picks one of the two per operation, by the measurements in docs/decisions/0002. */
  readonly implementation: 'native' | 'isomorphic' | 'combined'
  readonly supports: GitSupports
  readonly layout: RepositoryLayout
  /** Environment for git. */
  readonly environment: Environment

  /**
   * The commit that a ref names; null when the ref does not exist. A symbolic or broken ref is a `CorruptObjectError`.
   */
  readRef(ref: RefName): Promise<Oid | null>
  /**
   * Refs below one or more prefixes that end in `/`, by name and each once.
   * @param onBroken - called for a symbolic or broken ref, which is then left out; without it one is an error
   * @throws {CorruptObjectError} on a symbolic or broken ref
   */
  listRefs(
    prefixes: string | readonly string[],
    onBroken?: OnBrokenRef,
  ): Promise<readonly { readonly ref: RefName; readonly oid: Oid }[]>

  /**
   * One object; null when the repository does not have it.
   * @throws {ObjectTooLargeError} above `bytesMax`, before it is loaded
   * @throws {CorruptObjectError} when it cannot be inflated or its bytes do not match its id
   */
  readObject(oid: Oid, bytesMax: number): Promise<GitObject | null>

  /**
   * Commits reachable from `head` and not from `exclude`, parents before children, each with all files of its tree.
   * Streams in batches of bounded size (256 commits or 4 MiB of contents, whichever is first). A damaged object is
   * reported in its entry and never ends the walk; a missing commit ends its chain, reported as an entry with a
   * `problem`. In a shallow clone, the chain ends with the oldest commit present, reported in its `gaps`. Never
   * fetches: objects that a partial clone lacks are missing.
   */
  readHistory(options: ReadHistoryOptions): AsyncIterable<readonly CommitEntry[]>

  /**
   * Commits reachable from `head` and not from `exclude`, without trees and blobs: newest first by their time, on a
   * plain chain each before its parent. Reads little further than its caller asks, so that the last of a million costs
   * as much as the last of a hundred. An unreadable commit is listed with its `problem`, and ends its chain.
   */
  listCommits(options: ListCommitsOptions): AsyncIterable<readonly BareCommit[]>

  /**
   * True when `ancestor` is reachable from `descendant` (or equal), as far as history is present. Unknown objects:
   * false.
   */
  isAncestor(ancestor: Oid, descendant: Oid): Promise<boolean>
  /** Best common ancestor of two commits; null when none is present or one of them is unknown. */
  findMergeBase(left: Oid, right: Oid): Promise<Oid | null>
  /**
   * Commits reachable from some heads whose parents a shallow clone lacks. Reads only one file in a repository that is
   * not shallow.
   */
  findCutCommits(heads: readonly Oid[]): Promise<readonly CutCommit[]>

  /**
   * Writes objects, makes them durable, then moves the refs. When it returns, the refs reach the new objects, and no
   * object of the plan is missing.
   * @throws {RefMovedError} when a ref no longer has its expected value; objects stay behind, harmless
   * @throws {RefLockedError} when another process's lock on a ref outlives the wait
   * @throws {StorageError} disk full, read-only repository, permission: no ref has moved
   * @throws {AfterWriteError} when a step failed after a ref had moved
   */
  publish(plan: PublishPlan): Promise<void>
  /** Where another thread may write the objects of a plan before (`writeLooseObjects`); null where only `publish` can. */
  objectPlace?(): Promise<ObjectPlace | null>

  /**
   * Aborts running `readHistory` calls: their readers get a `GitError`. For a process that is about to end; nothing is
   * read afterwards.
   */
  stopReading(): void

  /** Ends helper processes. Idempotent. */
  close(): Promise<void>
}
