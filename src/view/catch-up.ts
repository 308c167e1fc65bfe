/**
 * Catches a view up with the log's head (design §5). When the log has lost events, the view knows former heads, and
 * wal/heal.ts restores them.
 *
 * Cases, by the view's head V and the ref R:
 *   1. V = R                            nothing to do
 *   2. V is an ancestor of R            replay the commits between
 *   3. diverged from a merge base B,    apply B..R; skip events already known
 *      every event of B..V is in B..R
 *   4. events are missing from R,       heal the log, then go on with case 2
 *      or R is gone or behind
 *   5. the ref's object is unreadable   move the ref to the newest readable head, by reflog, view or remote, then go on
 *                                       with the cases above
 * Former heads come from the view and from the ref's reflog, which also has heads that no view has seen.
 *
 * A log may be incomplete here (wal/log-gap.ts). The view records the gaps and the shallow boundary, and is rebuilt when
 * they change. Nothing is joined to a head that cannot be read completely: events below its gap would be written again.
 * Heads that wait for this are kept apart, and the view shows their events.
 *
 * In case 4, the view holds a head with a missing or too large chunk, and retries it when the chunk is readable.
 */
import {
  type GitPort,
  mayHoldObject,
  type Oid,
  readReflog,
  reflogMark,
  setAsideCorruptObject,
  shallowMark,
} from '../git/index.ts'
import { limits, NotFoundError, RefMovedError, StorageError } from '../model/index.ts'
import {
  findLostHeads,
  findParentByReflog,
  findSoundHead,
  type Gained,
  GapTally,
  type Healed,
  healRef,
  type IssueSegment,
  type IssueStream,
  isCommit,
  type KnownHeads,
  type LogGap,
  type LogProblem,
  leaveHead,
  readLog,
} from '../wal/index.ts'
import { fillView } from './fill.ts'
import type { PrefetchedLog } from './prefetched-log.ts'
import type { HeldHead, View } from './view.ts'

export interface CatchUpOptions {
  readonly git: GitPort
  /** The log that the view shows. */
  readonly stream: IssueStream
  readonly view: View
  readonly clock: { readonly nowUnixMs: () => number }
  readonly report: (problem: LogProblem) => void
  /** Reports that another program changed the log, and whether it was healed. */
  readonly warn: (code: 'log-restored' | 'log-lost' | 'log-unread', message: string) => void
  readonly progress?: (commitsDone: number) => void
  /** Fetches the parts of a head's history that a partial clone lacks, before it is read. */
  readonly hydrate?: ((head: Oid, exclude: readonly Oid[]) => Promise<void>) | undefined
  /** Segments that the log has gained and the caller has read. Applied to a view at the head they start from. */
  readonly gained?: Gained | undefined
  /** The log as far as it has been read in advance; used when the view needs all of it. */
  readonly prefetched?: PrefetchedLog | undefined
  /** Heads of the views that this one replaces: former heads of the log. */
  readonly formerHeads?: readonly Oid[]
  /** The view is discarded afterwards, so it may show events that cannot be restored in the log. */
  readonly isThrowAway?: boolean
  /** Checks that the ref's commit is readable even when the view is already at it. */
  readonly doubtsHead?: boolean
  /** Whether an unreadable log may be replaced by a remote's last fetched state. */
  readonly trustsRemotes?: boolean
}

interface CatchUp extends CatchUpOptions {
  /** Held heads that may be readable by now. */
  readonly retry: readonly Oid[]
  /** The ref points to an unreadable object. */
  readonly isBroken: boolean
}

/**
 * `rebuild-needed`: the view holds events that the log lacks and cannot get back, so it would be wrong. `read-only`:
 * lost events cannot be restored here, and only a throw-away view may show them.
 */
export type CatchUpOutcome = 'current' | 'replayed' | 'merged' | 'healed' | 'rebuild-needed' | 'read-only'

/** Heads kept apart until the log is complete: as many as a CI runner makes that fetches one commit each day. */
const apartHeadsMax = 64

