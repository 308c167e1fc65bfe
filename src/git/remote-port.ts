/**
 * The remote operations that grite needs: fetch refs and objects, push refs. The user's git runs them, so that ssh
 * configuration, credential helpers, proxies, insteadOf and remote helpers all apply.
 *
 * Invariants
 * - A fetch moves only refs outside `refs/grite/`, whatever the remote's configured refspecs say.
 * - A push never forces. A ref moves forward, is created, or is deleted from exactly the value that the caller expects.
 */
import type { Oid, RefName } from './port.ts'

export interface FetchRequest {
  /** Name of a configured remote, or a URL. */
  readonly remote: string
  /** Explicit, with both sides. Refs that match a left side and are gone on the remote are pruned on the right side. */
  readonly refspecs: readonly string[]
  /**
   * How many refs to follow for a refspec, by its left side without the star; all by default. Refs already followed
   * come first, then the greatest names.
   */
  readonly refsMax?: (left: string) => number
  /** Whether to follow a ref, by its name on the remote; all by default. */
  readonly isFollowed?: (ref: string) => boolean
  readonly onProgress?: OnProgress | undefined
  /**
   * Local refs move only after this resolves; the objects are transferred before. Once it rejects, the fetch ends, and
   * rejects too.
   */
  readonly mayMove?: Promise<unknown> | undefined
  /** Called when git runs. */
  readonly onStart?: (() => void) | undefined
  /** Called with the remote's refs, by their names there, when everything is transferred and before any ref moves. */
  readonly onTransferred?: ((found: ReadonlyMap<RefName, Oid>) => void) | undefined
}

/** Refs of a remote that are not followed because there are too many. */
export interface LeftOutRefs {
  /** The left side of a refspec, without the star. */
  readonly prefix: string
  readonly foundCount: number
  readonly followedCount: number
}

/** Reports git's progress in a phase; a transfer has several phases. */
export type OnProgress = (phase: string, done: number, total: number) => void

/**
 * A ref to create or move forward to `next`, or only to create with `isNew`; to delete it, `next` is null and `expected` is its
 * required value.
 */
export type PushUpdate =
  | { readonly ref: RefName; readonly next: Oid; readonly isNew?: boolean }
  | { readonly ref: RefName; readonly next: null; readonly expected: Oid }

export interface PushRequest {
  readonly remote: string
  readonly updates: readonly PushUpdate[]
  /** All or none. A remote without atomic pushes is a `RemoteError` with the reason `no-atomic`. */
  readonly atomic: boolean
  /** Whether the user's pre-push hook runs. */
  readonly runHooks: boolean
  readonly onProgress?: OnProgress | undefined
  /** Once it rejects, the push ends; whether a ref has moved is then unknown. */
  readonly isWanted?: Promise<unknown> | undefined
}

/**
 * `stale`: the remote's ref was not what we expected, or another process was updating it; fetch and decide again.
 * `rejected`: a hook or rule of the remote refuses it, and would again.
 */
export type PushOutcome = 'ok' | 'up-to-date' | 'stale' | 'rejected'

export interface PushedRef {
  readonly ref: RefName
  readonly outcome: PushOutcome
  /** The remote's or git's own message; empty on success. */
  readonly reason: string
}

export interface RemotePort {
  /** Names of the configured remotes, in configuration order. */
  listRemotes(): Promise<readonly string[]>
  /** Whether a remote of this name is configured. Usually without starting git. */
  hasRemote(name: string): Promise<boolean>
  /**
   * Fetches refs and the objects they reach, durably.
   * @throws {NotFoundError} when there is no such remote
   * @throws {RemoteError} when it is unreachable, denies access or falls silent, or is a shallow clone that lacks the
   *   requested history (reason `shallow`); no ref has moved
   * @throws {RefMovedError} | {RefLockedError} when another process was moving the same local refs
   */
  fetch(request: FetchRequest): Promise<readonly LeftOutRefs[]>
  /**
   * Pushes refs. The result has one row per update, in their order.
   * @throws {NotFoundError} | {RemoteError} like `fetch`; whether a ref moved is then unknown
   */
  push(request: PushRequest): Promise<readonly PushedRef[]>
  /** Objects that the history of a head needs and a partial clone lacks. */
  listMissing(head: Oid, exclude: readonly Oid[]): Promise<readonly Oid[]>
  /** Fetches single objects from a partial clone's remote in one go. @throws {RemoteError} */
  fetchObjects(remote: string, oids: readonly Oid[]): Promise<void>
  /**
   * Fetches objects and all they reach, even those this clone seems to have: a normal fetch skips whatever refs reach,
   * though it may be missing. The caller must first move away existing files of such objects.
   * @throws {RemoteError} also when the remote lacks one of them, or serves nothing by id
   */
  refetchObjects(remote: string, oids: readonly Oid[]): Promise<void>
  /** Like `refetchObjects`, for everything that a ref of the remote reaches. Needs git 2.36. */
  refetchRef(remote: string, ref: RefName): Promise<void>
  /**
   * Fetches the whole history of a ref into a shallow clone; branches stay shallow. No ref moves.
   * @throws {RemoteError} also when git cannot request it from this kind of remote
   */
  completeRef(remote: string, ref: RefName): Promise<void>
  /** Ends running operations, and every process that they started. Later operations fail. */
  close(): void
}
