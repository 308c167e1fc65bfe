/** Iterates until the signal aborts, even while the source waits, such as a terminal for the next line. */
export async function* untilAborted<Item>(source: AsyncIterable<Item>, signal: AbortSignal): AsyncGenerator<Item> {
  const iterator = source[Symbol.asyncIterator]()
  const aborted = new Promise<undefined>((resolve) => {
    if (signal.aborted) resolve(undefined)
    else signal.addEventListener('abort', () => resolve(undefined), { once: true })
  })
  for (;;) {
    const next = await Promise.race([iterator.next(), aborted])
    if (next === undefined) {
      // A source that waits ends only with its process.
      void Promise.resolve(iterator.return?.()).catch(() => undefined)
      return
    }
    if (next.done === true) return
    yield next.value
  }
}
