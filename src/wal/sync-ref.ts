/**
 * Syncs a stream with a remote (docs/format.md#sync).
 *
 * Invariants
 * - The remote's ref moves forward only. The local one moves only to a head whose chain holds every readable item of
 *   the old one.
 * - Before a fetch replaces the known state of the remote, the local stream holds every item of it, so that an item
 *   once seen survives whatever happens to the remote. Where the policy refuses to join them, no tracking ref moves.
 * - Killed at any moment, a sync leaves nothing that the next run does not handle anyway: commits without a ref, a
 *   tracking ref ahead of the local one, or a remote that is ahead.
 */
import { type Oid, type PendingObject, type RefName, Standstill, showRemote } from '../git/index.ts'
import { ConflictError, GriteError, IncompleteLogError, ObjectTooLargeError, RemoteError } from '../model/index.ts'
import { type Joined, type JoinRequest, stageJoin } from './join-ref.ts'
import { judgeHead } from './judge-head.ts'
import { moveLocalRef, patienceOf, readLocalHead } from './local-ref.ts'
import { GapTally, incompleteLog } from './log-gap.ts'
import { readLog } from './read-log.ts'
import { readRange, type SegmentRange } from './read-range.ts'
import { isUnreachable, RemoteRef } from './remote-ref.ts'
import type { Segment } from './segment-codec.ts'
import type { UnionStream } from './stream.ts'
import type { Completion, Gained, RefSync, SyncRequest, SyncTarget } from './sync-request.ts'

/** Rounds of fetch and push before giving up on a remote that keeps moving. */
export const syncRoundsMax = 12
const backoffMsMax = 2000

/**
 * Syncs the local stream with a remote.
 * @throws {NotFoundError} | {RemoteError} when the remote is unavailable; the local stream holds all that it held, and
 *   after a failed push also what was fetched
 * @throws {ConflictError} when the remote kept moving, or both sides wrote and the stream refuses divergence
 * @throws {ObjectTooLargeError} when a local chunk that must be carried cannot be read completely
 */
export async function syncRef<Batch, Item, Sealed extends Segment<Item>>(
  target: SyncTarget<Batch, Item, Sealed>,
  request: SyncRequest<Sealed>,
): Promise<RefSync<Sealed>> {
  return new RefSyncer(target, request).run()
}

/** The relation of two heads. */
type Relation<Sealed> =
  | { readonly kind: 'same' | 'remote-empty' | 'local-empty' | 'both-empty' }
  | { readonly kind: 'ahead'; readonly base: Oid }
  | { readonly kind: 'behind'; readonly base: Oid; readonly gain?: readonly Sealed[] }
  | Divergence<Sealed>

interface Divergence<Sealed> {
  readonly kind: 'diverged'
  readonly base: Oid | null
  /** The segments of each side, where they have been read. */
  readonly read?: { readonly ours: readonly Sealed[]; readonly theirs: readonly Sealed[] }
}

class RefSyncer<Batch, Item, Sealed extends Segment<Item>> {
  readonly #target: SyncTarget<Batch, Item, Sealed>
  readonly #request: SyncRequest<Sealed>
  readonly #remote: RemoteRef
  #isApart = false
  #rejoined = 0
  #gained: Gained<Sealed> | null = null
  #unread: Sealed['problems'] = []
  #unreadOfRemote: Sealed['problems'] = []
  #completion: Completion | null = null
  /** A local head found to be ahead of the known remote head. */
  #ahead: { readonly local: Oid; readonly known: Oid } | null = null
  /** What that local head has above it, when it is being read. */
  #ours: Promise<SegmentRange<Sealed> | null> | null = null
  /** The remote's head when it was last seen; null when there was none, or it was refused. */
  #known: Oid | null = null
  #meanwhile: Promise<unknown> | null = null
  #hasAssumed = false
  /** The remote's head, as long as only a push can tell whether the local one is above it. */
  #assumed: Oid | null = null

