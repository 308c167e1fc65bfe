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
 *
 *   5. the ref names what cannot be read   the ref is put back on the newest head that can be read, by reflog, view or
 *                                          remote, and it goes on with the cases above
 *
 * A log may be incomplete here (wal/log-gap.ts). The view remembers what was lacking, and where the clone was shallow; once
 * that changes, it is made anew. To a head that cannot be read whole, nothing is joined: what stands below its gap would be
 * written once more. Heads that wait for that are kept apart: the view shows their events.
 *
 * In case 4, a chunk that is not here or too large to read does not keep the events of the other chunks from being put
 * back: they would be hidden, and in the end pruned. The head is held in memory by the view instead, and is looked at
 * again when its chunk can be read.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type GitPort,
  mayHoldObject,
  type Oid,
  type PendingObject,
  parseCommit,
  type ReflogEntry,
  readReflog,
  reflogMark,
  setAsideCorruptObject,
  shallowMark,
} from '../git/index.ts'
import {
  AfterWriteError,
  ConflictError,
  GriteError,
  IncompleteLogError,
  limits,
  NotFoundError,
  RefMovedError,
  StorageError,
} from '../model/index.ts'
import {
  findFormerHead,
  findParentByReflog,
  findTrackedHead,
  type IssueSegment,
  isCommit,
  issueCodec,
  type LogGap,
  type LogProblem,
  readLog,
  readSegments,
  stageJoin,
  walRef,
} from '../wal/index.ts'
import { fillView } from './fill.ts'
import type { HeldHead, View } from './view.ts'

export interface CatchUpOptions {
  readonly git: GitPort
  readonly view: View
  readonly clock: { readonly nowUnixMs: () => number }
  readonly report: (problem: LogProblem) => void
  /** Something foreign changed the log and it was healed, or could not be. */
  readonly warn: (code: 'log-restored' | 'log-lost' | 'log-unread', message: string) => void
  readonly progress?: (commitsDone: number) => void
  /** Brings what a partial clone lacks of a head's history, before it is read. */
  readonly hydrate?: ((head: Oid, exclude: readonly Oid[]) => Promise<void>) | undefined
  /** Heads of views that this one replaces: the log once had them. */
  readonly formerHeads?: readonly Oid[]
  /** The view is thrown away afterwards, so it may show events that cannot be put back into the log. */
  readonly isThrowAway?: boolean
  /** Looks whether the ref's commit can be read also where the view is at it. */
  readonly doubtsHead?: boolean
  /** Whether a log that cannot be read may be replaced by what a fetch has left of a remote's. */
  readonly trustsRemotes?: boolean
}

interface CatchUp extends CatchUpOptions {
  /** Held heads that may be read by now. */
  readonly retry: readonly Oid[]
  /** The ref names something that cannot be read. */
  readonly isBroken: boolean
}

/**
 * `rebuild-needed`: the view holds events that the log does not have and cannot get back, so it would show what is no
 * longer true. `read-only`: lost events cannot be put back here, and only a throw-away view may show them.
 */
export type CatchUpOutcome = 'current' | 'replayed' | 'merged' | 'healed' | 'rebuild-needed' | 'read-only'

/** Reflog entries looked at for heads that were lost. */
const reflogEntriesMax = 1000
const healAttemptsMax = 20
/** Heads kept apart until the log is whole: as many as a runner makes that fetches one commit each day. */
const apartHeadsMax = 64
/** Grows with each attempt, so that other writers get through. */
const backoffMs = 10

/** How the messages of all moves begin that grite itself makes: they go forward, or hold the same events. */
const ownMessage = 'grite: '
/** A move of ours that drops a head, which is to be found again when it can be read. */
const leavingMessage = 'grite leaves a head that cannot be read'

/** Catches a view up. */
export async function catchUp(options: CatchUpOptions): Promise<CatchUpOutcome> {
  const { git, view } = options
  // The mark is older than everything read below, so what is written meanwhile is looked at next time.
  const mark = await reflogMark(git, walRef)
  const shallow = shallowMark(git.layout)
  const ref = await git.readRef(walRef)
  if (await isReadableAgain(options, ref, shallow)) return 'rebuild-needed'
  const { formerHeads, doubtsHead = false } = options
  const isMoved = ref !== view.head || mark !== view.reflogMark || formerHeads !== undefined || doubtsHead
  const retry = await findReadable(options, isMoved)
  if (!isMoved && retry.length === 0) return 'current'
  const isFirst = view.head === null
  const isBroken = ref !== null && !(await isCommit(git, ref))
  const outcome = await catchUpFrom({ ...options, retry, isBroken }, ref)
  if (outcome === 'rebuild-needed' || outcome === 'read-only') return outcome
  if (outcome !== 'current') await showBelowHoles(options)
  // What a view begins with is no growth since it was made.
  if (isFirst && view.eventCount > 0) await view.noteEventsAtRebuild()
  await view.writeReflogMark(mark)
  await view.writeShallowMark(shallow)
  return outcome
}

