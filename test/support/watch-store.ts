import type { Store } from '../../src/view/store.ts'

/** One change of a batch. */
export type StoreOperation =
  | { readonly type: 'put'; readonly key: Buffer; readonly value: Buffer }
  | { readonly type: 'del'; readonly key: Buffer }

/** Writes changes as one batch. */
export function writeBatch(store: Store, operations: readonly StoreOperation[]): Promise<void> {
  const batch = store.startBatch()
  for (const operation of operations) {
    if (operation.type === 'put') batch.put(operation.key, operation.value)
    else batch.del(operation.key)
  }
  return batch.write()
}

export interface StoreWatch {
  /** Atomic batches with their operations. */
  readonly batches: (readonly StoreOperation[])[]
  /** Keys written or deleted outside a batch, as latin1. */
  readonly single: string[]
  /** Keys read by name, as latin1. */
  readonly read: string[]
  /** Start keys of scans, as latin1. */
  readonly scans: string[]
}

type AnyMethod = (...args: readonly unknown[]) => unknown

/** Records the operations on a store from now on. */
export function watchStore(store: Store): StoreWatch {
  const watch = { batches: [], single: [], read: [], scans: [] } as {
    [Key in keyof StoreWatch]: StoreWatch[Key][number][]
  }
  const before = (name: keyof Store, note: (first: never) => void) => {
    const method = store[name] as AnyMethod
    Object.defineProperty(store, name, {
      value: (...args: readonly unknown[]) => {
        note(args[0] as never)
        return method.apply(store, [...args])
      },
    })
  }
  const nameOf = (key: Buffer) => key.toString('latin1')
  const { startBatch } = store
  store.startBatch = () => {
    const batch = startBatch.call(store)
    const operations: StoreOperation[] = []
    return {
      put(key, value) {
        operations.push({ type: 'put', key: Buffer.from(key), value: Buffer.from(value) })
        batch.put(key, value)
      },
      del(key) {
        operations.push({ type: 'del', key: Buffer.from(key) })
        batch.del(key)
      },
      write() {
        watch.batches.push(operations)
        return batch.write()
      },
    }
  }
  for (const name of ['put', 'del'] as const) before(name, (key: Buffer) => void watch.single.push(nameOf(key)))
  before('get', (key: Buffer) => void watch.read.push(nameOf(key)))
  before('getMany', (keys: Buffer[]) => void watch.read.push(...keys.map(nameOf)))
  for (const name of ['keys', 'values', 'texts', 'iterator'] as const) {
    before(name, (range?: { gte?: Buffer; gt?: Buffer }) => {
      watch.scans.push(nameOf(range?.gte ?? range?.gt ?? Buffer.alloc(0)))
    })
  }
  before('firstKeys', (ranges: readonly { gte: Buffer }[]) => {
    watch.scans.push(...ranges.map(({ gte }) => nameOf(gte)))
  })
  return watch
}
