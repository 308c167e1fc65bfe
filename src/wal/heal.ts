/**
 * Restores lost items of a stream after another program moved, reset or deleted its ref, or a power loss left the ref
 * without an object (design §4).
 *
 * The reader of the stream knows some former heads; the reflog knows others. Items that the ref no longer reaches are
 * appended on top of it, or the ref moves back where that is enough.
 *
 * Invariants
 * - Nothing is joined to a head that cannot be read completely: items below its gap would be written again.
 * - A missing or too large chunk does not stop the items of other chunks from being restored: they would be hidden, and
 *   pruned in the end.
 * - Where the stream refuses divergence, the ref moves back only if nothing was written since.
 */
import {
  type GitPort,
  metadataBytesMax,
  type Oid,
  type PendingObject,
  parseCommit,
  type ReflogEntry,
  Retry,
  readReflog,
} from '../git/index.ts'
import {
  AfterWriteError,
  ConflictError,
  GriteError,
  IncompleteLogError,
  NotFoundError,
  RefMovedError,
} from '../model/index.ts'
import { readSegments, stageJoin } from './join-ref.ts'
import type { Segment } from './segment-codec.ts'
import { findFormerHead, findTrackedHead, isCommit } from './sound-head.ts'
import { type Stream, type StreamRef, updateOf } from './stream.ts'

/** Reflog entries searched for lost heads. */
const reflogEntriesMax = 1000
const healTriesMax = 20
/** Pauses grow, so that other writers can proceed. Milliseconds. */
const pauseMsFirst = 10
const pauseMsMax = 200

/** Prefix of the reflog messages of grite's own moves: they go forward, or keep the same items. */
const ownMessage = 'grite: '
/** A move of ours that drops a head, which must be found again once it is readable. */
const leavingMessage = 'grite leaves a head that cannot be read'

/** Former heads that a reader of a stream knows. */
export interface KnownHeads {
  readonly heads: readonly Oid[]
  /** Heads that are lost for good, or wait for something; they are not searched for. */
  readonly passedOver: ReadonlySet<string>
  /** Heads to restore in any case: the parts they waited for may have arrived. */
  readonly retry: readonly Oid[]
  /** The `reflogMark` of the last search; earlier moves are skipped. */
  readonly reflogMark: string
}

/**
 * Finds former heads of the stream, from its reader or the reflog, whose items its ref no longer reaches.
 *
 * @param ref - the ref's value
 * @param reached - commits known to be reachable from there; grows
 */
export async function findLostHeads(
  git: GitPort,
  stream: Pick<StreamRef, 'ref'>,
  { heads, passedOver, retry, reflogMark }: KnownHeads,
  ref: Oid | null,
  reached: Set<Oid>,
): Promise<Oid[]> {
  const lost = new Set<Oid>(retry)
  if (ref !== null) reached.add(ref)
  const judge = async (oid: Oid, child: Oid | null) => {
    if (reached.has(oid) || lost.has(oid) || passedOver.has(oid)) return
    if (ref !== null && ((await isParentOf(git, oid, child, reached)) || (await git.isAncestor(oid, ref)))) {
      reached.add(oid)
    } else lost.add(oid)
  }
  for (const oid of heads) await judge(oid, null)
  for (const { oid, child } of droppedHeads(await readReflog(git, stream.ref, reflogEntriesMax, reflogMark), ref)) {
    await judge(oid, child)
  }
  return [...lost]
}

/** Values that a foreign move may have dropped, newest first, each with its replacement. */
function droppedHeads(reflog: readonly ReflogEntry[], ref: Oid | null): { oid: Oid; child: Oid | null }[] {
  const heads: { oid: Oid; child: Oid | null }[] = []
  let later = ref
  for (const { previous, next, message } of reflog) {
    // The line is written before the ref moves: if its writer died in between, the move never happened.
    if (next !== later && previous === later) continue
    // A move without a reflog entry.
    if (next !== null && next !== later) heads.push({ oid: next, child: null })
    if (previous !== null && !message.startsWith(ownMessage)) heads.push({ oid: previous, child: next })
    later = previous
  }
  return heads
}

