/**
 * Bringing a view to the log's head, and the log back to what it once held (design §4, §5).
 *
 * Cases, by the view's head V and the ref R:
 *   1. V = R                            nothing to do
 *   2. V is an ancestor of R            replay the commits between
 *   3. diverged from a merge base B,    apply B..R; events known already are skipped
 *      every event of B..V is in B..R
 *   4. events are missing from R,       append what is missing on top of R, then go on with case 2
 *      or R is gone or behind           (R behind V, or gone: the ref is put back on V)
 * The old head is found in the view and in the ref's reflog, where also heads stand that no view has seen.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { type GitPort, type Oid, parseCommit, type ReflogEntry, readReflog, reflogMark } from '../git/index.ts'
import { ConflictError, limits, NotFoundError, RefMovedError, StorageError } from '../model/index.ts'
import {
  type IssueSegment,
  issueCodec,
  type LogProblem,
  readLog,
  readSegments,
  stageJoin,
  walRef,
} from '../wal/index.ts'
import { fillView } from './fill.ts'
import type { View } from './view.ts'

export interface CatchUpOptions {
  readonly git: GitPort
  readonly view: View
  readonly clock: { readonly nowUnixMs: () => number }
  readonly report: (problem: LogProblem) => void
  /** Something foreign changed the log and it was healed, or could not be. */
  readonly warn: (code: 'log-restored' | 'log-lost', message: string) => void
  readonly progress?: (commitsDone: number) => void
  /** Brings what a partial clone lacks of a head's history, before it is read. */
  readonly hydrate?: ((head: Oid, exclude: readonly Oid[]) => Promise<void>) | undefined
  /** Heads of views that this one replaces: the log once had them. */
  readonly formerHeads?: readonly Oid[]
  /** The view is thrown away afterwards, so it may show events that cannot be put back into the log. */
  readonly isThrowAway?: boolean
}

/**
 * `rebuild-needed`: the view holds events that the log does not have and cannot get back, so it would show what is no
 * longer true. `read-only`: lost events cannot be put back here, and only a throw-away view may show them.
 */
export type CatchUpOutcome = 'current' | 'replayed' | 'merged' | 'healed' | 'rebuild-needed' | 'read-only'

/** Reflog entries looked at for heads that were lost. */
const reflogEntriesMax = 1000
const healAttemptsMax = 20
/** Grows with each attempt, so that other writers get through. */
const backoffMs = 10

/** How the messages of all moves begin that grite itself makes: they go forward, or hold the same events. */
const ownMessage = 'grite: '

/** Catches a view up. */
export async function catchUp(options: CatchUpOptions): Promise<CatchUpOutcome> {
  const { git, view } = options
  // The mark is older than everything read below, so what is written meanwhile is looked at next time.
  const mark = await reflogMark(git, walRef)
  const ref = await git.readRef(walRef)
  if (ref === view.head && mark === view.reflogMark && options.formerHeads === undefined) return 'current'
  const isFirst = view.head === null
  const outcome = await catchUpFrom(options, ref)
  if (outcome === 'rebuild-needed' || outcome === 'read-only') return outcome
  // What a view begins with is no growth since it was made.
  if (isFirst && view.eventCount > 0) await view.noteEventsAtRebuild()
  await view.writeReflogMark(mark)
  return outcome
}

/**
 * Notes the reflog as seen after an own commit was applied to a view, when that is all that was written to it since;
 * otherwise the next catch-up looks at what else was.
 */
export async function noteOwnMove(
  git: GitPort,
  view: View,
  { previous, next }: { readonly previous: Oid | null; readonly next: Oid },
): Promise<void> {
  const mark = await reflogMark(git, walRef)
  const [only, ...others] = await readReflog(git, walRef, 2, view.reflogMark)
  if (others.length === 0 && only?.previous === previous && only.next === next) await view.writeReflogMark(mark)
}

async function catchUpFrom(options: CatchUpOptions, ref: Oid | null): Promise<CatchUpOutcome> {
  const viewHead = options.view.head as Oid | null
  if (ref !== null && ref !== viewHead) await options.hydrate?.(ref, viewHead === null ? [] : [viewHead])
  if (ref !== null && viewHead !== null && ref !== viewHead) {
    if (await replay(options, viewHead, ref)) return 'replayed'
  }
  const lost = await findLostHeads(options, ref, new Set())
  if (lost.length > 0) return heal(options, ref, lost)
  return follow(options, ref)
}

/** Brings the view to a head that holds every event the view has. */
async function follow(options: CatchUpOptions, ref: Oid | null): Promise<CatchUpOutcome> {
  const { git, view, report, progress } = options
  const viewHead = view.head as Oid | null
  if (ref === viewHead) return 'current'
  if (ref === null) return 'rebuild-needed'
  const isAhead = viewHead === null || (await git.isAncestor(viewHead, ref))
  const base = isAhead ? viewHead : await git.findMergeBase(viewHead, ref)
  if (base === null && viewHead !== null) return 'rebuild-needed'
  await fillView(view, {
    head: ref,
    source: readLog(git, issueCodec, { head: ref, exclude: base === null ? [] : [base] }),
    how: isAhead ? 'extension' : 'join',
    report,
    ...(progress === undefined ? {} : { progress }),
  })
  return isAhead ? 'replayed' : 'merged'
}

/**
 * Case 2, without asking git for it: when the oldest commit that the view does not have is a child of the view's head,
 * the head is an ancestor. False when it is not that simple, or heads were lost; nothing is applied then.
 */