/**
 * Whether something that was lacking when the view was made is here now. What has been cut off since, the view holds: it
 * only notes that.
 */
async function isReadableAgain({ git, view }: CatchUpOptions, ref: Oid | null, shallow: string): Promise<boolean> {
  if (view.head === null) return false
  if (shallow !== view.shallowMark) {
    const heads = [...(ref === null ? [] : [ref]), ...(view.apartHeads as readonly Oid[])]
    const cuts = (await git.findCutCommits(heads)).map(
      ({ oid, parent }): LogGap => ({ reason: 'shallow', kind: 'commit', objectId: parent, commit: oid }),
    )
    const isCut = (commit: Oid) => cuts.some((cut) => cut.commit === commit)
    if (view.gaps.gaps.some(({ reason, commit }) => reason === 'shallow' && !isCut(commit))) return true
    await view.replaceCuts(cuts)
    await view.writeShallowMark(shallow)
  }
  const isMoved = ref !== view.head
  for (const { reason, objectId } of view.gaps.gaps) {
    if (reason !== 'shallow' && (await isReadable(git, objectId, isMoved))) return true
  }
  return false
}

/** @param isMoved - whether the log has moved, so that it may pay to ask git for what files do not show */
async function isReadable(git: GitPort, oid: Oid, isMoved: boolean): Promise<boolean> {
  if (!isMoved && !mayHoldObject(git.layout, oid)) return false
  return (await git.readObject(oid, limits.chunkReadBytesMax).catch(() => null)) !== null
}

