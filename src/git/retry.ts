/** Retries after a lost race or while a resource is busy: with bounds, pauses, and cancellation. */
import { setTimeout as sleep } from 'node:timers/promises'

export interface RetryOptions {
  /** The first pause. Milliseconds; 0 retries at once. */
  readonly firstMs: number
  /** The longest pause; default the first. Milliseconds. */
  readonly maxMs?: number
  /** Growth factor of the pauses; default 2. */
  readonly factor?: number
  /** A random number from 0 up to, not including, 1, so that waiters do not all return at once. */
  readonly jitter: () => number
  /** Maximum number of tries, including the first. */
  readonly triesMax?: number
  /** How long to go on, from the creation of the retry. Milliseconds. */
  readonly forMs?: number
  /** Milliseconds of any clock; measures `forMs`. */
  readonly nowMs: () => number
  /** Aborts a pause: it rejects with the signal's reason. */
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

/** Counts tries and pauses between them. */
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

  /** Tries so far, including the current one. */
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

/**
 * After this many rounds that lose a race which nobody wins, it is no race. A lock on a remote's ref is released
 * sooner.
 */
export const unmovedRoundsMax = 6

/** Detects rounds in which nothing moves any more. */
export class Standstill {
  #last: string | null | undefined
  #unmoved = 0

  /** @returns whether this value was seen in so many consecutive rounds that nothing is moving */
  see(what: string | null): boolean {
    this.#unmoved = what === this.#last ? this.#unmoved + 1 : 0
    this.#last = what
    return this.#unmoved + 1 >= unmovedRoundsMax
  }
}