/** Checking one commit saves a walk for each append of another tool. */
async function isParentOf(git: GitPort, oid: Oid, child: Oid | null, reached: ReadonlySet<Oid>): Promise<boolean> {
  if (child === null || !reached.has(child)) return false
  try {
    const object = await git.readObject(child, metadataBytesMax)
    return object?.type === 'commit' && parseCommit(object.content).parents.includes(oid)
  } catch {
    // An unreadable or damaged commit saves nothing: the walk decides.
    return false
  }
}

export interface HealTarget<Batch, Item, Sealed extends Segment<Item>> {
  readonly git: GitPort
  readonly stream: Stream<Batch, Item, Sealed>
  readonly clock: { readonly nowUnixMs: () => number }
  /** Whether an item may be on the chain more than once; see `JoinRequest`. */
  readonly mayRepeat: boolean
  /** Fetches the parts of a head's history that a partial clone lacks, before it is read. */
  readonly hydrate?: ((head: Oid, exclude: readonly Oid[]) => Promise<void>) | undefined
}

export interface Healed<Sealed extends Segment<unknown>> {
  /** A value that the ref had, which reaches what it reached when the heads were found lost, and every restored item. */
  readonly head: Oid | null
  /** Restored items. */
  readonly restored: number
  /** Heads whose objects are gone. */
  readonly gone: readonly Oid[]
  /** Heads that could not be restored completely, each with its first missing chunk. */
  readonly held: readonly { readonly head: Oid; readonly problem: Sealed['problems'][number] }[]
  /** Heads that wait until the stream is completely readable here. */
  readonly apart: readonly Oid[]
  /** Heads that the stream diverged from, and whose policy refuses to join them. */
  readonly refused: readonly Oid[]
}

/**
 * Makes a stream's ref reach every readable item of lost heads again.
 *
 * @param ref - the value of the ref for which the heads were found lost: it may have been moved back since
 * @throws {StorageError} where it cannot be written
 * @throws {ConflictError} when the ref kept moving; nothing is recorded as seen then
 */
export async function healRef<Batch, Item, Sealed extends Segment<Item>>(
  target: HealTarget<Batch, Item, Sealed>,
  lost: readonly Oid[],
  ref: Oid | null,
): Promise<Healed<Sealed>> {
  let reached = ref
  let restored = 0
  let againCount = 0
  /** Values of the ref that had to be restored in turn, and whose items have been counted. */
  const again = new Set<Oid>()
  const gone: Oid[] = []
  const held: { head: Oid; problem: Sealed['problems'][number] }[] = []
  const apart: Oid[] = []
  const refused: Oid[] = []
  const waiting = [...lost]
  for (let head = waiting.shift(); head !== undefined; head = waiting.shift()) {
    try {
      const result: Restored<Sealed> | 'refused' = await restore(target, head, reached)
      if (result === 'refused') {
        refused.push(head)
        continue
      }
      if (!again.has(head)) restored += result.itemCount
      if (result.unread !== null) held.push({ head, problem: result.unread })
      // Since the step before, the ref may have been moved to another chain.
      if (reached !== null && !(await target.git.isAncestor(reached, result.head))) {
        if (++againCount > healTriesMax) throw keptMoving(target.stream)
        if (reached !== ref) again.add(reached)
        waiting.push(reached)
      }
      reached = result.head
    } catch (error) {
      if (error instanceof IncompleteLogError) apart.push(head)
      else if (!(error instanceof NotFoundError) || (await isCommit(target.git, head))) throw error
      else gone.push(head)
    }
  }
  return { head: reached, restored, gone, held, apart, refused }
}

interface Restored<Sealed extends Segment<unknown>> {
  /** The ref's value, which reaches the items. */
  readonly head: Oid
  /** Restored items. */
  readonly itemCount: number
  /** The first chunk whose items were not restored, because it is missing or too large. */
  readonly unread: Sealed['problems'][number] | null
}

/**
 * Makes the ref reach every readable item of a head again.
 *
 * @param reached - what the ref reached before; kept where it was moved back from there
 */
