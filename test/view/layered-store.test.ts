import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { layeredStore } from '../../src/view/layered-store.ts'
import { openMemoryStore, type ScanOptions, type Store } from '../../src/view/store.ts'
import { type StoreOperation, writeBatch } from '../support/watch-store.ts'

const key = fc.uint8Array({ minLength: 1, maxLength: 2, max: 4 }).map((bytes) => Buffer.from(bytes))
const operation: fc.Arbitrary<StoreOperation> = fc.oneof(
  fc.record({ type: fc.constant('put' as const), key, value: key }),
  fc.record({ type: fc.constant('del' as const), key }),
)
const scanOptions: fc.Arbitrary<ScanOptions> = fc.record(
  { gte: key, lt: key, reverse: fc.boolean(), limit: fc.integer({ min: -1, max: 5 }) },
  { requiredKeys: [] },
)

describe('layered stores', () => {
  it('a layered store reads like one store with both writes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(operation, { maxLength: 12 }),
        fc.array(operation, { maxLength: 12 }),
        scanOptions,
        fc.array(key, { maxLength: 5 }),
        async (below, above, options, wanted) => {
          const [base, whole] = [await openMemoryStore(), await openMemoryStore()]
          await writeBatch(base, below)
          await writeBatch(whole, below)
          const layered = layeredStore(base)
          await writeBatch(layered, above)
          await writeBatch(whole, above)
          assert.deepEqual(await readAll(layered, options, wanted), await readAll(whole, options, wanted))
          for (const store of [base, whole]) await store.close()
        },
      ),
    )
  })

  it('a layered store never writes to its base', async () => {
    const base = await openMemoryStore()
    await base.put(Buffer.from('a'), Buffer.from('1'))
    const layered = layeredStore(base)
    await layered.put(Buffer.from('b'), Buffer.from('2'))
    await layered.del(Buffer.from('a'))
    assert.equal((await layered.keys().all()).join(), 'b')
    assert.equal((await base.keys().all()).join(), 'a')
    await layered.close()
    assert.equal(String(await base.get(Buffer.from('a'))), '1')
    await base.close()
  })

  it('an unfinished scan of a layered store can be closed', async () => {
    const base = await openMemoryStore()
    for (const name of ['a', 'b', 'c']) await base.put(Buffer.from(name), Buffer.from(name))
    const layered = layeredStore(base)
    await layered.put(Buffer.from('bb'), Buffer.from('bb'))
    for await (const name of layered.keys()) if (String(name) === 'b') break
    const scan = layered.iterator()
    assert.equal(String((await scan.next())?.[0]), 'a')
    await scan.close()
    assert.equal(await scan.next(), undefined)
    await base.close()
  })
})

describe('store snapshots', () => {
  it('a store snapshot keeps the state it was taken at', async () => {
    const store = await openMemoryStore()
    await store.put(Buffer.from('a'), Buffer.from('1'))
    const snapshot = store.snapshot()
    await writeBatch(store, [
      { type: 'put', key: Buffer.from('b'), value: Buffer.from('2') },
      { type: 'del', key: Buffer.from('a') },
    ])
    const wanted = [Buffer.from('a'), Buffer.from('b')]
    assert.deepEqual(await readAll(snapshot, {}, wanted), {
      keys: ['61'],
      values: ['31'],
      texts: ['1'],
      entries: [['61', '31']],
      each: ['31', undefined],
      many: ['31', undefined],
    })
    await snapshot.close()
    assert.equal(String(await store.get(Buffer.from('b'))), '2')
    await store.close()
  })

  it('a store snapshot refuses writes', async () => {
    const store = await openMemoryStore()
    const snapshot = store.snapshot()
    for (const write of [
      () => snapshot.put(Buffer.from('a'), Buffer.from('1')),
      () => snapshot.del(Buffer.from('a')),
      async () => snapshot.startBatch(),
    ]) {
      await assert.rejects(write, TypeError)
    }
    await snapshot.close()
    await store.close()
  })
})

async function readAll(store: Store, options: ScanOptions, wanted: readonly Buffer[]) {
  const hex = (bytes: Buffer | undefined) => bytes?.toString('hex')
  return {
    keys: (await store.keys(options).all()).map(hex),
    values: (await store.values(options).all()).map(hex),
    texts: await store.texts(options).all(),
    entries: (await store.iterator(options).all()).map((entry) => entry.map(hex)),
    each: (await Promise.all(wanted.map((one) => store.get(one)))).map(hex),
    many: (await store.getMany([...wanted])).map(hex),
  }
}
