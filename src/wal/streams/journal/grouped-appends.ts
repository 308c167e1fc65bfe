/**
 * Joins appends that arrive while a write is under way: one write and one flush for all of them.
 *
 * Invariants
 * - Requests are planned in the order of their arrival, on the state that the requests before them leave.
 * - A request is answered once: with its plan's answer after the group stands, or with the error of the plan or the disk.
 * - A group holds at most `groupBytesMax`, or one request.
 * - A refusal was judged on what the file held when it was last looked at, after the request arrived.
 * - After a flush, the next group waits a moment for as many requests: writers that were answered together mostly append
 *   again together. Work that needs the writer alone is done meanwhile.
 */
import { ConflictError } from '../../../model/errors/index.ts'
import type { FrameEncoder } from '../../../model/streams/index.ts'
import { Gathering, type GatherTime } from '../../gathering.ts'
import type { Appended, JournalWriter } from './journal-writer.ts'

/** The state that appends are planned on, such as the newest timestamp and the sequences of producers. */
export interface AppendPlanner<Request, Answer> {
  /** Forgets what was planned since the last `settle`. */
  begin(): void
  /**
   * Plans a request on the state that the earlier plans leave: adds its records to the group as one frame, or none, as for a
   * repeated producer sequence. Throws to refuse it, and has then changed nothing.
   *
   * @param firstOffset - of its first record
   * @returns the answer, should the group stand
   */
  plan(request: Request, firstOffset: number, group: FrameEncoder): Answer
  /** What was planned since `begin` stands, up to this many frames; the others never will. */
  settle(frameCount: number): void
}

/** What one group has appended. */
export interface AppendedGroup {
  /** Of the first record. */
  readonly firstOffset: number
  /** Whether these records and all before them are flushed. */
  readonly isFlushed: boolean
  /** The stored records. Only until the next group begins. */
  readonly records: () => readonly Uint8Array[]
}

export interface GroupedAppendsOptions {
  readonly groupBytesMax?: number
  /** How often other processes may win the race for one group; then its requests fail with `conflict`. */
  readonly racesMax?: number
  /** Called after each group with records, before the next one: seals when it is due. */
  readonly afterGroup?: (group: AppendedGroup) => Promise<void> | undefined
  /** Receives what `afterGroup` throws: the group stands. */
  readonly onFailure?: (error: unknown) => void
  /** For tests; the machine's by default. */
  readonly time?: GatherTime
}

export interface RequestFacts {
  /** About as many as its records will take. */
  readonly bytes: number
  /** False acknowledges at level `memory`. */
  readonly flush: boolean
}

/** A request without an answer. Thousands may wait, so each is one object, with its plan. */
export class WaitingAppend<Request, Answer> implements RequestFacts {
  /** What the plan says; an error for a refused request. */
  plan: { readonly answer: Answer } | { readonly refusal: unknown } | undefined
  /** The frames of the group that the answer or refusal depends on: those up to its own. */
  neededFrames = 0

  constructor(
    readonly request: Request,
    readonly bytes: number,
    readonly flush: boolean,
    readonly resolve: (answer: Answer) => void,
    readonly reject: (error: unknown) => void,
    /** Receives the request when the writer is blocked; nothing of it was written. */
    readonly onBlocked: ((blocked: WaitingAppend<Request, Answer>) => void) | undefined,
  ) {}

  get isRefused(): boolean {
    return this.plan !== undefined && 'refusal' in this.plan
  }

  /** Answers when what it needs stands; otherwise fails. */
  settle(standingFrames: number, failure: unknown): void {
    const { plan } = this
    if (plan === undefined || this.neededFrames > standingFrames) this.reject(failure)
    else if ('refusal' in plan) this.reject(plan.refusal)
    else this.resolve(plan.answer)
  }

  /** Nothing of the group is known to stand: only a refusal that does not depend on it holds. */
  fail(error: unknown): void {
    const { plan } = this
    const holds = plan !== undefined && 'refusal' in plan && this.neededFrames === 0
    this.reject(holds ? plan.refusal : error)
  }
}

type GroupWriter = Pick<JournalWriter, 'begin' | 'write' | 'recordsOf' | 'flush' | 'refresh' | 'nextOffset'>
type Group<Request, Answer> = readonly WaitingAppend<Request, Answer>[]

export class GroupedAppends<Request, Answer> {
  readonly #writer: GroupWriter
  readonly #planner: AppendPlanner<Request, Answer>
  readonly #groupBytesMax: number
  readonly #racesMax: number
  readonly #afterGroup: (group: AppendedGroup) => Promise<void> | undefined
  readonly #onFailure: (error: unknown) => void
  readonly #gathering: Gathering
  #waiting: WaitingAppend<Request, Answer>[] = []
  #waitingBytes = 0
  #isRunning = false
  /** No more requests come. */
  #isFinishing = false
  #exclusive: (() => Promise<void>)[] = []

  constructor(writer: GroupWriter, planner: AppendPlanner<Request, Answer>, options: GroupedAppendsOptions = {}) {
    this.#writer = writer
    this.#planner = planner
    this.#groupBytesMax = options.groupBytesMax ?? 8 * 1024 * 1024
    this.#racesMax = options.racesMax ?? 100
    this.#afterGroup = options.afterGroup ?? (() => undefined)
    this.#onFailure = options.onFailure ?? (() => {})
    this.#gathering = new Gathering(options.time)
  }

