import type { Scan } from './store.ts'

/** An iterator of LevelDB, or of a store in memory. */
export interface StepSource<Item> {
  /** At most so many of the next items; none at the end. */
  nextv(count: number): Promise<Item[]>
  close(): Promise<void>
}

/**
 * Items of the steps of a scan. For each step the binding of LevelDB allocates 64 bytes an item, and keeps the largest such block until V8
 * collects the iterator, whose size V8 does not know. With its own steps of 1,000 items, a process that answers many small reads kept tens of MiB.
 */
const firstStepItems = 32
const stepItemsMax = 1_000
const stepGrowth = 4

/** Reads small ranges in one small step, and long ones in few. @param isLong - whether the range is known to be long */
export function scanInSteps<Item>(source: StepSource<Item>, isLong: boolean): Scan<Item> {
  let count = isLong ? stepItemsMax : firstStepItems
  let step: readonly Item[] = []
  let position = 0

  async function read(): Promise<Item[]> {
    const items = await source.nextv(count)
    count = Math.min(count * stepGrowth, stepItemsMax)
    return items
  }

  async function next(): Promise<Item | undefined> {
    if (position >= step.length) {
      step = await read()
      position = 0
    }
    return step[position++]
  }

  return {
    next,
    async all() {
      const items = step.slice(position)
      try {
        for (let more = await read(); more.length > 0; more = await read()) items.push(...more)
        return items
      } finally {
        await source.close()
      }
    },
    close: () => source.close(),
    async *[Symbol.asyncIterator]() {
      try {
        for (let item = await next(); item !== undefined; item = await next()) yield item
      } finally {
        await source.close()
      }
    },
  }
}
