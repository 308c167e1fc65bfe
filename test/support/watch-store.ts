import type { Store, StoreOperation } from '../../src/view/store.ts'

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
  before('batch', (operations: StoreOperation[]) => void watch.batches.push(operations))
  for (const name of ['put', 'del'] as const) before(name, (key: Buffer) => void watch.single.push(nameOf(key)))
  before('get', (key: Buffer) => void watch.read.push(nameOf(key)))
  before('getMany', (keys: Buffer[]) => void watch.read.push(...keys.map(nameOf)))
  for (const name of ['keys', 'values', 'texts', 'iterator'] as const) {
    before(name, (range?: { gte?: Buffer; gt?: Buffer }) => {
      watch.scans.push(nameOf(range?.gte ?? range?.gt ?? Buffer.alloc(0)))
    })
  }
  return watch
}
