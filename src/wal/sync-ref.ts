/**
 * Syncs a stream with a remote (docs/format.md#sync).
 *
 * Invariants
 * - The remote's ref moves forward only. The local one moves only to a head whose chain holds every readable item of
 *   the old one.
 * - Before a fetch replaces the known state of the remote, the local stream holds every item of it, so that an item
 *   once seen survives whatever happens to the remote. Where the policy refuses to join them, nothing is fetched.
 * - Killed at any moment, a sync leaves nothing that the next run does not handle anyway: commits without a ref, a
 *   tracking ref ahead of the local one, or a remote that is ahead.
 */
import {
  type GitPort,
  type LeftOutRefs,
  metadataBytesMax,
  type Oid,
  type OnProgress,
  type PendingObject,
  type PushedRef,
  type RefName,
  type RemotePort,
  Retry,
  type RetryOptions,
  Standstill,
  setAsideCorruptObject,
  showRemote,
} from '../git/index.ts'
import {
  ConflictError,
  CorruptObjectError,
  GriteError,
  IncompleteLogError,
  ObjectTooLargeError,
  RefMovedError,
  RemoteError,
  StorageError,
  shellCommand,
} from '../model/index.ts'
import { appendRetryMsMax } from './append.ts'
import type { Queue } from './append-queue.ts'
import { fetchWithRetry } from './fetch-with-retry.ts'
import { type Inspection, type Joined, stageJoin } from './join-ref.ts'
import { judgeHead } from './judge-head.ts'
import { GapTally, incompleteLog } from './log-gap.ts'
import { readLog } from './read-log.ts'
import { isFollowedBeside, remoteRefOf, streamRefspec, streamStart, trackingRef } from './ref-names.ts'
import { noteRemoteHead } from './remote-head.ts'
import type { Segment } from './segment-codec.ts'
import { isCommit } from './sound-head.ts'
import { type Stream, type UnionStream, updateOf } from './stream.ts'

/** Rounds of fetch and push before giving up on a remote that keeps moving. */
export const syncRoundsMax = 12
const backoffMsFirst = 40
const backoffMsMax = 2000

export type SyncPoint = 'fetched' | 'staged' | 'pushed' | 'tracked' | 'moved'

export interface SyncTarget<Batch, Item, Sealed extends Segment<Item>> extends SyncPlace {
  readonly stream: Stream<Batch, Item, Sealed>
}

/** Context of a sync, for any stream. */
export interface SyncPlace {
  readonly git: GitPort
  readonly remotes: RemotePort
  /** Local writers wait here while the local log moves. */
  readonly queue: Queue
  readonly clock: { readonly nowUnixMs: () => number }
  /** A number from 0 up to, not including, 1. */
  readonly jitter: () => number
  /** Aborts the pauses between rounds; the sync rejects with its reason. */
  readonly signal?: AbortSignal | undefined
  /** For tests: points of a sync. */
  readonly at?: ((point: SyncPoint) => void | Promise<void>) | undefined
}

/** Refs of a remote that are fetched along with a stream. */
export interface RefsAlongside {
  readonly refspecs: readonly string[]
  /** How many refs to follow, by the left side of a refspec. */
  readonly refsMax: (left: string) => number
}

export interface SyncRequest<Sealed> {
  readonly remote: string
  /** The local stream follows its home remote's; with any other remote, each side keeps its own order of commits. */
  readonly isHome: boolean
  readonly pull: boolean
  readonly push: boolean
  readonly runHooks: boolean
  readonly alongside?: RefsAlongside | undefined
  /** Whether items may be on the local chain more than once; see `JoinRequest`. Called when it matters. */
  readonly mayRepeat: () => Promise<boolean>
  /** Starts checking what the local stream is about to take from the remote. */
  readonly inspect?: (() => Inspection<Sealed>) | undefined
  /** Fetches the parts of a head's history that a partial clone lacks. */
  readonly hydrate?: ((head: Oid, exclude: readonly Oid[]) => Promise<void>) | undefined
  /** Runs in parallel to the first fetch, and is awaited before anything is compared. */
  readonly meanwhile?: (() => Promise<unknown>) | undefined
  readonly onProgress?: OnProgress | undefined
}

