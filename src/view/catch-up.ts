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
import { type GitPort, type Oid, type ReflogEntry, readReflog, reflogMark } from '../git/index.ts'
import { limits, NotFoundError, RefMovedError, StorageError } from '../model/index.ts'
import {
  batchesOfMissing,
  type IssueSegment,
  issueCodec,
  type LogProblem,
  publishBatch,
  readLog,
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
}

export type CatchUpOutcome = 'current' | 'replayed' | 'merged' | 'healed' | 'rebuild-needed'

/** Reflog entries looked at for heads that were lost. */
const reflogEntriesMax = 1000
const healAttemptsMax = 8

/**
 * Catches a view up. `rebuild-needed` when it holds events that the log does not have and cannot get back, so that it
 * would show what is no longer true.
 */
export async function catchUp(options: CatchUpOptions): Promise<CatchUpOutcome> {
  const { git, view } = options
  const mark = await reflogMark(git, walRef)
  const ref = await git.readRef(walRef)
  if (ref === view.head && mark === view.reflogMark) return 'current'
  const outcome = await catchUpFrom(options, ref)
  if (outcome !== 'rebuild-needed') await view.writeReflogMark(await reflogMark(git, walRef))
  return outcome
}

async function catchUpFrom(options: CatchUpOptions, ref: Oid | null): Promise<CatchUpOutcome> {
  const { git, view } = options
  const viewHead = view.head as Oid | null
  if (ref !== null && viewHead !== null && ref !== viewHead) {
    if (await replay(options, viewHead, ref)) return 'replayed'
  }
  const lost = await lostHeads(options, ref, new Set())
  if (lost.length > 0) {
    const healed = await heal(options, ref, lost)
    if (healed !== undefined) return healed
    ref = await git.readRef(walRef)
  }
  if (ref === null) return viewHead === null ? 'current' : 'rebuild-needed'
  if (ref === viewHead) return 'current'
  if (viewHead === null) {
    await fillView(view, {
      head: ref,
      source: readLog(git, issueCodec, { head: ref }),
      report: options.report,
      ...progressOf(options),
    })
    return 'replayed'
  }
  const behind = await git.isAncestor(viewHead, ref)
  const base = behind ? viewHead : await git.findMergeBase(viewHead, ref)
  if (base === null) return 'rebuild-needed'
  await fillView(view, {
    head: ref,
    source: readLog(git, issueCodec, { head: ref, exclude: [base] }),
    report: options.report,
    ...progressOf(options),
  })
  return behind ? 'replayed' : 'merged'
}

function progressOf({ progress }: CatchUpOptions): { progress?: (done: number) => void } {
  return progress === undefined ? {} : { progress }
}

/**
 * Case 2, without asking git for it: when the oldest commit that the view does not have is a child of the view's head,
 * the head is an ancestor. False when it is not that simple, or heads were lost; nothing is applied then.
 */