/** Catches a view up with the log. */
export async function catchUp(options: CatchUpOptions): Promise<CatchUpOutcome> {
  const { git, stream, view } = options
  await applyGained(options)
  // The mark is older than everything read below, so concurrent writes are checked next time.
  const mark = await reflogMark(git, stream.ref)
  const shallow = shallowMark(git.layout)
  const ref = await git.readRef(stream.ref)
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
  // The initial events of a view do not count as growth.
  if (isFirst && view.eventCount > 0) await view.noteEventsAtRebuild()
  await view.writeReflogMark(mark)
  await view.writeShallowMark(shallow)
  return outcome
}

/** In one batch, as segments of a join must be: no earlier commit has all that the view has. */
async function applyGained({ view, gained, report }: CatchUpOptions): Promise<void> {
  if (gained === undefined || gained.from === gained.to || view.head !== gained.from) return
  const tally = new GapTally()
  for (const { problems } of gained.segments) {
    for (const problem of problems) report(problem)
    tally.take(problems)
  }
  await view.noteGaps(tally)
  await view.apply(gained.segments, gained.to, gained.how)
  await view.flush()
}

/**
 * Whether an object that was missing when the view was made has arrived. Parts cut off since then are in the view: it
 * only records the new boundary.
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

/** @param isMoved - whether the log has moved, so that asking git for objects without own files may pay off */
async function isReadable(git: GitPort, oid: Oid, isMoved: boolean): Promise<boolean> {
  if (!isMoved && !mayHoldObject(git.layout, oid)) return false
  return (await git.readObject(oid, limits.chunkReadBytesMax).catch(() => null)) !== null
}

/** Held heads that may be readable by now. */
async function findReadable({ git, view, hydrate }: CatchUpOptions, isMoved: boolean): Promise<Oid[]> {
  const readable: Oid[] = []
  for (const { head, objectId } of view.heldHeads) {
    // A partial clone's remote may have the missing objects again, but reads should not ask it every time.
    if ((await isReadable(git, objectId, isMoved)) || (isMoved && hydrate !== undefined)) readable.push(head)
  }
  return readable
}

/**
 * Records the reflog as seen after our own commit was applied to a view, if nothing else was written to it since;
 * otherwise the next catch-up checks the rest.
 */
export async function noteOwnMove(
  { git, stream, view }: Pick<CatchUpOptions, 'git' | 'stream' | 'view'>,
  { previous, next }: { readonly previous: Oid | null; readonly next: Oid },
): Promise<void> {
  const mark = await reflogMark(git, stream.ref)
  const [only, ...others] = await readReflog(git, stream.ref, 2, view.reflogMark)
  if (others.length === 0 && only?.previous === previous && only.next === next) await view.writeReflogMark(mark)
}

async function catchUpFrom(options: CatchUp, ref: Oid | null): Promise<CatchUpOutcome> {
  if (options.isBroken) return recover(options, ref as Oid)
  const viewHead = options.view.head as Oid | null
  if (ref !== null && ref !== viewHead) await options.hydrate?.(ref, viewHead === null ? [] : [viewHead])
  if (ref !== null && viewHead !== null && ref !== viewHead) {
    if (await replay(options, viewHead, ref)) return 'replayed'
    // The missing part may no longer belong to the log.
    if (options.view.gaps.count > 0 && !(await options.git.isAncestor(viewHead, ref))) return 'rebuild-needed'
  }
  const lost = await findLost(options, ref, new Set())
  if (lost.length > 0) return heal(options, ref, lost)
  return follow(options, ref)
}

