import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { allCommands } from '../../src/commands/index.ts'
import type { CommandSession } from '../../src/library/session.ts'
import { Calls, callsMax } from '../../src/mcp/calls.ts'
import { RepeatedCalls } from '../../src/mcp/repeated-calls.ts'
import { Subscriptions, subscriptionsMax } from '../../src/mcp/subscriptions.ts'
import { chooseCommands, describeTool } from '../../src/mcp/tools.ts'

const clock = { nowUnixMs: () => 1_700_000_000_000 }
const random = { bytes: (count: number) => new Uint8Array(count) }
const anySignal = new AbortController().signal

/** Calls that run until they are released. */
function openCalls(answer: unknown = {}) {
  let release = (): void => {}
  const released = new Promise<void>((resolve) => {
    release = resolve
  })
  const session = {
    async run() {
      await released
      return answer
    },
    async feed(_name: string, _input: object, _emit: unknown, signal: AbortSignal) {
      if (!signal.aborted) await once(signal, 'abort')
    },
  } as unknown as CommandSession
  const logged: (string | number)[] = []
  const calls = new Calls({ session: async () => session }, new RepeatedCalls({ clock, random }), (name) => {
    logged.push(name)
    return (status) => void logged.push(status)
  })
  return { calls, release, logged }
}

const [ready] = chooseCommands(allCommands, { names: ['ready'], isReadOnly: true })
assert.ok(ready !== undefined)
const tool = describeTool(ready, { command: 'ready', input: { properties: { limit: {} } }, data: {} })

test('a call beyond the limit of those that run is refused', async () => {
  const { calls, release } = openCalls()
  const call = (id: number) => calls.call({ id, tool, input: {}, signal: anySignal })
  const running = Array.from({ length: callsMax }, (_, id) => call(id))
  const { isError, content } = await call(callsMax)
  assert.equal(isError, true)
  assert.ok(content[0]?.type === 'text')
  assert.equal(JSON.parse(content[0].text).error.code, 'conflict')
  release()
  assert.deepEqual(
    (await Promise.all(running)).filter((result) => result.isError === true),
    [],
  )
  assert.notEqual((await call(callsMax + 1)).isError, true)
})

test('calls are logged by the name of their command, and by how they end', async () => {
  const { calls, release, logged } = openCalls()
  release()
  await calls.call({ id: 1, tool, input: {}, signal: anySignal })
  await calls.call({ id: 2, tool, input: { other: 'text' }, signal: anySignal })
  assert.deepEqual(logged, ['ready', 0, 'ready', 1])
})

test('a subscription beyond the limit is refused, and one that ends makes room', async () => {
  const { calls, release } = openCalls({ end_offset: 0 })
  release()
  const subscriptions = new Subscriptions({ calls, clock, warn: () => {}, notify: () => {} })
  const uri = (count: number) => `grite://stream/${count}`
  for (let count = 0; count < subscriptionsMax; count++) await subscriptions.subscribe(uri(count), anySignal)
  await subscriptions.subscribe(uri(0), anySignal)
  await assert.rejects(subscriptions.subscribe(uri(subscriptionsMax), anySignal), { code: 'conflict' })
  subscriptions.unsubscribe(uri(0))
  await subscriptions.subscribe(uri(subscriptionsMax), anySignal)
  await subscriptions.close()
})