  /**
   * Appends a request with the next group.
   *
   * @param onBlocked - receives the request instead of a rejection with `JournalBlocked`, and settles it
   */
  append(
    request: Request,
    { bytes, flush }: RequestFacts,
    onBlocked?: (blocked: WaitingAppend<Request, Answer>) => void,
  ): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#waiting.push(new WaitingAppend(request, bytes, flush, resolve, reject, onBlocked))
      this.#waitingBytes += bytes
      if (this.#gathering.isWaiting && !this.#awaitsMore()) this.#gathering.stop()
      this.#start()
    })
  }

  /** Whether a group, or something exclusive, is under way. */
  get isRunning(): boolean {
    return this.#isRunning
  }

  /** Runs something that needs the writer between two groups. */
  exclusive<Result>(run: () => Promise<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      // An error that `run` throws at once is its own, too.
      this.#exclusive.push(() => Promise.resolve().then(run).then(resolve, reject))
      this.#gathering.stop()
      this.#start()
    })
  }

  /** Answers all requests that wait, and then runs something that needs the writer. */
  async finish(run: () => Promise<void>): Promise<void> {
    this.#isFinishing = true
    this.#gathering.stop()
    while (this.#waiting.length > 0) await this.exclusive(async () => {})
    await this.exclusive(run)
  }

  #start(): void {
    if (this.#isRunning) return
    this.#isRunning = true
    // After the current turn, so that the appends of one turn form one group.
    queueMicrotask(() => void this.#run())
  }

  /** Never rejects. */
  async #run(): Promise<void> {
    while (this.#exclusive.length > 0 || this.#waiting.length > 0) {
      for (const run of this.#exclusive.splice(0)) await run()
      if (this.#waiting.length === 0) continue
      if (this.#awaitsMore()) await this.#gathering.wait()
      // A reader does not cut a group short.
      if (this.#exclusive.length > 0 && this.#awaitsMore()) continue
      await this.#runGroup(this.#takeGroup())
    }
    this.#isRunning = false
  }

  #awaitsMore(): boolean {
    if (this.#isFinishing || this.#waitingBytes >= this.#groupBytesMax) return false
    return this.#waiting.length > 0 && this.#gathering.expectsMore(this.#waiting.length)
  }

  #takeGroup(): Group<Request, Answer> {
    const waiting = this.#waiting
    let [count, bytes] = [0, 0]
    for (const { bytes: more } of waiting) {
      if (count > 0 && bytes + more > this.#groupBytesMax) break
      bytes += more
      count++
    }
    const group = count === waiting.length ? waiting : waiting.slice(0, count)
    this.#waiting = count === waiting.length ? [] : waiting.slice(count)
    this.#waitingBytes -= bytes
    return group
  }

  /** Never rejects: errors go to the requests. */
  async #runGroup(group: Group<Request, Answer>): Promise<void> {
    const end = this.#gathering.begin()
    const appended = await this.#writeGroup(group)
    if (appended === null) return
    // Without a flush, a group of few costs no more.
    end(group.some(({ flush }) => flush) ? group.length : 0)
    if (appended === 'nothing') return
    try {
      const work = this.#afterGroup(appended)
      if (work !== undefined) await work
    } catch (error) {
      this.#onFailure(error)
    }
  }

  /** @returns null when the writer does not go on */
  async #writeGroup(group: Group<Request, Answer>): Promise<AppendedGroup | 'nothing' | null> {
    for (let races = 0; ; races++) {
      let appended: Appended
      try {
        if (races > this.#racesMax) throw new ConflictError('other processes keep appending to this stream')
        appended = await this.#write(group, this.#plan(group))
      } catch (error) {
        for (const waiting of group) waiting.fail(error)
        return null
      }
      if (appended.outcome === 'moved') continue
      if (appended.outcome !== 'appended') {
        const error = new JournalBlocked(appended.outcome)
        for (const waiting of group) {
          if (waiting.onBlocked === undefined) waiting.reject(error)
          else waiting.onBlocked(waiting)
        }
        return null
      }
      const { batchCount, firstOffset, failure } = appended
      this.#planner.settle(batchCount)
      // Without a failure everything stands.
      for (const waiting of group) waiting.settle(batchCount, failure)
      if (batchCount === 0) return 'nothing'
      const isFlushed = group.some(({ flush }) => flush)
      return { firstOffset, isFlushed, records: () => this.#writer.recordsOf(batchCount) }
    }
  }

  /** @returns the number of frames */
  #plan(group: Group<Request, Answer>): number {
    this.#planner.begin()
    const frames = this.#writer.begin()
    const first = this.#writer.nextOffset
    for (const waiting of group) {
      try {
        waiting.plan = { answer: this.#planner.plan(waiting.request, first + frames.recordCount, frames) }
      } catch (error) {
        waiting.plan = { refusal: error }
      }
      // An answer without records, or a refusal, may depend on what the group writes before it.
      waiting.neededFrames = frames.frameCount
    }
    return frames.frameCount
  }

  async #write(group: Group<Request, Answer>, frameCount: number): Promise<Appended> {
    const flush = group.some((waiting) => waiting.flush)
    // Looks first whether others have appended, so that refusals beside the batches hold.
    if (frameCount > 0) return await this.#writer.write({ flush })
    if (group.some(({ isRefused }) => isRefused)) {
      const found = await this.#writer.refresh()
      if (found !== 'same') return { outcome: found, nextOffset: this.#writer.nextOffset }
    }
    // A repeated position may be that of a record that is not flushed.
    if (flush) await this.#writer.flush()
    return { outcome: 'appended', firstOffset: this.#writer.nextOffset, batchCount: 0, failure: null }
  }
}

/** The writer cannot go on by itself: `resume` it after a barrier, or open a stale one again. */
export class JournalBlocked extends Error {
  override readonly name = 'JournalBlocked'
  constructor(readonly reason: 'barrier' | 'stale') {
    super(reason === 'barrier' ? 'an act on the stream comes first' : 'the journal was sealed by another process')
  }
}