/** Moves an unreadable ref back to a former value. Without one, the view stays as it is and warns. */
async function recover(options: CatchUpOptions, broken: Oid): Promise<CatchUpOutcome> {
  const { git, stream, view, warn, formerHeads = [], trustsRemotes = false } = options
  const found = await findSoundHead(git, stream, { heads: headsOf(view, formerHeads), trustsRemotes })
  // It may come back: from a backup, or with a disk that was unmounted.
  const isHeld = view.heldHeads.some(({ head }) => head === broken)
  if (!isHeld) await view.rememberHeldHeads([...view.heldHeads, { head: broken, objectId: broken }])
  if (found === undefined) {
    view.noteUnreadHead(broken)
    return 'current'
  }
  try {
    await leaveHead(git, stream, { from: broken, to: found })
  } catch (error) {
    if (error instanceof StorageError) return options.isThrowAway ? showLost(options, null, [found]) : 'read-only'
    if (!(error instanceof RefMovedError)) throw error
  }
  warn(
    'log-restored',
    `${stream.ref} pointed to ${broken}, which is not a readable commit; moved it back to ${found.slice(0, 12)}. Run \`grite sync\` to fetch later events from a remote that has them`,
  )
  clearAway(git, broken)
  return catchUpFrom({ ...options, retry: [], isBroken: false }, await git.readRef(stream.ref))
}

/** A damaged object file keeps git from fetching the object, and from packing. */
function clearAway({ layout }: GitPort, oid: Oid): void {
  try {
    setAsideCorruptObject(layout, oid)
  } catch (error) {
    if (!(error instanceof StorageError)) throw error
  }
}

/** Known former heads of the log, the view's first. */
function headsOf(view: View, formerHeads: readonly Oid[]): Oid[] {
  const head = view.head as Oid | null
  return head === null ? [...formerHeads] : [head, ...formerHeads]
}

/** Brings the view to a head that holds every event of the view. */
async function follow(options: CatchUpOptions, ref: Oid | null): Promise<CatchUpOutcome> {
  const { git, stream, view, report, progress, prefetched } = options
  const viewHead = view.head as Oid | null
  if (ref === viewHead) return 'current'
  if (ref === null) return 'rebuild-needed'
  const isAhead = viewHead === null || (await git.isAncestor(viewHead, ref))
  const base = isAhead ? viewHead : await git.findMergeBase(viewHead, ref)
  if (base === null && viewHead !== null) return 'rebuild-needed'
  const isPrefetched = base === null && prefetched?.head === ref
  await fillView(view, {
    head: ref,
    source: isPrefetched
      ? prefetched.segments()
      : readLog(git, stream, { head: ref, exclude: base === null ? [] : [base] }),
    how: isAhead ? 'extension' : 'join',
    report,
    ...(progress === undefined ? {} : { progress }),
  })
  return isAhead ? 'replayed' : 'merged'
}

/**
 * Case 2 without git: when the oldest commit that the view lacks is a child of the view's head, the head is an
 * ancestor. False when it is not that simple, or heads were lost; nothing is applied then.
 */