export interface RefSync<Sealed extends Segment<unknown>> {
  /** Local head before and after. */
  readonly before: Oid | null
  readonly after: Oid | null
  /** The remote's last known head; null when it has no such ref. */
  readonly remoteHead: Oid | null
  /** Our items that were re-appended on top of the remote's because both sides had written. */
  readonly rejoined: number
  /** The local stream's gain from a join, when small enough to keep: it updates a view from one head to another. */
  readonly gained: Gained<Sealed> | null
  /** Whether the remote's ref moved. */
  readonly pushed: boolean
  /** The remote's answer when it refused the push for good. */
  readonly refused: PushedRef | null
  /** `lost`: the remote had the ref when it was last seen. `rewound`: it lacks items that it had. */
  readonly remoteChange: 'lost' | 'rewound' | null
  /** Unreadable parts of the local stream, which stayed behind. */
  readonly unread: Sealed['problems']
  /** Unreadable parts of a remote's stream other than the home remote's, which were not taken in. */
  readonly unreadOfRemote: Sealed['problems']
  /** Why the refs alongside are unknown, when they could not be fetched with the stream. */
  readonly othersUnread: string | null
  /** Refs of the remote that are not followed because there are too many. */
  readonly leftOut: readonly LeftOutRefs[]
  /** Result for a history that a shallow clone had cut off; null when nothing was cut off. */
  readonly completion: Completion | null
  readonly rounds: number
}

/**
 * Syncs the local stream with a remote.
 * @throws {NotFoundError} | {RemoteError} when the remote is unavailable; nothing has changed
 * @throws {ConflictError} when the remote kept moving, or both sides wrote and the stream refuses divergence
 * @throws {ObjectTooLargeError} when a local chunk that must be carried cannot be read completely
 */
export async function syncRef<Batch, Item, Sealed extends Segment<Item>>(
  target: SyncTarget<Batch, Item, Sealed>,
  request: SyncRequest<Sealed>,
): Promise<RefSync<Sealed>> {
  return new RefSyncer(target, request).run()
}

/**
 * `remote-cut`: the remote does not have the rest either. `failed`: git cannot request it from this remote, for the
 * given reason.
 */
export type Completion =
  | { readonly outcome: 'whole' | 'remote-cut' }
  | { readonly outcome: 'failed'; readonly reason: string }

export interface Gained<Sealed> {
  readonly from: Oid
  readonly to: Oid
  readonly segments: readonly Sealed[]
}

/** A move of the local ref. */
interface LocalMove {
  readonly expected: Oid | null
  readonly next: Oid
  /** Objects of `next` that no ref names yet. */
  readonly staged?: readonly PendingObject[]
}

/** The relation of two heads. */
type Relation =
  | { readonly kind: 'same' | 'remote-empty' | 'local-empty' | 'both-empty' }
  | { readonly kind: 'behind' | 'ahead'; readonly base: Oid }
  | { readonly kind: 'diverged'; readonly base: Oid | null }

class RefSyncer<Batch, Item, Sealed extends Segment<Item>> {
  readonly #target: SyncTarget<Batch, Item, Sealed>
  readonly #request: SyncRequest<Sealed>
  #rejoined = 0
  #gained: Gained<Sealed> | null = null
  #pushed = false
  #refused: PushedRef | null = null
  /** The remote's answer to the last push when the ref seemed to have moved. */
  #stale: PushedRef | null = null
  /** Why only the stream is fetched, when the remote's other refs cannot be. */
  #othersUnread: string | null = null
  #leftOut: readonly LeftOutRefs[] = []
  /** Whether the remote had something that a fetch did not show, as with separate fetch and push URLs. */
  #hadItAll = false
  #unread: Sealed['problems'] = []
  #unreadOfRemote: Sealed['problems'] = []
  #completion: Completion | null = null
  /** A local head found to be ahead of the known remote head. */
  #ahead: { readonly local: Oid; readonly known: Oid } | null = null