  constructor(target: SyncTarget<Batch, Item, Sealed>, request: SyncRequest<Sealed>) {
    this.#target = target
    this.#request = request
    this.#remote = new RemoteRef(target, request)
  }

  get #ref(): RefName {
    return this.#target.stream.ref
  }

  async run(): Promise<RefSync<Sealed>> {
    try {
      return await this.#run()
    } catch (error) {
      await this.#remote.cancelPush()
      if (this.#remote.pushed && error instanceof GriteError) error.addDetails({ pushed: true })
      throw error
    } finally {
      await this.#remote.cancelPush()
      await this.#ours?.catch(() => {})
    }
  }

  async #run(): Promise<RefSync<Sealed>> {
    const { git } = this.#target
    const remote = this.#remote
    const tracked = await remote.readTracked()
    await this.#complete(tracked)
    this.#known = await this.#finishInterrupted(tracked)
    void this.#request.early?.arriving.then((objectCount) => objectCount > 0 && this.#prepare())
    const before = await git.readRef(this.#ref)
    const standstill = new Standstill()
    const rounds = patienceOf(this.#target, { maxMs: backoffMsMax, triesMax: syncRoundsMax })
    for (;;) {
      const fetching = remote.fetch(async () => void (await this.#checkAssumption()))
      await inParallel(fetching, rounds.tries === 1 ? this.#doMeanwhile() : undefined)
      const theirs = await remote.readFetched()
      const local = (await this.#readLocal()).head
      if (local !== theirs) this.#noteApart()
      const relation = await this.#relate(local, theirs)
      const remoteChange = await this.#judgeRemote(this.#known, theirs, relation)
      const isStill = standstill.see(theirs)
      const isSettled = await this.#settle(relation, local, theirs)
      // Nobody was faster: the local stream only lacked what an interrupted sync had fetched.
      if (!isSettled && !(await this.#checkAssumption())) continue
      if (!isSettled && isStill) remote.refused = remote.stale
      if (isSettled || remote.refused !== null) {
        return {
          before,
          after: await git.readRef(this.#ref),
          remoteHead: await git.readRef(remote.tracking),
          rejoined: this.#rejoined,
          gained: this.#gained,
          pushed: remote.pushed,
          refused: remote.refused,
          remoteChange: remote.hadItAll ? null : remoteChange,
          unread: this.#unread,
          unreadOfRemote: this.#unreadOfRemote,
          othersUnread: remote.othersUnread,
          leftOut: remote.leftOut,
          completion: this.#completion,
          rounds: rounds.tries,
        }
      }
      if (!(await rounds.again())) {
        const shown = showRemote(this.#request.remote)
        throw new ConflictError(
          `${this.#target.stream.title} of '${shown}' kept moving; nothing was lost, but not everything was pushed`,
          {
            details: { remote: shown, ref: this.#ref, reason: 'contended', rounds: rounds.tries },
            hints: ['Run the command again'],
          },
        )
      }
    }
  }

  #readLocal() {
    return readLocalHead(this.#target.git, this.#target.stream)
  }

  async #isCut(tracked: Oid | null): Promise<boolean> {
    const heads = [tracked, (await this.#readLocal()).head].filter((oid) => oid !== null)
    return (await this.#target.git.findCutCommits(heads)).length > 0
  }

  /** Completes a cut-off history, as far as this remote can. */
  async #complete(tracked: Oid | null): Promise<void> {
    if (!(await this.#isCut(tracked))) return
    try {
      await this.#target.remotes.completeRef(this.#request.remote, this.#ref)
    } catch (error) {
      // Not every transport can do this, and the log can be synced anyway.
      if (!(error instanceof RemoteError) || isUnreachable(error)) throw error
      this.#completion = { outcome: 'failed', reason: error.message }
      return
    }
    this.#completion = { outcome: (await this.#isCut(tracked)) ? 'remote-cut' : 'whole' }
  }

  /**
   * Finishes a sync that was interrupted after its fetch: the fetched items go into the local stream before they are
   * forgotten.
   *
   * @returns the remote's last seen head; null when it was refused
   */
  async #finishInterrupted(known: Oid | null): Promise<Oid | null> {
    const { git, stream } = this.#target
    const local = (await this.#readLocal()).head
    if (known === null || known === local) return known
    if (local !== null && (await this.#isAhead(local, known))) {
      this.#ahead = { local, known }
      return known
    }
    if ((await judgeHead(git, stream, known)) !== null) return null
    try {
      await this.#takeIn(known, local)
    } catch (error) {
      // It was not taken in then and is not now; the fetch may bring a better head.
      if (!(error instanceof RemoteError || error instanceof IncompleteLogError)) throw error
    }
    return known
  }

  /** Whether the local head is above the remote's last seen one. Starts to push it where the remote probably takes it. */
  async #isAhead(local: Oid, known: Oid): Promise<boolean> {
    const { early, push } = this.#request
    if (push && early !== undefined && !this.#hasAssumed) {
      this.#hasAssumed = true
      // The first round waits for it, and throws its failure.
      this.#doMeanwhile().catch(() => {})
      const found = await early.found()
      // The known state stays, and git refuses to push anything that is not above it.
      if (found?.get(this.#ref) === known) {
        this.#assumed = known
        this.#remote.beginPush(local)
        return true
      }
      // Both sides have written, so what is ours must be read anyway.
      if (found === null && this.#readsRanges) {
        this.#noteApart()
        const reading = this.#readRange(local, known)
        this.#ours = reading
        reading.catch(() => {})
        if ((await reading)?.isAbove(known) === true) return true
        this.#ours = null
      }
    }
    return this.#target.git.isAncestor(known, local)
  }

  /**
   * Checks, before the known state of the remote is replaced, what was only assumed: that the local stream holds it. False
   * when it did not; it does now.
   */
  async #checkAssumption(): Promise<boolean> {
    const assumed = this.#assumed
    if (assumed === null) return true
    this.#assumed = null
    this.#ahead = null
    this.#known = await this.#finishInterrupted(assumed)
    return this.#ahead !== null
  }

  #doMeanwhile(): Promise<unknown> {
    this.#meanwhile ??= this.#request.meanwhile?.() ?? Promise.resolve()
    return this.#meanwhile
  }

  async #requireLog(head: Oid): Promise<void> {
    const wrong = await judgeHead(this.#target.git, this.#target.stream, head)
    if (wrong !== null) throw this.#remote.corrupt(`is ${wrong}`, this.#ref, head)
  }

  /** Reads our side while objects of theirs arrive: the two have probably diverged. */
  #prepare(): void {
    this.#noteApart()
    if (this.#ahead === null || this.#ours !== null || !this.#readsRanges) return
    const { local, known } = this.#ahead
    this.#ours = this.#readRange(local, known)
    this.#ours.catch(() => {})
  }

  #noteApart(): void {
    if (!this.#isApart) this.#request.whenApart?.()
    this.#isApart = true
  }

  async #judgeRemote(
    known: Oid | null,
    theirs: Oid | null,
    relation: Relation<Sealed>,
  ): Promise<RefSync<Sealed>['remoteChange']> {
    if (known === null || known === theirs) return null
    if (theirs === null) return 'lost'
    // Usually the two sides diverged where they last met.
    if ('base' in relation && relation.base === known) return null
    return (await this.#target.git.isAncestor(known, theirs)) ? null : 'rewound'
  }

  async #relate(local: Oid | null, theirs: Oid | null): Promise<Relation<Sealed>> {
    if (local === theirs) return { kind: local === null ? 'both-empty' : 'same' }
    if (theirs === null) return { kind: 'remote-empty' }
    if (local === this.#ahead?.local && theirs === this.#ahead?.known) return { kind: 'ahead', base: theirs }
    const relation = local === null ? null : await this.#relateByReading(local, theirs)
    if (relation !== null) return relation
    const base = local === null ? null : await this.#target.git.findMergeBase(local, theirs)
    // Only commits have a base, and a continuation of our log is one, whatever is on top.
    if (base === null) {
      await this.#request.hydrate?.(theirs, [])
      await this.#requireLog(theirs)
    }
    if (local === null) return { kind: 'local-empty' }
    if (base === local) return { kind: 'behind', base }
    if (base === theirs) return { kind: 'ahead', base }
    return { kind: 'diverged', base }
  }

  /**
   * Relates the heads by what they have above the remote's last known head: usually little, which must be read anyway.
   *
   * @returns null when this is not conclusive
   */
  async #relateByReading(local: Oid, theirs: Oid): Promise<Relation<Sealed> | null> {
    if (!this.#readsRanges) return null
    const ahead = this.#ahead
    if (ahead?.local !== local) {
      const gain = await this.#readRange(theirs, local)
      return gain?.isAbove(local) ? { kind: 'behind', base: local, gain: gain.segments } : null
    }
    const below = ahead.known
    const reading = this.#ours ?? this.#readRange(local, below)
    this.#ours = null
    const [ours, gain] = await Promise.all([reading, this.#readRange(theirs, below)])
    if (ours === null || !gain?.isAbove(below) || ours.segments.some(({ commit }) => gain.has(commit))) return null
    // Both are above it, and share nothing else.
    return { kind: 'diverged', base: below, read: { ours: ours.segments, theirs: gain.segments } }
  }

  /** Ranges can only be joined by union, and a partial clone first has to fetch what it reads. */
  get #readsRanges(): boolean {
    return this.#unionStream !== null && this.#request.hydrate === undefined
  }

  async #readRange(head: Oid, below: Oid): Promise<SegmentRange<Sealed> | null> {
    const stream = this.#unionStream
    return stream && readRange(this.#target.git, stream, { head, below })
  }

  /** Acts on one round's state. False when the remote was faster and another round is due. */
  async #settle(relation: Relation<Sealed>, local: Oid | null, theirs: Oid | null): Promise<boolean> {
    switch (relation.kind) {
      case 'same':
      case 'both-empty':
        return true
      case 'behind':
        if (this.#request.pull) await this.#moveForward(theirs as Oid, local, relation.gain)
        return true
      case 'local-empty':
        if (this.#request.pull) await this.#moveForward(theirs as Oid, null)
        return true
      case 'ahead':
      case 'remote-empty':
        if (!this.#request.push) return true
        if (relation.kind === 'remote-empty') await this.#requireWhole(local as Oid)
        return this.#remote.push(local as Oid)
      case 'diverged':
        return this.#request.isHome
          ? this.#joinHome(local as Oid, theirs as Oid, relation)
          : this.#joinOther(local as Oid, theirs as Oid, relation)
    }
  }

  /** A remote without the stream would get a cut-off one, and pass it on. */
  async #requireWhole(local: Oid): Promise<void> {
    const tally = new GapTally()
    for (const { oid, parent } of await this.#target.git.findCutCommits([local])) {
      tally.add({ reason: 'shallow', kind: 'commit', objectId: parent, commit: oid })
    }
    if (tally.count === 0) return
    throw incompleteLog(
      `'${showRemote(this.#request.remote)}' has no log, and a partial one must not be pushed to it`,
      tally,
    )
  }

  /** Both sides wrote: ours goes on top of theirs, becomes the local stream, and is pushed. */
  async #joinHome(local: Oid, theirs: Oid, { base, read }: Divergence<Sealed>): Promise<boolean> {
    const joined = await this.#stage({
      from: local,
      onto: theirs,
      base,
      isOurs: true,
      inspect: this.#request.inspect,
      read: read && { from: read.ours, onto: read.theirs },
    })
    this.#rejoined = joined.itemCount
    this.#gained = joined.gained && { from: local, to: joined.head, how: 'join', segments: joined.gained }
    // Before the push, whatever its outcome: the next fetch may replace the fetched head.
    await this.#moveLocal(joined.head, local, joined.objects)
    this.#ahead = { local: joined.head, known: theirs }
    this.#ours = null
    if (!this.#request.push || joined.head === theirs) return true
    const gained = this.#gained
    return inParallel(this.#remote.push(joined.head), this.#request.whilePushing?.(gained))
  }

  /** Each side keeps its chain and gets the other's items on top. */
  async #joinOther(local: Oid, theirs: Oid, { base, read }: Divergence<Sealed>): Promise<boolean> {
    const { pull, push, inspect } = this.#request
    let isSettled = true
    if (push) {
      const forThem = await this.#stage({
        ...{ from: local, onto: theirs, base, isOurs: true },
        read: read && { from: read.ours, onto: read.theirs },
      })
      isSettled = forThem.head === theirs || (await this.#remote.push(forThem.head))
    }
    if (pull || !isSettled) await this.#takeInBeside(theirs, inspect)
    return isSettled
  }

  async #stage(request: {
    readonly from: Oid
    readonly onto: Oid
    readonly base: Oid | null
    /** Whether the local stream is the one carried. */
    readonly isOurs: boolean
    readonly inspect?: SyncRequest<Sealed>['inspect']
    readonly read?: JoinRequest<Sealed>['read']
  }): Promise<Joined<Sealed>> {
    const { isOurs, from, onto } = request
    const stream = isOurs ? this.#requireUnion(from, onto) : this.#requireUnion(onto, from)
    const { git, clock, at } = this.#target
    const exclude = request.base === null ? [] : [request.base]
    for (const head of [request.from, request.onto]) await this.#request.hydrate?.(head, exclude)
    // Only the whole chain would show whether another's chain repeats an id.
    const mayRepeat = !request.isOurs || (await this.#request.mayRepeat())
    const joined = await stageJoin(git, stream, { ...request, mayRepeat, nowUnixMs: clock.nowUnixMs() })
    if (request.isOurs) this.#refuseUnreadable(joined.unread)
    else this.#unreadOfRemote = joined.unread
    await at?.('staged')
    return joined
  }

  /** Null when the stream's two sides cannot be joined. */
  get #unionStream(): UnionStream<Batch, Item, Sealed> | null {
    const { stream } = this.#target
    const { divergence } = stream
    return divergence.kind === 'union' ? { ...stream, divergence } : null
  }

  /** @throws {ConflictError} when the stream's two sides cannot be joined */
  #requireUnion(local: Oid, theirs: Oid): UnionStream<Batch, Item, Sealed> {
    const { stream } = this.#target
    const union = this.#unionStream
    if (union !== null) return union
    const remote = showRemote(this.#request.remote)
    throw new ConflictError(
      `${stream.title} and that of '${remote}' have diverged: ${local.slice(0, 12)} here, ${theirs.slice(0, 12)} there`,
      { details: { remote, ref: stream.ref, reason: 'diverged', object_ids: [local, theirs] } },
    )
  }

  /** A chunk that is missing or too large would be lost to all other clones if the log went on without it. */
  #refuseUnreadable(problems: Sealed['problems']): void {
    const problem = problems.find(({ unread }) => unread === 'too-large' || unread === 'missing')
    this.#unread = problems
    if (problem === undefined) return
    const { objectId, commit, unread, gap } = problem
    if (gap !== undefined) {
      const found = { gaps: [gap], count: 1 }
      throw incompleteLog('cannot re-append it onto the remote log, which would hide the missing part', found)
    }
    throw new ObjectTooLargeError(
      `cannot re-append a chunk of the local log onto the remote's: object ${objectId ?? commit} in commit ${commit.slice(0, 12)} is ${unread}`,
      { details: { object_id: objectId, commit, reason: unread, bytes_max: this.#target.stream.codec.fileBytesMax } },
    )
  }

  /** Makes the local stream hold everything of a remote head. */
  async #takeIn(theirs: Oid, local: Oid | null): Promise<void> {
    const { git } = this.#target
    const { inspect, isHome } = this.#request
    if (local === null) return this.#moveForward(theirs, null)
    const base = await git.findMergeBase(local, theirs)
    if (base === local) return this.#moveForward(theirs, local)
    if (!isHome) return this.#takeInBeside(theirs, inspect)
    const joined = await this.#stage({ from: local, onto: theirs, base, isOurs: true, inspect })
    await this.#moveLocal(joined.head, local, joined.objects)
  }

  /**
   * The local stream moves to the remote's head.
   *
   * @param gain - its segments above the local head, where they have been read
   */
  async #moveForward(theirs: Oid, local: Oid | null, gain?: readonly Sealed[]): Promise<void> {
    if (gain === undefined) await this.#inspectRange(theirs, local === null ? [] : [local])
    else {
      const inspection = this.#request.inspect?.()
      inspection?.add(gain)
      await inspection?.settle()
    }
    this.#gained = gain && local !== null ? { from: local, to: theirs, how: 'extension', segments: gain } : null
    await this.#moveLocal(theirs, local)
  }

  async #inspectRange(head: Oid, exclude: readonly Oid[]): Promise<void> {
    const { inspect, hydrate } = this.#request
    if (inspect === undefined) return
    await hydrate?.(head, exclude)
    const inspection = inspect()
    const { git, stream } = this.#target
    for await (const segments of readLog(git, stream, { head, exclude })) inspection.add(segments)
    await inspection.settle()
  }

  /** Appends the remote's items that the local stream lacks. */
  async #takeInBeside(theirs: Oid, inspect: SyncRequest<Sealed>['inspect']): Promise<void> {
    const { git } = this.#target
    let isInspected = inspect === undefined
    await moveLocalRef(this.#target, this.#request.remote, async () => {
      const local = (await git.readRef(this.#ref)) as Oid
      const base = await git.findMergeBase(local, theirs)
      if (base === theirs) return null
      // Items new to the local stream come from `from`, so that range is checked separately.
      if (!isInspected) await this.#inspectRange(theirs, base === null ? [] : [base])
      isInspected = true
      const joined = await this.#stage({ from: theirs, onto: local, base, isOurs: false })
      return joined.head === local ? null : { expected: local, next: joined.head, staged: joined.objects }
    })
  }

  /**
   * Moves the local ref to a head that holds all items of `holds`. Items that local writers append meanwhile go on top.
   *
   * @param staged - objects of the head that no ref names yet
   */
  async #moveLocal(next: Oid, holds: Oid | null, staged: readonly PendingObject[] = []): Promise<void> {
    const { git } = this.#target
    await moveLocalRef(this.#target, this.#request.remote, async () => {
      const { head: local, named } = await this.#readLocal()
      if (local === holds || local === null) return { expected: named, next, staged }
      const base = await git.findMergeBase(local, next)
      if (base === next) return null
      if (base === local) return { expected: local, next, staged }
      this.#gained = null
      const joined = await this.#stage({ from: local, onto: next, base, isOurs: true })
      return { expected: local, next: joined.head, staged: [...staged, ...joined.objects] }
    })
    await this.#target.at?.('moved')
  }
}

/** Waits for both, and returns the result of the first. Its failure is the one that counts. */
async function inParallel<Result>(first: Promise<Result>, second: Promise<unknown> | undefined): Promise<Result> {
  const [result, other] = await Promise.allSettled([first, second])
  if (result.status === 'rejected') throw result.reason
  if (other.status === 'rejected') throw other.reason
  return result.value
}
