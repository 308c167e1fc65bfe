/**
 * Lets a commit wait a moment for as many writes as the last one had: writers that were answered together mostly write
 * again together, and a commit of half of them costs as much.
 *
 * Invariants
 * - A commit waits at most as long as the last one took, counted from its end, and at most `gatherMsMax`.
 * - A single writer never waits.
 */

export interface GatherTime {
  readonly nowMs: () => number
  /** Calls back after the given time, unless the function that it returns is called before. */
  readonly after: (ms: number, call: () => void) => () => void
}

/** A pause costs each waiting write this long at most. Milliseconds. */
const gatherMsMax = 30

const machineTime: GatherTime = {
  nowMs() {
    // `performance` takes a millisecond to load, and a short command writes only once.
    const [seconds, nanoseconds] = process.hrtime()
    return seconds * 1e3 + nanoseconds / 1e6
  },
  after(ms, call) {
    const timer = setTimeout(call, ms)
    return () => clearTimeout(timer)
  },
}

export class Gathering {
  readonly #time: GatherTime
  #last = { count: 0, untilMs: 0 }
  /** Set while a commit waits for more writes: ends that. */
  #stop: (() => void) | undefined

  /** @param time - for tests; the machine's by default */
  constructor(time: GatherTime = machineTime) {
    this.#time = time
  }

  /** Starts to measure a commit. @returns a function to call at its end, with the number of its writes */
  begin(): (writeCount: number) => void {
    const startMs = this.#time.nowMs()
    return (writeCount) => {
      const endMs = this.#time.nowMs()
      this.#last = { count: writeCount, untilMs: endMs + Math.min(endMs - startMs, gatherMsMax) }
    }
  }

  get isWaiting(): boolean {
    return this.#stop !== undefined
  }

  /** Whether more writes than are waiting may come soon. */
  expectsMore(waitingCount: number): boolean {
    return waitingCount < this.#last.count && this.#restMs() > 0
  }

  /** Waits for more writes, until `stop` is called or the time is over. */
  wait(): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#time.after(this.#restMs(), () => this.stop())
      this.#stop = () => {
        this.#stop = undefined
        cancel()
        resolve()
      }
    })
  }

  /** Ends the wait, if there is one. */
  stop(): void {
    this.#stop?.()
  }

  #restMs(): number {
    return Math.min(this.#last.untilMs - this.#time.nowMs(), gatherMsMax)
  }
}
