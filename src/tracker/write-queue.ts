/**
 * Where the writes of one process wait for their turn, in front of the lock file on which processes wait for each other.
 *
 * Invariants
 * - One turn at a time, in the order of arrival: nothing that one turn plans or writes overlaps with another's.
 * - A turn begins only with the lock file held, or given up on: it is advisory, and the ref's compare-and-swap guards
 *   the log.
 * - Writes that wait together and may share a commit are handed over together, first come first.
 */
import type { Queue } from '../wal/index.ts'

export interface CommitOutcome<Write> {
  /** Writes that did not fit, in their order; they are first in the next turn. */
  readonly left: readonly Write[]
  /** Tells the others what became of them. */
  readonly settle: () => void
}

export interface WriteQueueOptions<Write> {
  /** The queue between processes. */
  readonly between: Queue
  /** Whether a write may go into one commit with the one at the head of the queue. */
  readonly mayShareCommit: (first: Write, other: Write) => boolean
  /** Writes what it is given, as far as it fits into one commit. Never throws. */
  readonly commit: (writes: readonly Write[]) => Promise<CommitOutcome<Write>>
}

type Turn<Write> =
  | { readonly kind: 'write'; readonly write: Write }
  | { readonly kind: 'alone'; readonly run: () => Promise<void>; readonly passedOn: () => void }

/** Writes that one turn takes at most, so that the first of them does not wait for the last without bound. */
const writesPerTurnMax = 256
/** How many turns follow each other on one hold of the lock file before other processes get a chance. */
const turnsPerHoldMax = 8

export class WriteQueue<Write> {
  readonly #options: WriteQueueOptions<Write>
  readonly #waiting: Turn<Write>[] = []
  #running: Promise<void> | undefined
  #isInTurn = false

  constructor(options: WriteQueueOptions<Write>) {
    this.#options = options
  }

  /** Hands a write over for a turn; `commit` settles it. */
  add(write: Write): void {
    this.#add({ kind: 'write', write })
  }

  /**
   * Waits for a turn of one's own, with nothing else written by this process meanwhile. The result ends it, and resolves
   * when others can have their turn, those of other processes included.
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

  /** Resolves when the lock file is given back; at once while a turn goes on, which an interrupt must not wait for. */
  async leaving(): Promise<void> {
    if (this.#waiting.length === 0 && !this.#isInTurn) await this.#running
  }

  #add(turn: Turn<Write>): void {
    this.#waiting.push(turn)
    this.#running ??= this.#run()
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      const leave = await this.#options.between.enter()
      let turn: Turn<Write> | undefined
      for (let turns = 0; turns < turnsPerHoldMax && this.#waiting.length > 0; turns++) {
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

  async #commit(first: Write): Promise<() => void> {
    const { left, settle } = await this.#options.commit([first, ...this.#takeCompanions(first)])
    this.#waiting.unshift(...left.map((write) => ({ kind: 'write', write }) as const))
    return settle
  }

  /** Takes out what may share a commit with a write. Neither work that is to run alone nor other writes are overtaken. */
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
