/**
 * Putting a ref back on what its stream once held, after something that is not grite moved, reset or deleted it, or a
 * power loss left it naming nothing (design §4).
 *
 * The reader of the stream says which heads it knows; the reflog knows others. What the ref no longer reaches of them
 * is appended on top of it, or the ref moves back where that is all there is to do.
 *
 * Invariants
 * - Nothing is joined to a head that cannot be read whole: what stands below its gap would be written once more.
 * - A chunk that is not here, or too large to read, does not keep the items of the other chunks from being put back: they
 *   would be hidden, and in the end pruned.
 * - Where the stream refuses divergence, the ref moves back only where nothing was written since.
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

/** Reflog entries looked at for heads that were lost. */
const reflogEntriesMax = 1000
const healTriesMax = 20
/** Pauses grow, so that other writers get through. Milliseconds. */
const pauseMsFirst = 10
const pauseMsMax = 200

/** How the messages of all moves begin that grite itself makes: they go forward, or hold the same items. */
const ownMessage = 'grite: '
/** A move of ours that drops a head, which is to be found again when it can be read. */
const leavingMessage = 'grite leaves a head that cannot be read'

/** What a reader of a stream knows of heads that it once had. */
export interface KnownHeads {
  readonly heads: readonly Oid[]
  /** Heads that are gone for good, or wait for something, so that they are not looked for. */
  readonly passedOver: ReadonlySet<string>
  /** Heads to put back in any case: what they waited for may be here. */
  readonly retry: readonly Oid[]
  /** The `reflogMark` of the last look; moves before it are not looked at. */
  readonly reflogMark: string
}

/**
 * Heads that the stream once had, by its reader or the reflog, and whose items its ref no longer reaches.
 *
 * @param ref - what the ref names
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

/** Values that a move which is not grite's own may have dropped, newest first, each with what came in its place. */
function droppedHeads(reflog: readonly ReflogEntry[], ref: Oid | null): { oid: Oid; child: Oid | null }[] {
  const heads: { oid: Oid; child: Oid | null }[] = []
  let later = ref
  for (const { previous, next, message } of reflog) {
    // The line is written before the ref moves: one whose writer died in between tells of nothing that was.
    if (next !== later && previous === later) continue
    // A move that nobody wrote down.
    if (next !== null && next !== later) heads.push({ oid: next, child: null })
    if (previous !== null && !message.startsWith(ownMessage)) heads.push({ oid: previous, child: next })
    later = previous
  }
  return heads
}

/** A look at one commit spares a walk for each append of another tool. */
async function isParentOf(git: GitPort, oid: Oid, child: Oid | null, reached: ReadonlySet<Oid>): Promise<boolean> {
  if (child === null || !reached.has(child)) return false
  try {
    const object = await git.readObject(child, metadataBytesMax)
    return object?.type === 'commit' && parseCommit(object.content).parents.includes(oid)
  } catch {
    // A commit that cannot be read, or whose header is damaged, spares nothing: the walk comes to its own answer.
    return false
  }
}

export interface HealTarget<Batch, Item, Sealed extends Segment<Item>> {
  readonly git: GitPort
  readonly stream: Stream<Batch, Item, Sealed>
  readonly clock: { readonly nowUnixMs: () => number }
  /** Whether an item may stand on the chain more than once; see `JoinRequest`. */
  readonly mayRepeat: boolean
  /** Brings what a partial clone lacks of a head's history, before it is read. */
  readonly hydrate?: ((head: Oid, exclude: readonly Oid[]) => Promise<void>) | undefined
}

export interface Healed<Sealed extends Segment<unknown>> {
  /** Items that were brought back. */
  readonly restored: number
  /** Heads whose objects are gone. */
  readonly gone: readonly Oid[]
  /** Heads of which a part could not be put back, and the first chunk that is lacking. */
  readonly held: readonly { readonly head: Oid; readonly problem: Sealed['problems'][number] }[]
  /** Heads that wait until the stream can be read whole here. */
  readonly apart: readonly Oid[]
  /** Heads beside which the stream went on, and whose policy refuses to join them. */
  readonly refused: readonly Oid[]
}