  constructor(target: SyncTarget<Batch, Item, Sealed>, request: SyncRequest<Sealed>) {
    this.#target = target
    this.#request = request
  }

  get #ref(): RefName {
    return this.#target.stream.ref
  }

  get #tracking(): RefName {
    return trackingRef(this.#request.remote, this.#ref)
  }

  async run(): Promise<RefSync<Sealed>> {
    try {
      return await this.#run()
    } catch (error) {
      if (this.#pushed && error instanceof GriteError) error.addDetails({ pushed: true })
      throw error
    }
  }

  async #run(): Promise<RefSync<Sealed>> {
    const { git } = this.#target
    const { remote } = this.#request
    const tracking = this.#tracking
    const tracked = await this.#readTracked(tracking)
    await this.#complete(tracked)
    const known = await this.#finishInterrupted(tracked)
    const before = await git.readRef(this.#ref)
    const standstill = new Standstill()
    const rounds = this.#patience({ maxMs: backoffMsMax, triesMax: syncRoundsMax })
    for (;;) {
      await (rounds.tries === 1 ? this.#fetchBeside(this.#request.meanwhile) : this.#fetch())
      const theirs = await git.readRef(tracking)
      if (theirs === null) await this.#refuseFolder(tracking)
      const local = (await this.#readLocal()).head
      const relation = await this.#relate(local, theirs)
      const remoteChange = await this.#judgeRemote(known, theirs, relation)
      const isStill = standstill.see(theirs)
      const isSettled = await this.#settle(relation, local, theirs)
      if (!isSettled && isStill) this.#refused = this.#stale
      if (isSettled || this.#refused !== null) {
        return {
          before,
          after: await git.readRef(this.#ref),
          remoteHead: await git.readRef(tracking),
          rejoined: this.#rejoined,
          gained: this.#gained,
          pushed: this.#pushed,
          refused: this.#refused,
          remoteChange: this.#hadItAll ? null : remoteChange,
          unread: this.#unread,
          unreadOfRemote: this.#unreadOfRemote,
          othersUnread: this.#othersUnread,
          leftOut: this.#leftOut,
          completion: this.#completion,
          rounds: rounds.tries,
        }
      }
      if (!(await rounds.again())) {
        const shown = showRemote(remote)
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

  #patience(bounds: Pick<RetryOptions, 'maxMs' | 'triesMax' | 'forMs'>): Retry {
    const { jitter, clock, signal } = this.#target
    return new Retry({ firstMs: backoffMsFirst, ...bounds, jitter, nowMs: () => clock.nowUnixMs(), signal })
  }

  /** The result of the last fetch; an unreadable ref is ignored, and would make git's fetch fail. */
  async #readTracked(tracking: RefName): Promise<Oid | null> {
    const { git } = this.#target
    const oid = await git.readRef(tracking)
    if (oid === null || (await isReadable(git, oid))) return oid
    await git.publish({ objects: [], updates: [{ ref: tracking, expected: oid, next: null, reflogMessage: '' }] })
    setAsideCorruptObject(git.layout, oid)
    return null
  }

  /** The local head, and the ref's value: an unreadable head counts as none, and the remote's takes its place. */
  async #readLocal(): Promise<{ readonly head: Oid | null; readonly named: Oid | null }> {
    const { git } = this.#target
    const named = await git.readRef(this.#ref)
    return { named, head: named !== null && (await isCommit(git, named)) ? named : null }
  }

  async #isCut(tracked: Oid | null): Promise<boolean> {
    const heads = [tracked, (await this.#readLocal()).head].filter((oid) => oid !== null)
    return (await this.#target.git.findCutCommits(heads)).length > 0
  }

  async #fetchBeside(work: SyncRequest<Sealed>['meanwhile']): Promise<void> {
    const [fetched, worked] = await Promise.allSettled([this.#fetch(), work?.()])
    if (fetched.status === 'rejected') throw fetched.reason
    if (worked.status === 'rejected') throw worked.reason
  }

  async #fetch(): Promise<void> {
    const { remotes, at } = this.#target
    const { remote, alongside, onProgress } = this.#request
    const others = alongside?.refspecs ?? []
    const own = streamRefspec(remote, this.#ref)
    const refsMax = followedBeside(this.#ref, alongside)
    const isFollowed = (ref: string) => isFollowedBeside(this.#ref, ref)
    const fetch = async () => {
      const refspecs = this.#othersUnread === null ? [own, ...others] : [own]
      const request = { remote, refspecs, refsMax, isFollowed, onProgress }
      this.#leftOut = await fetchWithRetry(remotes, request, this.#target)
    }
    try {
      await fetch()
    } catch (error) {
      // One lock with a broken object must not block the log.
      if (alongside === undefined || this.#othersUnread !== null || !isUnsound(error)) throw error
      this.#othersUnread = error.message
      await fetch()
    }
    await at?.('fetched')
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
    if (local !== null && (await git.isAncestor(known, local))) {
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

  async #requireLog(head: Oid): Promise<void> {
    const wrong = await judgeHead(this.#target.git, this.#target.stream, head)
    if (wrong !== null) throw this.#corrupt(`is ${wrong}`, this.#ref, head)
  }

  /** Refs below the stream's own name make it impossible to create. */
  async #refuseFolder(tracking: RefName): Promise<void> {
    const [below] = await this.#target.git.listRefs(`${tracking}/`)
    if (below === undefined) return
    const name = remoteRefOf(this.#request.remote, below.ref)
    throw this.#corrupt(`cannot exist beside the ref ${name}`, name, below.oid)
  }

  #corrupt(what: string, ref: RefName, object: Oid): RemoteError {
    const remote = showRemote(this.#request.remote)
    return new RemoteError(`${this.#target.stream.title} of '${remote}' ${what}`, {
      details: { remote, reason: 'corrupt', ref, object_id: object },
      hints: [`Nothing was merged; inspect it with \`${shellCommand('git', 'show', '--stat', object.slice(0, 12))}\``],
    })
  }

  async #judgeRemote(
    known: Oid | null,
    theirs: Oid | null,
    relation: Relation,
  ): Promise<RefSync<Sealed>['remoteChange']> {
    if (known === null || known === theirs) return null
    if (theirs === null) return 'lost'
    // Usually the two sides diverged where they last met.
    if ('base' in relation && relation.base === known) return null
    return (await this.#target.git.isAncestor(known, theirs)) ? null : 'rewound'
  }

  async #relate(local: Oid | null, theirs: Oid | null): Promise<Relation> {
    if (local === theirs) return { kind: local === null ? 'both-empty' : 'same' }
    if (theirs === null) return { kind: 'remote-empty' }
    if (local === this.#ahead?.local && theirs === this.#ahead?.known) return { kind: 'ahead', base: theirs }
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

  /** Acts on one round's state. False when the remote was faster and another round is due. */
  async #settle(relation: Relation, local: Oid | null, theirs: Oid | null): Promise<boolean> {
    switch (relation.kind) {
      case 'same':
      case 'both-empty':
        return true
      case 'behind':
      case 'local-empty':
        if (this.#request.pull) await this.#moveForward(theirs as Oid, local)
        return true
      case 'ahead':
      case 'remote-empty':
        if (!this.#request.push) return true
        if (relation.kind === 'remote-empty') await this.#requireWhole(local as Oid)
        return this.#push(local as Oid)
      case 'diverged':
        return this.#request.isHome
          ? this.#joinHome(local as Oid, theirs as Oid, relation.base)
          : this.#joinOther(local as Oid, theirs as Oid, relation.base)
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

  /** Both sides wrote: ours goes on top of theirs, is pushed, and becomes the local stream. */
  async #joinHome(local: Oid, theirs: Oid, base: Oid | null): Promise<boolean> {
    const joined = await this.#stage({
      from: local,
      onto: theirs,
      base,
      isOurs: true,
      inspect: this.#request.inspect,
    })
    const isSettled = !this.#request.push || joined.head === theirs || (await this.#push(joined.head))
    this.#rejoined = joined.itemCount
    this.#gained = joined.gained && { from: local, to: joined.head, segments: joined.gained }
    // Also after a lost race: the next fetch may replace the fetched head.
    await this.#moveLocal(joined.head, local, joined.objects)
    return isSettled
  }

  /** Each side keeps its chain and gets the other's items on top. */
  async #joinOther(local: Oid, theirs: Oid, base: Oid | null): Promise<boolean> {
    const { pull, push, inspect } = this.#request
    let isSettled = true
    if (push) {
      const forThem = await this.#stage({ from: local, onto: theirs, base, isOurs: true })
      isSettled = forThem.head === theirs || (await this.#push(forThem.head))
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

  /** @throws {ConflictError} when the stream's two sides cannot be joined */
  #requireUnion(local: Oid, theirs: Oid): UnionStream<Batch, Item, Sealed> {
    const { stream } = this.#target
    const { divergence } = stream
    if (divergence.kind === 'union') return { ...stream, divergence }
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

  /** True when the push is settled: the remote has the head, or will never accept it. */
  async #push(head: Oid): Promise<boolean> {
    const { git, remotes, at } = this.#target
    const { remote, runHooks, onProgress } = this.#request
    const tracking = this.#tracking
    const expected = await git.readRef(tracking)
    const updates = [{ ref: this.#ref, next: head }]
    const [result] = await remotes.push({ remote, updates, atomic: false, runHooks, onProgress })
    if (result === undefined) return false
    if (result.outcome === 'stale') {
      this.#stale = result
      return false
    }
    if (result.outcome === 'rejected') {
      this.#refused = result
      return true
    }
    this.#pushed = result.outcome === 'ok'
    this.#hadItAll = result.outcome === 'up-to-date'
    await at?.('pushed')
    await noteRemoteHead(git, tracking, expected, head)
    await at?.('tracked')
    return true
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

  /** The local stream moves to the remote's head. */
  async #moveForward(theirs: Oid, local: Oid | null): Promise<void> {
    await this.#inspectRange(theirs, local === null ? [] : [local])
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
    await this.#moving(async () => {
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
    await this.#moving(async () => {
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

  /** Retries until the local ref accepts a plan made from its present value; null means nothing to move. */
  async #moving(plan: () => Promise<LocalMove | null>): Promise<void> {
    const { git, stream, queue } = this.#target
    const retry = this.#patience({ forMs: appendRetryMsMax })
    const leave = await queue.enter()
    try {
      for (;;) {
        const move = await plan()
        if (move === null || move.expected === move.next) return
        const { expected, next, staged = [] } = move
        try {
          const reflogMessage = `grite: sync with ${showRemote(this.#request.remote)}`
          const update = updateOf(stream, { expected, next, reflogMessage })
          return await git.publish({ objects: [], staged, updates: [update] })
        } catch (error) {
          if (!(error instanceof RefMovedError) || !(await retry.again())) throw error
        }
      }
    } finally {
      await leave()
    }
  }
}

/**
 * How many refs a sync follows, by the left side of a refspec: one stream, and of the refs alongside as many as they
 * allow.
 */
export function followedBeside(stream: RefName, alongside?: Pick<RefsAlongside, 'refsMax'>): (left: string) => number {
  return (left) => (left === streamStart(stream) ? 1 : (alongside?.refsMax(left) ?? Number.POSITIVE_INFINITY))
}

async function isReadable(git: GitPort, oid: Oid): Promise<boolean> {
  try {
    return (await git.readObject(oid, metadataBytesMax)) !== null
  } catch (error) {
    if (error instanceof CorruptObjectError) return false
    // git can read it, so git can fetch.
    if (error instanceof ObjectTooLargeError) return true
    throw error
  }
}

function isUnreachable({ details }: RemoteError): boolean {
  return ['unreachable', 'denied', 'silent'].includes(`${details.reason}`)
}

/** @returns true also when git was killed, as by a full memory: the log alone needs less */
function isUnsound(error: unknown): error is GriteError {
  if (error instanceof StorageError) return typeof error.details.signal === 'string'
  return error instanceof RemoteError && (error.details.reason === 'corrupt' || error.details.reason === 'failed')
}