/** Held heads that may be read by now. */
async function findReadable({ git, view, hydrate }: CatchUpOptions, isMoved: boolean): Promise<Oid[]> {
  const readable: Oid[] = []
  for (const { head, objectId } of view.heldHeads) {
    // What a partial clone lacks, its remote may have again; but that is not asked each time somebody reads.
    if ((await isReadable(git, objectId, isMoved)) || (isMoved && hydrate !== undefined)) readable.push(head)
  }
  return readable
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

async function catchUpFrom(options: CatchUp, ref: Oid | null): Promise<CatchUpOutcome> {
  if (options.isBroken) return recover(options, ref as Oid)
  const viewHead = options.view.head as Oid | null
  if (ref !== null && ref !== viewHead) await options.hydrate?.(ref, viewHead === null ? [] : [viewHead])
  if (ref !== null && viewHead !== null && ref !== viewHead) {
    if (await replay(options, viewHead, ref)) return 'replayed'
    // What was lacking may be no part of the log any more.
    if (options.view.gaps.count > 0 && !(await options.git.isAncestor(viewHead, ref))) return 'rebuild-needed'
  }
  const lost = await findLostHeads(options, ref, new Set())
  if (lost.length > 0) return heal(options, ref, lost)
  return follow(options, ref)
}

/** Puts a ref that cannot be read back on what it named before. Where nothing is found, the view stays as it is, and says so. */
async function recover(options: CatchUpOptions, broken: Oid): Promise<CatchUpOutcome> {
  const { git, view, warn } = options
  const found = await findSoundHead(options)
  // It may come back: from a backup, or with a disk that was not there.
  const isHeld = view.heldHeads.some(({ head }) => head === broken)
  if (!isHeld) await view.rememberHeldHeads([...view.heldHeads, { head: broken, objectId: broken }])
  if (found === undefined) {
    view.noteUnreadHead(broken)
    return 'current'
  }
  try {
    await moveLog(git, { expected: broken, next: found, reflogMessage: leavingMessage })
  } catch (error) {
    if (error instanceof StorageError) return options.isThrowAway ? showLost(options, null, [found]) : 'read-only'
    if (!(error instanceof RefMovedError)) throw error
  }
  warn(
    'log-restored',
    `${walRef} named ${broken}, which is no commit that can be read here; it is back at ${found.slice(0, 12)}, and \`grite sync\` fetches what came after that from a remote that has it`,
  )
  clearAway(git, broken)
  return catchUpFrom({ ...options, retry: [], isBroken: false }, await git.readRef(walRef))
}

/** A damaged file in an object's place keeps git from fetching the object, and from packing. */
function clearAway({ layout }: GitPort, oid: Oid): void {
  try {
    setAsideCorruptObject(layout, oid)
  } catch (error) {
    if (!(error instanceof StorageError)) throw error
  }
}

/** The newest head that the log is known to have had and that can be read. */
async function findSoundHead({ git, view, formerHeads = [], trustsRemotes = false }: CatchUpOptions) {
  const former = await findFormerHead(git)
  if (former !== undefined) return former
  for (const oid of [view.head as Oid | null, ...formerHeads])
    if (oid !== null && (await isCommit(git, oid))) return oid
  return trustsRemotes ? findTrackedHead(git) : undefined
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
async function replay(options: CatchUp, viewHead: Oid, ref: Oid): Promise<boolean> {
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
  { git, view, formerHeads = [], retry }: CatchUp,
  ref: Oid | null,
  reached: Set<Oid>,
): Promise<Oid[]> {
  const given = new Set([...view.lostHeads, ...view.heldHeads.map(({ head }) => head)])
  const lost = new Set<Oid>(retry)
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
  try {
    const object = await git.readObject(child, limits.chunkReadBytesMax)
    return object?.type === 'commit' && parseCommit(object.content).parents.includes(oid)
  } catch {
    // A commit that cannot be read, or whose header is damaged, spares nothing: the walk comes to its own answer.
    return false
  }
}

/** Puts lost events back and brings the view to what the log is then. */
async function heal(options: CatchUp, ref: Oid | null, lost: readonly Oid[]): Promise<CatchUpOutcome> {
  const { git, view, warn } = options
  let restored = 0
  const gone: Oid[] = []
  const held: HeldHead[] = []
  const apart: Oid[] = []
  for (const head of lost) {
    try {
      const { eventCount, unread } = await restore(options, head)
      restored += eventCount
      if (unread === null) continue
      const objectId = unread.objectId ?? unread.commit
      // Heads below one another are lost together.
      if (!held.some((other) => other.objectId === objectId)) warn('log-unread', describeHeld(head, unread))
      held.push({ head, objectId })
    } catch (error) {
      if (error instanceof StorageError) return options.isThrowAway ? showLost(options, ref, lost) : 'read-only'
      if (error instanceof IncompleteLogError) apart.push(head)
      else if (!(error instanceof NotFoundError) || (await isCommit(git, head))) throw error
      else gone.push(head)
    }
  }
  await view.rememberHeldHeads([...view.heldHeads.filter(({ head }) => !lost.includes(head)), ...held])
  if (restored > 0) {
    warn('log-restored', `${walRef} had been moved by something else; ${restored} events were put back`)
  }
  if (gone.length > 0) {
    await view.rememberLostHeads([...view.lostHeads, ...gone])
    warn('log-lost', `${walRef} had been moved by something else and the objects of ${gone.join(', ')} are gone`)
  }
  if (apart.length > 0) return showApart(options, apart)
  if (gone.includes(view.head as Oid)) return 'rebuild-needed'
  const outcome = await follow(options, await git.readRef(walRef))
  if (outcome === 'rebuild-needed' || restored === 0) return outcome
  return 'healed'
}

/** Brings what cannot be joined to the log into the view, beside what the log has. */
async function showApart(
  { git, view, report, warn, formerHeads = [] }: CatchUp,
  apart: readonly Oid[],
): Promise<CatchUpOutcome> {
  const ref = await git.readRef(walRef)
  for (const head of [...apart.filter((oid) => oid !== view.head), ...(ref === null ? [] : [ref])]) {
    await fillView(view, { head, source: readLog(git, issueCodec, { head }), how: 'join', report })
  }
  await rememberApart(view, apart)
  // A view that is made anew takes over what was told of before.
  if (apart.every((oid) => formerHeads.includes(oid))) return 'merged'
  const heads = apart.map((oid) => oid.slice(0, 12)).join(', ')
  warn(
    'log-unread',
    `${walRef} was moved away from ${heads} to a log that is incomplete here; both are shown, and are joined once it is whole`,
  )
  return 'merged'
}

/** Holes of one chain that are looked below. */
const holesMax = 16

/** Brings into the view what stood below commits that cannot be read, by the reflog. */
async function showBelowHoles({ git, view, report }: CatchUpOptions): Promise<void> {
  const head = view.head
  const isHole = ({ kind, reason }: LogGap) => kind === 'commit' && reason !== 'shallow'
  for (let count = 0; head !== null && count < holesMax; count++) {
    const hole = view.gaps.gaps.filter(isHole)[count]
    if (hole === undefined) return
    const below = (await findParentByReflog(git, hole.objectId)) ?? null
    if (below === null || view.apartHeads.includes(below)) continue
    await fillView(view, { head: below, source: readLog(git, issueCodec, { head: below }), how: 'join', report })
    await view.apply([], head, 'join')
    await view.flush()
    await rememberApart(view, [below])
  }
}

function rememberApart(view: View, heads: readonly Oid[]): Promise<void> {
  return view.rememberApartHeads([...new Set([...view.apartHeads, ...heads])].slice(-apartHeadsMax))
}

function describeHeld(head: Oid, { objectId, commit, unread }: LogProblem): string {
  const what = `object ${objectId ?? commit} in commit ${commit.slice(0, 12)} is ${unread}`
  return `a part of what ${walRef} had at ${head.slice(0, 12)} could not be put back: ${what}; it is as soon as it can be read`
}

interface Restored {
  /** Events that were brought back. */
  readonly eventCount: number
  /** The first chunk whose events were not, because it is not here or too large. */
  readonly unread: LogProblem | null
}

/** Makes the ref reach every event of a head again that can be read. */
async function restore({ git, view, clock, hydrate }: CatchUpOptions, head: Oid): Promise<Restored> {
  for (let attempt = 0; attempt < healAttemptsMax; attempt++) {
    const ref = await git.readRef(walRef)
    if (ref === head) return { eventCount: 0, unread: null }
    try {
      // What is no commit holds no events, and nothing can stand on top of it.
      const isLog = ref !== null && (await isCommit(git, ref))
      if (ref === null || !isLog || (await git.isAncestor(ref, head))) {
        const exclude = isLog ? [ref] : []
        if (await isCommit(git, head)) await hydrate?.(head, exclude)
        const back = await readSegments(git, head, exclude)
        await moveLog(git, { expected: ref, next: head })
        // What cannot be read of these stands on the chain itself, for every reader to see.
        return { eventCount: back.reduce((sum, segment) => sum + segment.items.length, 0), unread: null }
      }
      // What cannot be had is held.
      await hydrate?.(head, [ref]).catch(passOver)
      const base = await git.findMergeBase(head, ref)
      const joined = await stageJoin(git, {
        from: head,
        onto: ref,
        base,
        mayRepeat: view.mayRepeat,
        nowUnixMs: clock.nowUnixMs(),
      })
      if (joined.head !== ref) await moveLog(git, { expected: ref, next: joined.head, staged: joined.objects })
      return { eventCount: joined.eventCount, unread: joined.unread[0] ?? null }
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

function passOver(error: unknown): void {
  if (!(error instanceof GriteError)) throw error
}

async function moveLog(
  git: GitPort,
  move: {
    readonly expected: Oid | null
    readonly next: Oid
    readonly staged?: readonly PendingObject[]
    readonly reflogMessage?: string
  },
): Promise<void> {
  const { expected, next, staged = [], reflogMessage = `${ownMessage}restore the log` } = move
  try {
    await git.publish({
      objects: [],
      staged,
      updates: [{ ref: walRef, expected, next, reflogMessage, keepsReflog: true }],
    })
  } catch (error) {
    // The log has its events back, and nobody was told that they would survive a loss of power.
    if (!(error instanceof AfterWriteError)) throw error
  }
}

/** In a repository that cannot be written, lost events are shown but not put back. */
async function showLost(
  { git, view, warn, report }: CatchUpOptions,
  ref: Oid | null,
  lost: readonly Oid[],
): Promise<CatchUpOutcome> {
  for (const head of [...lost, ...(ref === null ? [] : [ref])]) {
    if (await isCommit(git, head))
      await fillView(view, { head, source: readLog(git, issueCodec, { head }), how: 'join', report })
  }
  warn('log-restored', `${walRef} was moved by something else and cannot be put back here; the lost events are shown`)
  return 'healed'
}