/**
 * Makes a stream's ref reach every item again that lost heads had and that can be read.
 * @throws {StorageError} where it cannot be written
 * @throws {ConflictError} when the ref kept moving; nothing is noted as seen then
 */
export async function healRef<Batch, Item, Sealed extends Segment<Item>>(
  target: HealTarget<Batch, Item, Sealed>,
  lost: readonly Oid[],
): Promise<Healed<Sealed>> {
  let restored = 0
  const gone: Oid[] = []
  const held: { head: Oid; problem: Sealed['problems'][number] }[] = []
  const apart: Oid[] = []
  const refused: Oid[] = []
  for (const head of lost) {
    try {
      const result = await restore(target, head)
      if (result === 'refused') refused.push(head)
      else {
        restored += result.itemCount
        if (result.unread !== null) held.push({ head, problem: result.unread })
      }
    } catch (error) {
      if (error instanceof IncompleteLogError) apart.push(head)
      else if (!(error instanceof NotFoundError) || (await isCommit(target.git, head))) throw error
      else gone.push(head)
    }
  }
  return { restored, gone, held, apart, refused }
}

interface Restored<Sealed extends Segment<unknown>> {
  /** Items that were brought back. */
  readonly itemCount: number
  /** The first chunk whose items were not, because it is not here or too large. */
  readonly unread: Sealed['problems'][number] | null
}

/** Makes the ref reach every item of a head again that can be read. */
async function restore<Batch, Item, Sealed extends Segment<Item>>(
  { git, stream, clock, hydrate, mayRepeat }: HealTarget<Batch, Item, Sealed>,
  head: Oid,
): Promise<Restored<Sealed> | 'refused'> {
  const { divergence } = stream
  const retry = new Retry({
    ...{ firstMs: pauseMsFirst, maxMs: pauseMsMax, triesMax: healTriesMax },
    ...{ jitter: Math.random, nowMs: () => clock.nowUnixMs() },
  })
  do {
    const ref = await git.readRef(stream.ref)
    if (ref === head) return { itemCount: 0, unread: null }
    try {
      // What is no commit holds no items, and nothing can stand on top of it.
      const isReadable = ref !== null && (await isCommit(git, ref))
      if (ref === null || !isReadable || (await git.isAncestor(ref, head))) {
        const exclude = isReadable ? [ref] : []
        if (await isCommit(git, head)) await hydrate?.(head, exclude)
        const back = await readSegments(git, stream, head, exclude)
        await moveBack(git, stream, { expected: ref, next: head })
        // What cannot be read of these stands on the chain itself, for every reader to see.
        return { itemCount: back.reduce((sum, segment) => sum + segment.items.length, 0), unread: null }
      }
      if (divergence.kind === 'refuse') {
        if (await isCommit(git, head)) return 'refused'
        throw new NotFoundError(`${head} is gone`)
      }
      // What cannot be had is held.
      await hydrate?.(head, [ref]).catch(passOver)
      const base = await git.findMergeBase(head, ref)
      const request = { from: head, onto: ref, base, mayRepeat, nowUnixMs: clock.nowUnixMs() }
      const joined = await stageJoin(git, { ...stream, divergence }, request)
      if (joined.head !== ref) await moveBack(git, stream, { expected: ref, next: joined.head, staged: joined.objects })
      return { itemCount: joined.itemCount, unread: joined.unread[0] ?? null }
    } catch (error) {
      if (!(error instanceof RefMovedError)) throw error
    }
  } while (await retry.again())
  // Going on would note the reflog as seen, and nothing would look for the lost items again.
  throw new ConflictError(`${stream.ref} kept moving while lost events were put back; try again`, {
    details: { ref: stream.ref, reason: 'contended' },
  })
}

function passOver(error: unknown): void {
  if (!(error instanceof GriteError)) throw error
}

/** The newest head that a stream is known to have had and that can be read. */
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
 * Moves a ref from a head that cannot be read to one that can.
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
    // The stream has its items back, and nobody was told that they would survive a loss of power.
    if (!(error instanceof AfterWriteError)) throw error
  }
}
