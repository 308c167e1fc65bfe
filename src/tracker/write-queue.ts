/**
 * The queue of writes within one process, in front of the lock file that serializes writers of different processes.
 *
 * Invariants
 * - Turns run one at a time, in order of arrival; their plans and writes never overlap.
 * - A turn starts when the lock file is held or has been given up on. The lock is advisory; the compare-and-swap of the
 *   ref protects the log.
 * - Waiting writes that may share a commit are committed together, in order of arrival.
 * - After a shared commit, the next one waits a moment for as many writes: writers that were answered together mostly write
 *   again together, and a commit of half of them costs as much. The lock file is free meanwhile.
 */
import { Gathering, type GatherTime, type Queue } from '../wal/index.ts'

export interface CommitOutcome<Write> {
  /** Writes that did not fit, in order; they come first in the next turn. */
  readonly left: readonly Write[]
  /** Settles the other writes. */
  readonly settle: () => void
}

export interface WriteQueueOptions<Write> {
  /** The lock file between processes. */
  readonly between: Queue
  /** Whether a write may share a commit with the first one of the queue. */
  readonly mayShareCommit: (first: Write, other: Write) => boolean
  /** Commits as many of the writes as fit into one commit. Never throws. */
  readonly commit: (writes: readonly Write[]) => Promise<CommitOutcome<Write>>
  /** For tests; the machine's by default. */
  readonly time?: GatherTime
}

type Turn<Write> =
  | { readonly kind: 'write'; readonly write: Write }
  | { readonly kind: 'alone'; readonly run: () => Promise<void>; readonly passedOn: () => void }

/** Bounds how long the first write of a turn waits for the last. */
const writesPerTurnMax = 256
/** Consecutive turns per hold of the lock file, before other processes get a chance. */
const turnsPerHoldMax = 8

export class WriteQueue<Write> {
  readonly #options: WriteQueueOptions<Write>
  readonly #gathering: Gathering
  readonly #waiting: Turn<Write>[] = []
  #running: Promise<void> | undefined
  #isInTurn = false
  /** The first write of the last commit. */
  #lastFirst: Write | undefined

  constructor(options: WriteQueueOptions<Write>) {
    this.#options = options
    this.#gathering = new Gathering(options.time)
  }

  /** Adds a write to the queue; `commit` settles it. */
  add(write: Write): void {
    this.#add({ kind: 'write', write })
  }

  /**
   * Waits for an exclusive turn, during which this process writes nothing else. The returned function ends the turn, and
   * resolves when other writers, including other processes, can have theirs.
   */
  enter(): Promise<() => Promise<void>> {
    return new Promise((resolve) => {
      let passedOn = (): void => {}
      const over = new Promise<void>((done) => {
        passedOn = done
      })
      const run = () =>
        new Promise<void>((end) => {
          resolve(() => {
            end()
            return over
          })
        })
      this.#add({ kind: 'alone', run, passedOn })
    })
  }

  /** Resolves when the lock file is released; at once during a turn, since an interrupt must not wait for it. */
  async leaving(): Promise<void> {
    if (this.#waiting.length === 0 && !this.#isInTurn) await this.#running
  }

  #add(turn: Turn<Write>): void {
    this.#waiting.push(turn)
    if (!this.#awaitsMore()) this.#gathering.stop()
    this.#running ??= this.#run()
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      if (this.#awaitsMore()) await this.#gathering.wait()
      const leave = await this.#options.between.enter()
      let turn: Turn<Write> | undefined
      for (let turns = 0; turns < turnsPerHoldMax && this.#waiting.length > 0; turns++) {
        if (turns > 0 && this.#awaitsMore()) break
        if (turn?.kind === 'alone') turn.passedOn()
        turn = this.#waiting.shift() as Turn<Write>
        this.#isInTurn = true
        const settle = turn.kind === 'alone' ? await turn.run() : await this.#commit(turn.write)
        this.#isInTurn = false
        settle?.()
      }
      await leave()
      if (turn?.kind === 'alone') turn.passedOn()
    }
    this.#running = undefined
  }

  /** Whether the waiting turns are writes like those of the last commit, and fewer, and the others may still come. */
  #awaitsMore(): boolean {
    const first = this.#lastFirst
    if (first === undefined || !this.#gathering.expectsMore(this.#waiting.length)) return false
    return this.#waiting.every((turn) => turn.kind === 'write' && this.#options.mayShareCommit(first, turn.write))
  }

  async #commit(first: Write): Promise<() => void> {
    const writes = [first, ...this.#takeCompanions(first)]
    const end = this.#gathering.begin()
    const { left, settle } = await this.#options.commit(writes)
    end(writes.length - left.length)
    this.#lastFirst = first
    this.#waiting.unshift(...left.map((write) => ({ kind: 'write', write }) as const))
    return settle
  }

  /** Removes the writes that may share a commit with the first one, without overtaking exclusive work or other writes. */
  #takeCompanions(first: Write): Write[] {
    const companions: Write[] = []
    while (companions.length + 1 < writesPerTurnMax) {
      const [next] = this.#waiting
      if (next?.kind !== 'write' || !this.#options.mayShareCommit(first, next.write)) break
      companions.push(next.write)
      this.#waiting.shift()
    }
    return companions
  }
}
