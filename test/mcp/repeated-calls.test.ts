import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import { RepeatedCalls } from '../../src/mcp/repeated-calls.ts'
import { isRequestKey } from '../../src/model/index.ts'

let nowUnixMs = 1_700_000_000_000
let drawn = 0
let calls: RepeatedCalls

beforeEach(() => {
  calls = new RepeatedCalls({
    clock: { nowUnixMs: () => nowUnixMs },
    random: { bytes: (count) => new Uint8Array(count).fill(++drawn) },
  })
})

const minuteMs = 60_000

let lastId = 0

const keys = new Set<string>()

/** The key that a call gets. */
async function keyOf(input: Readonly<Record<string, unknown>>, { isCancelled = false, name = 'issue comment' } = {}) {
  const id = ++lastId
  const { key, isRepeated } = await calls.run(id, name, input, async (request) => request)
  assert.equal(isRepeated, keys.has(key))
  keys.add(key)
  if (isCancelled) calls.cancel(id)
  return key
}

test('each call has a key of its own', async () => {
  const [first, second] = [await keyOf({ body: 'a' }), await keyOf({ body: 'a' })]
  assert.ok(isRequestKey(first))
  assert.notEqual(first, second)
})

test('the same call after a cancelled one has its key, whatever the order of its members', async () => {
  const cancelled = await keyOf({ issue: '1', body: 'a' }, { isCancelled: true })
  assert.equal(await keyOf({ body: 'a', issue: '1' }), cancelled)
  assert.notEqual(await keyOf({ body: 'a', issue: '1' }), cancelled)
})

test('another call after a cancelled one has another key', async () => {
  const cancelled = await keyOf({ body: 'a' }, { isCancelled: true })
  assert.notEqual(await keyOf({ body: 'b' }), cancelled)
  assert.notEqual(await keyOf({ body: 'a' }, { name: 'issue create' }), cancelled)
})

test('a cancelled call is forgotten after ten minutes', async () => {
  const cancelled = await keyOf({ body: 'a' }, { isCancelled: true })
  nowUnixMs += 11 * minuteMs
  assert.notEqual(await keyOf({ body: 'a' }), cancelled)
})

test('cancelling a call that is not known changes nothing', async () => {
  const first = await keyOf({ body: 'a' })
  calls.cancel('other')
  assert.notEqual(await keyOf({ body: 'a' }), first)
})

test('a repeated call that is cancelled while it waits has the key for the next one', async () => {
  let finish = (): void => {}
  const started = (id: string) =>
    calls.run(id, 'sync', {}, async ({ key }) => {
      await new Promise<void>((resolve) => {
        finish = resolve
      })
      return key
    })
  const first = started('a')
  calls.cancel('a')
  const second = started('b')
  calls.cancel('b')
  finish()
  const key = await first
  await new Promise(setImmediate)
  finish()
  assert.equal(await second, key)
  assert.equal(await calls.run('c', 'sync', {}, async (request) => request.key), key)
})

test('a repeated call waits for the end of the cancelled one', async () => {
  const order: string[] = []
  let finish = (): void => {}
  const first = calls.run('a', 'sync', {}, async () => {
    await new Promise<void>((resolve) => {
      finish = resolve
    })
    order.push('first')
  })
  calls.cancel('a')
  const second = calls.run('b', 'sync', {}, async () => void order.push('second'))
  await new Promise(setImmediate)
  finish()
  await Promise.all([first, second])
  assert.deepEqual(order, ['first', 'second'])
})
