/** Turns a feed, which emits items, into an async iterator. The feed runs only as fast as the iterator is read. */
export async function* iterateFeed<Item>(
  start: (emit: (item: unknown) => Promise<void>, signal: AbortSignal) => Promise<unknown>,
): AsyncGenerator<Item, void, undefined> {
  const stop = new AbortController()
  let wake = (): void => {}
  let next: { readonly item: Item; readonly taken: () => void } | undefined
  let end: { readonly error?: unknown } | undefined
  const emit = (item: unknown): Promise<void> =>
    new Promise((taken) => {
      // The feed emits items of this type.
      next = { item: item as Item, taken }
      wake()
      if (stop.signal.aborted) taken()
    })
  const running = start(emit, stop.signal).then(
    () => {
      end = {}
      wake()
    },
    (error: unknown) => {
      end = { error }
      wake()
    },
  )
  try {
    for (;;) {
      if (next !== undefined) {
        const { item, taken } = next
        next = undefined
        try {
          yield item
        } finally {
          taken()
        }
      } else if (end !== undefined) {
        if ('error' in end) throw end.error
        return
      } else {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    }
  } finally {
    stop.abort()
    next?.taken()
    await running
  }
}
