import type { CommandSession, OpenStreams } from './session.ts'

/** How long calls share what was opened; then the actor and the settings are read again. */
const sharedMs = 1000
/** Calls that follow each other more slowly open again: what nobody uses is closed. */
const idleMs = 50

/** The record streams, open for calls that follow each other closely: opening them costs more than an append. */
export class SharedOpening {
  readonly #opened: ReturnType<CommandSession['openStreams']>
  readonly #openedAtMs = performance.now()
  #users = 0
  #isEnded = false
  #idle: NodeJS.Timeout | undefined

  constructor(opened: ReturnType<CommandSession['openStreams']>) {
    this.#opened = opened
    opened.catch(() => {
      this.#isEnded = true
    })
  }

  get isOver(): boolean {
    return this.#isEnded || performance.now() - this.#openedAtMs > sharedMs
  }

  async use<Result>(work: (open: OpenStreams) => Promise<Result>): Promise<Result> {
    this.#users++
    try {
      return await work(await this.#opened)
    } finally {
      this.#users--
      if (this.#isEnded) await this.#closeUnused()
      else if (this.#users === 0) this.#waitForCalls()
    }
  }

  #waitForCalls(): void {
    if (this.#idle !== undefined) {
      this.#idle.refresh()
      return
    }
    this.#idle = setTimeout(() => {
      if (this.#users === 0) void this.end()
    }, idleMs)
    this.#idle.unref()
  }

  /** Later calls open again; the last of the present ones closes it. */
  async end(): Promise<void> {
    if (this.#isEnded) return
    this.#isEnded = true
    clearTimeout(this.#idle)
    await this.#closeUnused()
  }

  async #closeUnused(): Promise<void> {
    if (this.#users > 0) return
    await (await this.#opened.catch(() => undefined))?.close()
  }
}
