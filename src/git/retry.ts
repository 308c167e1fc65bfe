/** Trying again after a lost race, or while something is in the way: with bounds, pauses, and a way to cancel. */
import { setTimeout as sleep } from 'node:timers/promises'

export interface RetryOptions {
  /** The first pause. Milliseconds; 0 tries again at once. */
  readonly firstMs: number
  /** The longest pause; default the first. Milliseconds. */
  readonly maxMs?: number
  /** How much longer each pause is than the one before; default 2. */
  readonly factor?: number
  /** A number from 0 up to, not including, 1, so that those who wait do not all come back at once. */
  readonly jitter: () => number
  /** Tries in all, the first one included. */
  readonly triesMax?: number
  /** How long to go on, from when the retry was made. Milliseconds. */
  readonly forMs?: number
  /** Milliseconds of any clock; what `forMs` is measured by. */
  readonly nowMs: () => number
  /** Ends a pause: it is rejected with the signal's reason. */
  readonly signal?: AbortSignal | undefined
}

/** Pauses that grow from the first to the longest, each between half and one and a half of that. Milliseconds. */
export function* pausesOf({
  firstMs,
  maxMs = firstMs,
  factor = 2,
  jitter,
}: Pick<RetryOptions, 'firstMs' | 'maxMs' | 'factor' | 'jitter'>): Generator<number, never> {
  for (let pauseMs = firstMs; ; pauseMs = Math.min(pauseMs * factor, maxMs)) yield pauseMs * (0.5 + jitter())
}

/** Counts tries, and pauses before the next. */
export class Retry {
  readonly #options: RetryOptions
  readonly #startedAt: number
  readonly #pauses: Generator<number, never>
  #tries = 1

  constructor(options: RetryOptions) {
    this.#options = options
    this.#startedAt = options.nowMs()
    this.#pauses = pausesOf(options)
  }

  /** Tries so far, the one under way included. */
  get tries(): number {
    return this.#tries
  }

  get elapsedMs(): number {
    return this.#options.nowMs() - this.#startedAt
  }

  /**
   * Pauses before another try. False, without a pause, once tries or time are used up.
   * @throws the signal's reason when it is aborted
   */
  async again(): Promise<boolean> {
    const { triesMax, forMs, signal } = this.#options
    signal?.throwIfAborted()
    if (triesMax !== undefined && this.#tries >= triesMax) return false
    const leftMs = forMs === undefined ? Number.POSITIVE_INFINITY : forMs - this.elapsedMs
    if (leftMs <= 0) return false
    this.#tries += 1
    const pauseMs = Math.min(this.#pauses.next().value, leftMs + 1)
    if (pauseMs > 0) await sleep(pauseMs, undefined, signal === undefined ? {} : { signal }).catch(rethrowReason)
    return true
  }
}

/** An aborted timer wraps the signal's reason. */
function rethrowReason(error: unknown): never {
  throw (error as Error).name === 'AbortError' ? ((error as Error).cause ?? error) : error
}

/** Rounds in a row that lose a race which nobody wins: then it is no race. A lock on a remote's ref is freed sooner. */
export const unmovedRoundsMax = 6

/** Tells rounds in which something moved from those in which nothing did. */
export class Standstill {
  #last: string | null | undefined
  #unmoved = 0

  /** @returns whether this round saw what the rounds before it saw, so often that nothing is moving */
  see(what: string | null): boolean {
    this.#unmoved = what === this.#last ? this.#unmoved + 1 : 0
    this.#last = what
    return this.#unmoved + 1 >= unmovedRoundsMax
  }
}
