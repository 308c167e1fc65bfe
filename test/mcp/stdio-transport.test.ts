import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js'
import { messageBytesMax, StdioTransport } from '../../src/mcp/stdio-transport.ts'

async function receive(...chunks: readonly (string | Uint8Array)[]) {
  const messages: JSONRPCMessage[] = []
  const errors: string[] = []
  const transport = new StdioTransport({
    async *chunks() {
      for (const chunk of chunks) yield Buffer.from(chunk)
    },
    write: async () => {},
  })
  transport.onmessage = (message) => messages.push(message)
  transport.onerror = ({ message }) => errors.push(message)
  await new Promise<void>((resolve) => {
    transport.onclose = resolve
    void transport.start()
  })
  return { messages, errors }
}

const ping = { jsonrpc: '2.0', id: 1, method: 'ping' } as const

test('messages are lines, however they are cut into chunks', async () => {
  const text = `${JSON.stringify(ping)}\r\n\n${JSON.stringify({ ...ping, id: 2 })}\n`
  for (const size of [1, 7, text.length]) {
    const chunks = Array.from({ length: Math.ceil(text.length / size) }, (_, at) =>
      text.slice(at * size, (at + 1) * size),
    )
    assert.deepEqual(await receive(...chunks), { messages: [ping, { ...ping, id: 2 }], errors: [] })
  }
})

for (const [what, line, reason] of [
  ['no JSON', '{"jsonrpc"', /not JSON/],
  ['no message', '{"id":1}', /not JSON-RPC/],
  ['a nested bomb', `${'['.repeat(1000)}${']'.repeat(1000)}`, /nested deeper/],
  ['no UTF-8', Buffer.from([0xff, 0xfe]), /not JSON/],
] as const) {
  test(`a line that is ${what} is reported, and the next one is read`, async () => {
    const { messages, errors } = await receive(line, `\n${JSON.stringify(ping)}\n`)
    assert.deepEqual(messages, [ping])
    assert.equal(errors.length, 1)
    assert.match(errors[0] ?? '', reason)
  })
}

test('an endless line ends the connection', async () => {
  const part = 'x'.repeat(messageBytesMax / 4)
  const { messages, errors } = await receive(part, part, part, part, 'x', `\n${JSON.stringify(ping)}\n`)
  assert.deepEqual(messages, [])
  assert.deepEqual(errors, [`a message is longer than ${messageBytesMax} bytes`])
})

test('a closed output closes the connection', async () => {
  const transport = new StdioTransport({
    async *chunks() {
      await new Promise(() => {})
    },
    write: () => Promise.reject(new Error('closed')),
  })
  const closed = new Promise<void>((resolve) => {
    transport.onclose = resolve
  })
  await transport.start()
  await assert.rejects(transport.send(ping))
  await closed
})
