/** Time without a request after which a daemon gives memory back. Milliseconds. */
const restMs = 1_000

/** Counts what is unfinished, and calls back when nothing was for a while, and for so long that the daemon ends. */
export class Activity {
  readonly #idleMs: number
  readonly #onIdle: () => void
  readonly #onRest: () => void
  #count = 0
  #timer: NodeJS.Timeout | undefined
  #restTimer: NodeJS.Timeout | undefined

  /** @param idleMs - 0 for never */
  constructor(idleMs: number, onIdle: () => void, onRest: () => void) {
    this.#idleMs = idleMs
    this.#onIdle = onIdle
    this.#onRest = onRest
    this.#wait()
  }

  /** Unfinished requests. */
  get count(): number {
    return this.#count
  }

  begin(): void {
    this.#count += 1
    clearTimeout(this.#timer)
    clearTimeout(this.#restTimer)
  }

  end(): void {
    this.#count -= 1
    if (this.#count > 0) return
    this.#wait()
    this.#restTimer = setTimeout(() => this.#count === 0 && this.#onRest(), restMs)
  }

  stop(): void {
    clearTimeout(this.#timer)
    clearTimeout(this.#restTimer)
  }

  #wait(): void {
    clearTimeout(this.#timer)
    if (this.#idleMs > 0) this.#timer = setTimeout(() => this.#count === 0 && this.#onIdle(), this.#idleMs)
  }
}
