/**
 * What requests that came in one read of a socket read together: the settings, the actor, the repository of a directory. The first
 * request that needs it reads it, after all of them have come, so none sees a state from before it was sent.
 */
export class JointReads {
  readonly #known = new Map<string, Promise<unknown>>()

  /** Keeps neither a failure nor `undefined`: what was not there may be there by the time that the next request needs it. */
  async read<Value>(name: string, read: () => Promise<Value>): Promise<Value> {
    const known = this.#known.get(name)
    // The value of a name has one type.
    if (known !== undefined) return known.catch(read) as Promise<Value>
    const reading = read()
    this.#known.set(name, reading)
    const forget = () => this.#known.get(name) === reading && this.#known.delete(name)
    void reading.then((value) => value === undefined && forget(), forget)
    return reading
  }

  forget(): void {
    this.#known.clear()
  }
}
