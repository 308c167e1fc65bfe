/** Ends an idle daemon: counts what is unfinished and calls back when nothing was for long enough. */
export class Activity {
  readonly #idleMs: number
  readonly #onIdle: () => void
  #count = 0
  #timer: NodeJS.Timeout | undefined

  /** @param idleMs - 0 for never */
  constructor(idleMs: number, onIdle: () => void) {
    this.#idleMs = idleMs
    this.#onIdle = onIdle
    this.#wait()
  }

  /** Unfinished requests. */
  get count(): number {
    return this.#count
  }

  begin(): void {
    this.#count += 1
    clearTimeout(this.#timer)
  }

  end(): void {
    this.#count -= 1
    if (this.#count === 0) this.#wait()
  }

  stop(): void {
    clearTimeout(this.#timer)
  }

  #wait(): void {
    clearTimeout(this.#timer)
    if (this.#idleMs > 0) this.#timer = setTimeout(() => this.#count === 0 && this.#onIdle(), this.#idleMs)
  }
}