async function replay(options: CatchUpOptions, viewHead: Oid, ref: Oid): Promise<boolean> {
  const { git, view } = options
  const source = readLog(git, issueCodec, { head: ref, exclude: [viewHead] })
  try {
    const first = (await source.next()).value
    if (first?.[0]?.parents.length !== 1 || first[0].parents[0] !== viewHead) return false
    const known = new Set<Oid>(first.map(({ commit }: IssueSegment) => commit))
    if ((await lostHeads(options, ref, known)).length > 0) return false
    await fillView(view, { head: ref, source: prepend(first, source), report: options.report, ...progressOf(options) })
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
 * Heads the log once had, by the view or the reflog, whose events the ref no longer reaches.
 *
 * @param known - commits known to be on the way to `ref`
 */
async function lostHeads({ git, view }: CatchUpOptions, ref: Oid | null, known: ReadonlySet<Oid>): Promise<Oid[]> {
  const given = new Set(view.lostHeads)
  const isLost = async (oid: Oid) =>
    oid !== ref && !known.has(oid) && !given.has(oid) && (ref === null || !(await git.isAncestor(oid, ref)))
  const lost: Oid[] = []
  const viewHead = view.head as Oid | null
  // A stretch of commits that was walked down to the view's head proves that the head is reachable.
  if (viewHead !== null && known.size === 0 && (await isLost(viewHead))) lost.push(viewHead)
  for (const oid of new Set(unseenHeads(await readReflog(git, walRef, reflogEntriesMax), viewHead))) {
    if (oid === ref) continue
    // Newest first: what is older than a head that is reachable now was reachable from it then.
    if (!(await isLost(oid))) break
    if (!lost.includes(oid)) lost.push(oid)
  }
  return lost
}

/** New values in the reflog, newest first, down to the one the view stands at. */
function unseenHeads(reflog: readonly ReflogEntry[], viewHead: Oid | null): Oid[] {
  const heads: Oid[] = []
  for (const entry of reflog) {
    if (entry.next === viewHead) break
    if (entry.next !== null) heads.push(entry.next)
  }
  return heads
}

/** Puts lost events back. Undefined when the caller shall look at the ref again and go on. */
async function heal(
  options: CatchUpOptions,
  ref: Oid | null,
  lost: readonly Oid[],
): Promise<CatchUpOutcome | undefined> {
  const { git, view, warn } = options
  let restored = 0
  const gone: Oid[] = []
  for (const head of lost) {
    try {
      restored += await restore(options, head)
    } catch (error) {
      if (error instanceof StorageError) return await foldInMemory(options, ref, lost)
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
  const now = await git.readRef(walRef)
  if (now === null) return 'rebuild-needed'
  if (now === view.head) return 'healed'
  const base = view.head === null ? null : await git.findMergeBase(view.head as Oid, now)
  if (view.head !== null && base === null) return 'rebuild-needed'
  await fillView(view, {
    head: now,
    source: readLog(git, issueCodec, { head: now, exclude: base === null ? [] : [base] }),
    report: options.report,
  })
  return 'healed'
}

/** Makes the ref reach every event of a head again. Returns how many events that brought back. */
async function restore({ git, clock }: CatchUpOptions, head: Oid): Promise<number> {
  for (let attempt = 0; attempt < healAttemptsMax; attempt++) {
    const ref = await git.readRef(walRef)
    try {
      if (ref === null || (await git.isAncestor(ref, head))) {
        const back = await collect(git, head, ref === null ? [] : [ref])
        await git.publish({
          objects: [],
          updates: [{ ref: walRef, expected: ref, next: head, reflogMessage: 'grite: restore the log' }],
        })
        return back.reduce((sum, segment) => sum + segment.items.length, 0)
      }
      const base = await git.findMergeBase(head, ref)
      const theirs = new Set((await collect(git, ref, base === null ? [] : [base])).flatMap(eventIdsOf))
      const ours = await collect(git, head, base === null ? [] : [base])
      let parent: Oid = ref
      let count = 0
      for (const batch of batchesOfMissing(ours, (id) => !theirs.has(id), clock.nowUnixMs())) {
        parent = await publishBatch({ git, ref: walRef, codec: issueCodec }, batch, parent)
        count += batch.records.length
      }
      return count
    } catch (error) {
      if (!(error instanceof RefMovedError)) throw error
    }
  }
  return 0
}

async function collect(git: GitPort, head: Oid, exclude: readonly Oid[]): Promise<IssueSegment[]> {
  if ((await git.readObject(head, limits.chunkReadBytesMax)) === null) throw new NotFoundError(`${head} is gone`)
  const all: IssueSegment[] = []
  for await (const segments of readLog(git, issueCodec, { head, exclude })) all.push(...segments)
  return all
}

function eventIdsOf(segment: IssueSegment): string[] {
  return segment.items.map(({ event }) => event.eventId)
}

/** In a repository that cannot be written, lost events are shown but not put back. */
async function foldInMemory(
  { git, view, warn, report }: CatchUpOptions,
  ref: Oid | null,
  lost: readonly Oid[],
): Promise<CatchUpOutcome> {
  for (const head of [...lost, ...(ref === null ? [] : [ref])]) {
    if (head !== view.head) await fillView(view, { head, source: readLog(git, issueCodec, { head }), report })
  }
  warn('log-restored', `${walRef} was moved by something else and cannot be put back here; the lost events are shown`)
  return 'healed'
}
