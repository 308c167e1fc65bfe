import { type Scan, type ScanOptions, type Store, scanFirstKeys } from './store.ts'

/**
 * An in-memory layer of changes over a store: its writes shadow the base.
 *
 * Invariants
 * - The base is never written to, and not closed: it belongs to the caller, who must not change it meanwhile.
 * - A scan sees keys in byte order, each once, whichever layer holds it.
 */

type Entry = [key: Buffer, value: Buffer]

/** Opens an empty layer over a base. */
export function layeredStore(base: Store): Store {
  /** Values by key as Latin-1 text, whose order is that of the bytes. Null hides a key of the base. */
  const layer = new Map<string, Buffer | null>()
  let order: string[] | undefined

  /** A value of null deletes the key. */
  const write = (name: string, value: Buffer | null) => {
    if (!layer.has(name)) order = undefined
    layer.set(name, value)
  }
  const nameOf = (key: Buffer) => key.toString('latin1')
  const above = (key: Buffer) => (layer.size === 0 ? undefined : layer.get(key.toString('latin1')))

  async function get(key: Buffer): Promise<Buffer | undefined> {
    const value = above(key)
    return value === undefined ? base.get(key) : (value ?? undefined)
  }

  async function getMany(keys: Buffer[]): Promise<(Buffer | undefined)[]> {
    if (layer.size === 0) return base.getMany(keys)
    const found = keys.map(above)
    const missing = keys.filter((_, index) => found[index] === undefined)
    const below = missing.length === 0 ? [] : await base.getMany(missing)
    let next = 0
    return found.map((value) => (value === undefined ? below[next++] : (value ?? undefined)))
  }

  /** Names of the layer within a range, in scan order. */
  function namesWithin({ gte, lt, reverse = false }: ScanOptions): string[] {
    order ??= [...layer.keys()].sort()
    const [first, end] = [gte?.toString('latin1'), lt?.toString('latin1')]
    const names = order.filter((name) => (first === undefined || name >= first) && (end === undefined || name < end))
    return reverse ? names.reverse() : names
  }

  async function* entries(options: ScanOptions): AsyncGenerator<Entry> {
    const { limit = -1, reverse = false, ...range } = options
    const names = namesWithin(options)
    const sign = reverse ? -1 : 1
    const below = base.iterator({ ...range, reverse })
    let count = 0
    try {
      let index = 0
      let lower = await below.next()
      while (limit < 0 || count < limit) {
        const name = names[index]
        if (name === undefined && lower === undefined) return
        const lowerName = lower?.[0].toString('latin1')
        const isAbove = lowerName === undefined || (name !== undefined && sign * compareNames(name, lowerName) <= 0)
        if (!isAbove) {
          count += 1
          yield lower as Entry
          lower = await below.next()
          continue
        }
        index += 1
        if (name === lowerName) lower = await below.next()
        const value = layer.get(name as string)
        if (!value) continue
        count += 1
        yield [Buffer.from(name as string, 'latin1'), value]
      }
    } finally {
      await below.close()
    }
  }

  const scan = <Item>(options: ScanOptions, pick: (entry: Entry) => Item): Scan<Item> => toScan(entries(options), pick)

  const store: Store = {
    isOnDisk: false,
    get,
    getMany,
    keys: (options = {}) => (layer.size === 0 ? base.keys(options) : scan(options, ([key]) => key)),
    firstKeys: (ranges, limit) =>
      layer.size === 0 ? base.firstKeys(ranges, limit) : scanFirstKeys(store, ranges, limit),
    values: (options = {}) => (layer.size === 0 ? base.values(options) : scan(options, ([, value]) => value)),
    texts: (options = {}) => (layer.size === 0 ? base.texts(options) : scan(options, ([, value]) => value.toString())),
    iterator: (options = {}) => (layer.size === 0 ? base.iterator(options) : scan(options, (entry) => entry)),
    startBatch() {
      const changes: (readonly [name: string, value: Buffer | null])[] = []
      return {
        put: (key, value) => void changes.push([nameOf(key), Buffer.from(value)]),
        del: (key) => void changes.push([nameOf(key), null]),
        async write() {
          for (const [name, value] of changes) write(name, value)
        },
      }
    },
    compactLog: async () => {},
    put: async (key, value) => write(nameOf(key), value),
    del: async (key) => write(nameOf(key), null),
    snapshot() {
      throw new TypeError('a layered store has no snapshots')
    },
    close: async () => {},
  }
  return store
}

function compareNames(left: string, right: string): number {
  return left === right ? 0 : left < right ? -1 : 1
}

function toScan<Item>(source: AsyncGenerator<Entry>, pick: (entry: Entry) => Item): Scan<Item> {
  return {
    async next() {
      const { done, value } = await source.next()
      return done ? undefined : pick(value)
    },
    async all() {
      const items: Item[] = []
      for await (const entry of source) items.push(pick(entry))
      return items
    },
    async close() {
      await source.return(undefined)
    },
    async *[Symbol.asyncIterator]() {
      for await (const entry of source) yield pick(entry)
    },
  }
}