async function replay(options: CatchUpOptions, viewHead: Oid, ref: Oid): Promise<boolean> {
  const { git, view, report, progress } = options
  const source = readLog(git, issueCodec, { head: ref, exclude: [viewHead] })
  try {
    const first = (await source.next()).value
    if (first?.[0]?.parents.length !== 1 || first[0].parents[0] !== viewHead) return false
    const reached = new Set<Oid>([viewHead, ...first.map(({ commit }: IssueSegment) => commit)])
    if ((await findLostHeads(options, ref, reached)).length > 0) return false
    await fillView(view, {
      head: ref,
      source: prepend(first, source),
      report,
      ...(progress === undefined ? {} : { progress }),
    })
    return true
  } catch (error) {
    if (error instanceof NotFoundError) return false
    throw error
  } finally {
    await source.return(undefined)
  }
}

async function* prepend<Item>(first: Item, rest: AsyncIterable<Item>): AsyncGenerator<Item> {
  yield first
  yield* rest
}

/**
 * Heads the log once had, by the view or the reflog, whose events the ref no longer reaches. Newest first.
 *
 * @param reached - commits known to be reachable from `ref`
 */
async function findLostHeads(
  { git, view, formerHeads = [] }: CatchUpOptions,
  ref: Oid | null,
  reached: Set<Oid>,
): Promise<Oid[]> {
  const given = new Set(view.lostHeads)
  const lost = new Set<Oid>()
  if (ref !== null) reached.add(ref)
  const judge = async (oid: Oid, child: Oid | null) => {
    if (reached.has(oid) || lost.has(oid) || given.has(oid)) return
    if (ref !== null && ((await isParentOf(git, oid, child, reached)) || (await git.isAncestor(oid, ref)))) {
      reached.add(oid)
    } else lost.add(oid)
  }
  for (const oid of [view.head as Oid | null, ...formerHeads]) if (oid !== null) await judge(oid, null)
  for (const { oid, child } of droppedHeads(await readReflog(git, walRef, reflogEntriesMax, view.reflogMark), ref)) {
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
  const object = await git.readObject(child, limits.chunkReadBytesMax).catch(() => null)
  return object?.type === 'commit' && parseCommit(object.content).parents.includes(oid)
}

/** Puts lost events back and brings the view to what the log is then. */
async function heal(options: CatchUpOptions, ref: Oid | null, lost: readonly Oid[]): Promise<CatchUpOutcome> {
  const { git, view, warn } = options
  let restored = 0
  const gone: Oid[] = []
  for (const head of lost) {
    try {
      restored += await restore(options, head)
    } catch (error) {
      if (error instanceof StorageError) return options.isThrowAway ? showLost(options, ref, lost) : 'read-only'
      if (!(error instanceof NotFoundError)) throw error
      gone.push(head)
    }
  }
  if (restored > 0) {
    warn('log-restored', `${walRef} had been moved by something else; ${restored} events were put back`)
  }
  if (gone.length > 0) {
    await view.rememberLostHeads([...view.lostHeads, ...gone])
    warn('log-lost', `${walRef} had been moved by something else and the objects of ${gone.join(', ')} are gone`)
  }
  if (gone.includes(view.head as Oid)) return 'rebuild-needed'
  const outcome = await follow(options, await git.readRef(walRef))
  if (outcome === 'rebuild-needed' || restored === 0) return outcome
  return 'healed'
}

/** Makes the ref reach every event of a head again. Returns how many events that brought back. */
async function restore({ git, view, clock }: CatchUpOptions, head: Oid): Promise<number> {
  for (let attempt = 0; attempt < healAttemptsMax; attempt++) {
    const ref = await git.readRef(walRef)
    if (ref === head) return 0
    try {
      // What is no commit holds no events, and nothing can stand on top of it.
      const isLog = ref !== null && (await isCommit(git, ref))
      if (ref === null || !isLog || (await git.isAncestor(ref, head))) {
        const back = await readSegments(git, head, isLog ? [ref] : [])
        await moveLog(git, ref, head)
        return back.reduce((sum, segment) => sum + segment.items.length, 0)
      }
      const base = await git.findMergeBase(head, ref)
      const joined = await stageJoin(git, {
        from: head,
        onto: ref,
        base,
        mayRepeat: view.mayRepeat,
        nowUnixMs: clock.nowUnixMs(),
      })
      if (joined.head !== ref) await moveLog(git, ref, joined.head)
      return joined.eventCount
    } catch (error) {
      if (!(error instanceof RefMovedError)) throw error
      await sleep(backoffMs * (attempt + Math.random()))
    }
  }
  // Going on would note the reflog as seen, and nothing would look for the lost events again.
  throw new ConflictError(`${walRef} kept moving while lost events were put back; try again`, {
    details: { ref: walRef, reason: 'contended' },
  })
}

async function isCommit(git: GitPort, oid: Oid): Promise<boolean> {
  return (await git.readObject(oid, limits.chunkReadBytesMax).catch(() => null))?.type === 'commit'
}

function moveLog(git: GitPort, expected: Oid | null, next: Oid): Promise<void> {
  return git.publish({
    objects: [],
    updates: [{ ref: walRef, expected, next, reflogMessage: `${ownMessage}restore the log` }],
  })
}

/** In a repository that cannot be written, lost events are shown but not put back. */
async function showLost(
  { git, view, warn, report }: CatchUpOptions,
  ref: Oid | null,
  lost: readonly Oid[],
): Promise<CatchUpOutcome> {
  for (const head of [...lost, ...(ref === null ? [] : [ref])]) {
    const isHere = (await git.readObject(head, limits.chunkReadBytesMax)) !== null
    if (isHere) await fillView(view, { head, source: readLog(git, issueCodec, { head }), how: 'join', report })
  }
  warn('log-restored', `${walRef} was moved by something else and cannot be put back here; the lost events are shown`)
  return 'healed'
}
