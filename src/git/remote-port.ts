/**
 * What grite needs of a remote: refs and objects fetched, refs pushed. The user's git does it, so that ssh
 * configuration, credential helpers, proxies, insteadOf and remote helpers all apply.
 *
 * Invariants
 * - A fetch moves refs outside `refs/grite/` only, whatever the remote's configured refspecs say.
 * - A push never forces. A ref moves forward, is created, or is deleted from the very value that the caller expects.
 */
import type { Oid, RefName } from './port.ts'

export interface FetchRequest {
  /** Name of a configured remote, or an address. */
  readonly remote: string
  /** Explicit, with both sides. What matches on the left of one and is not on the remote is pruned on the right. */
  readonly refspecs: readonly string[]
  /**
   * How many refs are followed of those that a refspec matches, by its left side without the star; all where it is not
   * given. Those that are followed already come first, then the greatest names.
   */
  readonly refsMax?: (left: string) => number
  /** Whether a ref is followed at all, by its name on the remote; all are where it is not given. */
  readonly isFollowed?: (ref: string) => boolean
  readonly onProgress?: OnProgress | undefined
}

/** Refs of a remote that are not followed, because there are too many. */
export interface LeftOutRefs {
  /** The left side of a refspec, without the star. */
  readonly prefix: string
  readonly foundCount: number
  readonly followedCount: number
}

/** Told how far git is in one of its phases, of which a transfer has several. */
export type OnProgress = (phase: string, done: number, total: number) => void

/** A ref to create or move forward to `next`; to delete, `next` is null and `expected` what it has to be. */
export type PushUpdate =
  | { readonly ref: RefName; readonly next: Oid }
  | { readonly ref: RefName; readonly next: null; readonly expected: Oid }

export interface PushRequest {
  readonly remote: string
  readonly updates: readonly PushUpdate[]
  /** All or none. A remote that cannot do that is a `RemoteError` with the reason `no-atomic`. */
  readonly atomic: boolean
  /** Whether the user's pre-push hook runs. */
  readonly runHooks: boolean
  readonly onProgress?: OnProgress | undefined
}

/**
 * `stale`: the remote's ref was not what we thought, or somebody else was updating it; fetch and decide again.
 * `rejected`: a hook or rule of the remote refuses it, and would again.
 */
export type PushOutcome = 'ok' | 'up-to-date' | 'stale' | 'rejected'

export interface PushedRef {
  readonly ref: RefName
  readonly outcome: PushOutcome
  /** The remote's or git's own words; empty when it went well. */
  readonly reason: string
}

export interface RemotePort {
  /** Names of the configured remotes, in the order of the configuration. */
  listRemotes(): Promise<readonly string[]>
  /** Whether a remote of this name is configured. As a rule without starting git. */
  hasRemote(name: string): Promise<boolean>
  /**
   * Fetches refs and what they reach, durably.
   * @throws {NotFoundError} when there is no such remote
   * @throws {RemoteError} when it cannot be reached, denies access or falls silent, or is a shallow clone that lacks what is
   * asked for (its reason is `shallow`); no ref has moved
   * @throws {RefMovedError} | {RefLockedError} when another process was moving the same local refs
   */
  fetch(request: FetchRequest): Promise<readonly LeftOutRefs[]>
  /**
   * Pushes refs. The result has one row for each update, in their order.
   * @throws {NotFoundError} | {RemoteError} as `fetch`; whether a ref moved is then unknown
   */
  push(request: PushRequest): Promise<readonly PushedRef[]>
  /** Objects that the history of a head needs and a partial clone does not hold. */
  listMissing(head: Oid, exclude: readonly Oid[]): Promise<readonly Oid[]>
  /** Fetches single objects of a partial clone's remote in one go. @throws {RemoteError} */
  fetchObjects(remote: string, oids: readonly Oid[]): Promise<void>
  /**
   * Fetches objects, and all they reach, whatever this clone seems to have: a fetch leaves out what refs reach, though it
   * may be missing. Existing files of such objects must have been taken away.
   * @throws {RemoteError} also when the remote does not have one of them, or gives nothing out by id
   */
  refetchObjects(remote: string, oids: readonly Oid[]): Promise<void>
  /** As `refetchObjects`, for all that a ref of the remote reaches. Needs git 2.36. */
  refetchRef(remote: string, ref: RefName): Promise<void>
  /**
   * Fetches the whole history of a ref into a clone that is shallow; branches stay as they are. No ref moves.
   * @throws {RemoteError} also when git cannot ask this kind of remote for it
   */
  completeRef(remote: string, ref: RefName): Promise<void>
  /** Ends what is under way, and every process that it started. */
  close(): void
}
