/**
 * Times without a request after which a daemon gives memory back. Milliseconds. The second one is for V8, which shrinks the part of the heap for
 * new objects only when a program has allocated little for five seconds.
 */
const restAfterMs: readonly number[] = [1_000, 10_000]

export interface ActivityOptions {
  /** 0 for never. */
  readonly idleMs: number
  /** Nothing was unfinished for so long. */
  readonly onIdle: () => void
  /** Nothing has been unfinished for each of the times to rest. */
  readonly onRest: () => void
  readonly restAfterMs?: readonly number[]
}

/** Counts what is unfinished, and calls back when nothing was for a while, and for so long that the daemon ends. */
export class Activity {
  readonly #options: ActivityOptions
  #count = 0
  #idleTimer: NodeJS.Timeout | undefined
  #restTimers: readonly NodeJS.Timeout[] = []

  constructor(options: ActivityOptions) {
    this.#options = options
    this.#startIdleTimer()
  }

  /** Unfinished requests. */
  get count(): number {
    return this.#count
  }

  begin(): void {
    this.#count += 1
    this.stop()
  }

  end(): void {
    this.#count -= 1
    if (this.#count > 0) return
    this.#startIdleTimer()
    const { onRest } = this.#options
    this.#restTimers = (this.#options.restAfterMs ?? restAfterMs).map((afterMs) => setTimeout(onRest, afterMs))
  }

  /** Calls back no more, unless another request begins. */
  stop(): void {
    clearTimeout(this.#idleTimer)
    for (const timer of this.#restTimers) clearTimeout(timer)
  }

  #startIdleTimer(): void {
    const { idleMs, onIdle } = this.#options
    if (idleMs > 0) this.#idleTimer = setTimeout(onIdle, idleMs)
  }
}
