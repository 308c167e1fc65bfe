/** Runs calls one after another, in the order in which they were made. A call that fails does not stop the next one. */
export class CallQueue {
  #last: Promise<unknown> = Promise.resolve()

  run<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#last.then(work)
    this.#last = result.catch(() => {})
    return result
  }

  /** Resolves when every call made so far has ended. */
  async idle(): Promise<void> {
    await this.#last
  }
}