async function restore<Batch, Item, Sealed extends Segment<Item>>(
  { git, stream, clock, hydrate, mayRepeat }: HealTarget<Batch, Item, Sealed>,
  head: Oid,
  reached: Oid | null,
): Promise<Restored<Sealed> | 'refused'> {
  const { divergence } = stream
  const retry = new Retry({
    ...{ firstMs: pauseMsFirst, maxMs: pauseMsMax, triesMax: healTriesMax },
    ...{ jitter: Math.random, nowMs: () => clock.nowUnixMs() },
  })
  do {
    const ref = await git.readRef(stream.ref)
    if (ref === head && (reached === null || reached === head)) return { head, itemCount: 0, unread: null }
    try {
      // An object that is not a commit holds no items, and nothing can be appended to it.
      const present = ref !== null && (await isCommit(git, ref)) ? ref : null
      const isBack = reached !== null && (present === null || (await git.isAncestor(present, reached)))
      const onto = isBack ? reached : present
      if (onto === null || (await git.isAncestor(onto, head))) {
        const exclude = onto === null ? [] : [onto]
        if (await isCommit(git, head)) await hydrate?.(head, exclude)
        const back = await readSegments(git, stream, head, exclude)
        if (ref !== head) await moveBack(git, stream, { expected: ref, next: head })
        // Unreadable parts of these are on the chain itself, for every reader to see.
        return { head, itemCount: back.reduce((sum, segment) => sum + segment.items.length, 0), unread: null }
      }
      if (divergence.kind === 'refuse') {
        if (await isCommit(git, head)) return 'refused'
        throw new NotFoundError(`${head} is gone`)
      }
      // A head that cannot be fetched is held.
      await hydrate?.(head, [onto]).catch(ignoreUnavailable)
      const base = await git.findMergeBase(head, onto)
      const request = { from: head, onto, base, mayRepeat, nowUnixMs: clock.nowUnixMs() }
      const joined = await stageJoin(git, { ...stream, divergence }, request)
      if (joined.head !== ref) await moveBack(git, stream, { expected: ref, next: joined.head, staged: joined.objects })
      return { head: joined.head, itemCount: joined.itemCount, unread: joined.unread[0] ?? null }
    } catch (error) {
      if (!(error instanceof RefMovedError)) throw error
    }
  } while (await retry.again())
  // Continuing would record the reflog as seen, and nothing would look for the lost items again.
  throw keptMoving(stream)
}

function keptMoving({ ref }: StreamRef): ConflictError {
  return new ConflictError(`${ref} kept moving while lost events were restored; run the command again`, {
    details: { ref, reason: 'contended' },
  })
}

function ignoreUnavailable(error: unknown): void {
  if (!(error instanceof GriteError)) throw error
}

/** The newest known head of a stream that is readable. */
export async function findSoundHead<Batch, Item>(
  git: GitPort,
  stream: Pick<Stream<Batch, Item>, 'ref' | 'codec'>,
  { heads, trustsRemotes }: { readonly heads: readonly Oid[]; readonly trustsRemotes: boolean },
): Promise<Oid | undefined> {
  const former = await findFormerHead(git, stream.ref)
  if (former !== undefined) return former
  for (const oid of heads) if (await isCommit(git, oid)) return oid
  return trustsRemotes ? findTrackedHead(git, stream) : undefined
}

/**
 * Moves a ref from an unreadable head to a readable one.
 * @throws {RefMovedError} when another process was faster
 * @throws {StorageError} where it cannot be written
 */
export function leaveHead(
  git: GitPort,
  stream: StreamRef,
  move: { readonly from: Oid; readonly to: Oid },
): Promise<void> {
  return moveBack(git, stream, { expected: move.from, next: move.to, reflogMessage: leavingMessage })
}

async function moveBack(
  git: GitPort,
  stream: StreamRef,
  move: {
    readonly expected: Oid | null
    readonly next: Oid
    readonly staged?: readonly PendingObject[]
    readonly reflogMessage?: string
  },
): Promise<void> {
  const { expected, next, staged = [], reflogMessage = `${ownMessage}restore the log` } = move
  try {
    await git.publish({ objects: [], staged, updates: [updateOf(stream, { expected, next, reflogMessage })] })
  } catch (error) {
    // The stream has its items back; durability after a power loss was never promised.
    if (!(error instanceof AfterWriteError)) throw error
  }
}