async function replay(options: CatchUp, viewHead: Oid, ref: Oid): Promise<boolean> {
  const { git, stream, view, report, progress } = options
  const source = readLog(git, stream, { head: ref, exclude: [viewHead] })
  try {
    const first = (await source.next()).value
    if (first?.[0]?.parents.length !== 1 || first[0].parents[0] !== viewHead) return false
    const reached = new Set<Oid>([viewHead, ...first.map(({ commit }: IssueSegment) => commit)])
    if ((await findLost(options, ref, reached)).length > 0) return false
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

/** Known heads, from the view and the reflog, whose events the ref no longer reaches. */
function findLost(
  { git, stream, view, formerHeads = [], retry }: CatchUp,
  ref: Oid | null,
  reached: Set<Oid>,
): Promise<Oid[]> {
  const known: KnownHeads = {
    heads: headsOf(view, formerHeads),
    passedOver: new Set([...view.lostHeads, ...view.heldHeads.map(({ head }) => head)]),
    retry,
    reflogMark: view.reflogMark,
  }
  return findLostHeads(git, stream, known, ref, reached)
}

/** Restores lost events and brings the view to the resulting log. */
async function heal(options: CatchUp, ref: Oid | null, lost: readonly Oid[]): Promise<CatchUpOutcome> {
  const { stream, view, warn } = options
  let healed: Healed<IssueSegment>
  try {
    healed = await healRef({ ...options, mayRepeat: view.mayRepeat }, lost, ref)
  } catch (error) {
    if (!(error instanceof StorageError)) throw error
    return options.isThrowAway ? showLost(options, ref, lost) : 'read-only'
  }
  const { restored, gone, apart } = healed
  const held: HeldHead[] = []
  for (const { head, problem } of healed.held) {
    const objectId = problem.objectId ?? problem.commit
    // Heads on one chain are lost together.
    if (!held.some((other) => other.objectId === objectId)) warn('log-unread', describeHeld(stream, head, problem))
    held.push({ head, objectId })
  }
  await view.rememberHeldHeads([...view.heldHeads.filter(({ head }) => !lost.includes(head)), ...held])
  if (restored > 0) {
    warn(
      'log-restored',
      `another program had moved ${stream.ref}; restored ${restored} ${restored === 1 ? 'event' : 'events'}`,
    )
  }
  if (gone.length > 0) {
    await view.rememberLostHeads([...view.lostHeads, ...gone])
    warn('log-lost', `another program had moved ${stream.ref}, and the objects of ${gone.join(', ')} are gone`)
  }
  // Not the ref's present value: it may have been moved back again since.
  const next = healed.head
  if (apart.length > 0) return showApart(options, next, apart)
  if (gone.includes(view.head as Oid)) return 'rebuild-needed'
  const outcome = await follow(options, next)
  if (outcome === 'rebuild-needed' || restored === 0) return outcome
  return 'healed'
}

/** Adds heads that cannot be joined to the log to the view, beside the log's events. */
async function showApart(
  { git, stream, view, report, warn, formerHeads = [] }: CatchUp,
  ref: Oid | null,
  apart: readonly Oid[],
): Promise<CatchUpOutcome> {
  for (const head of [...apart.filter((oid) => oid !== view.head), ...(ref === null ? [] : [ref])]) {
    await fillView(view, { head, source: readLog(git, stream, { head }), how: 'join', report })
  }
  await rememberApart(view, apart)
  // A rebuilt view takes over earlier reports.
  if (apart.every((oid) => formerHeads.includes(oid))) return 'merged'
  const heads = apart.map((oid) => oid.slice(0, 12)).join(', ')
  warn(
    'log-unread',
    `${stream.ref} was moved from ${heads} to a log that is incomplete here; both are shown, and will be joined once it is complete`,
  )
  return 'merged'
}

/** Holes of one chain that are bypassed. */
const holesMax = 16

/** Adds the events below unreadable commits to the view, found by the reflog. */
async function showBelowHoles({ git, stream, view, report }: CatchUpOptions): Promise<void> {
  const head = view.head
  const isHole = ({ kind, reason }: LogGap) => kind === 'commit' && reason !== 'shallow'
  for (let count = 0; head !== null && count < holesMax; count++) {
    const hole = view.gaps.gaps.filter(isHole)[count]
    if (hole === undefined) return
    const below = (await findParentByReflog(git, stream.ref, hole.objectId)) ?? null
    if (below === null || view.apartHeads.includes(below)) continue
    await fillView(view, { head: below, source: readLog(git, stream, { head: below }), how: 'join', report })
    await view.apply([], head, 'join')
    await view.flush()
    await rememberApart(view, [below])
  }
}

function rememberApart(view: View, heads: readonly Oid[]): Promise<void> {
  return view.rememberApartHeads([...new Set([...view.apartHeads, ...heads])].slice(-apartHeadsMax))
}

function describeHeld({ ref }: IssueStream, head: Oid, { objectId, commit, unread }: LogProblem): string {
  const what = `object ${objectId ?? commit} in commit ${commit.slice(0, 12)} is ${unread}`
  return `could not restore a part of ${ref} at ${head.slice(0, 12)}: ${what}; it is restored once it is readable`
}

/** In a read-only repository, lost events are shown but not restored. */
async function showLost(
  { git, stream, view, warn, report }: CatchUpOptions,
  ref: Oid | null,
  lost: readonly Oid[],
): Promise<CatchUpOutcome> {
  for (const head of [...lost, ...(ref === null ? [] : [ref])]) {
    if (await isCommit(git, head))
      await fillView(view, { head, source: readLog(git, stream, { head }), how: 'join', report })
  }
  warn('log-restored', `another program moved ${stream.ref}, and it cannot be restored here; the lost events are shown`)
  return 'healed'
}
