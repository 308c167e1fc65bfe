/** What a peer can send or leave undone, and what it costs the daemon. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  ask,
  encodeFrame,
  frameBytesMax,
  partBytesMax,
  protocolVersion,
  requestsMax,
  tell,
} from '../../src/ipc/index.ts'
import { startFakeDaemon } from './fake-daemon.ts'

const nothing = new Uint8Array()
const hello = encodeFrame([ask.hello, protocolVersion, '', [], nothing])

function bytesOf(hex: string): Buffer {
  return Buffer.from(hex.replaceAll(' ', ''), 'hex')
}

for (const [title, bytes] of [
  ['garbage', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
  ['a frame above 16 MiB', bytesOf('01000001')],
  ['an empty frame', bytesOf('00000000')],
  ['a frame that is no array', bytesOf('00000001 01')],
  ['a frame of indefinite length', bytesOf('00000003 9f01ff')],
  ['a frame with a number that is not the shortest', bytesOf('00000003 811801')],
  ['a frame that ends early', bytesOf('00000002 8201')],
  ['a frame nested beyond the limit', bytesOf(`00000014 ${'81'.repeat(19)}01`)],
  ['an array that claims 2^32 elements', bytesOf('00000009 9b0000000100000000')],
  ['a text that is not UTF-8', bytesOf('00000005 820261ff00')],
  ['a request without an id', encodeFrame([ask.status])],
  ['the request id 0', encodeFrame([ask.status, 0])],
  ['a request id above 2^32 - 1', encodeFrame([ask.status, 2 ** 32])],
  ['a request id that is no integer', encodeFrame([ask.status, 1.5])],
] as const) {
  test(`${title} ends only the connection that sent it`, async (t) => {
    const { connect, client } = await startFakeDaemon(t)
    const other = await client()
    for (const before of [nothing, hello]) {
      const one = await connect()
      one.sendBytes(Buffer.concat([before, bytes]))
      assert.deepEqual((await one.next(tell.refused)).slice(0, 3), [tell.refused, 0, 'frame'])
      await once(one.socket, 'end')
      one.socket.end()
      await one.closed
    }
    other.run(1)
    assert.deepEqual(await other.end(1), [tell.exit, 1, 0])
  })
}

test('a frame of 16 MiB is read', async (t) => {
  const length = frameBytesMax - 100
  const { client } = await startFakeDaemon(t, async ({ argv }) => ({ status: argv[0]?.length === length ? 1 : 2 }))
  const one = await client()
  one.run(1, { argv: ['x'.repeat(length)] })
  assert.deepEqual(await one.end(1), [tell.exit, 1, 1])
})

test('a connection without hello is closed after a while', async (t) => {
  const { connect } = await startFakeDaemon(t, undefined, { limits: { helloMs: 50 } })
  const silent = await connect()
  silent.socket.on('end', () => silent.socket.end())
  await silent.closed
  const slow = await connect()
  slow.socket.on('end', () => slow.socket.end())
  slow.sendBytes(hello.subarray(0, 5))
  await slow.closed
})

test('a frame that does not become whole in time closes the connection', async (t) => {
  const { client } = await startFakeDaemon(t, undefined, { limits: { frameMs: 60 } })
  const one = await client()
  const frame = encodeFrame([ask.status, 1])
  let sent = 0
  const drip = setInterval(() => sent < frame.length - 1 && one.sendBytes(frame.subarray(sent, ++sent)), 20)
  t.after(() => clearInterval(drip))
  await one.closed
})

test('the time of a frame begins with that frame', async (t) => {
  const { client } = await startFakeDaemon(t, undefined, { limits: { helloMs: 300, frameMs: 300 } })
  const one = await client()
  const frames = Array.from({ length: 12 }, (_, index) => encodeFrame([ask.status, index + 1]))
  // Each write ends inside a frame.
  const bytes = Buffer.concat(frames)
  const cut = (frames[0] as Buffer).length - 2
  for (let start = 0; start < bytes.length; start += cut) {
    one.sendBytes(bytes.subarray(start, start + cut))
    await sleep(50)
  }
  assert.equal((await one.end(frames.length))[0], tell.answer)
})

test('a client that closes its sending half is disconnected, and its requests are cancelled', async (t) => {
  let isCancelled = false
  const { client } = await startFakeDaemon(t, async (_line, { cancelled }) => {
    await once(cancelled, 'abort')
    isCancelled = true
    return { status: 1 }
  })
  const one = await client()
  one.run(1)
  await one.next(tell.accepted, 1)
  one.socket.end()
  await one.closed
  await sleep(1)
  assert.ok(isCancelled)
})

test('a client that dies in the middle of a frame leaves nothing behind', async (t) => {
  const { client } = await startFakeDaemon(t)
  const one = await client()
  one.sendBytes(encodeFrame([ask.status, 1]).subarray(0, 5))
  one.close()
  const other = await client()
  await sleep(20)
  other.send(ask.status, 1)
  const [, , status] = await other.end(1)
  assert.equal((status as { connections: number }).connections, 1)
})

test('the 257th unfinished request is refused, and a place is free when one ends', async (t) => {
  const waiting: (() => void)[] = []
  const { client } = await startFakeDaemon(t, async () => {
    await new Promise<void>((resolve) => waiting.push(resolve))
    return { status: 0 }
  })
  const one = await client()
  for (let id = 1; id <= requestsMax + 1; id++) one.run(id)
  assert.deepEqual((await one.end(requestsMax + 1)).slice(0, 3), [tell.refused, requestsMax + 1, 'busy'])
  const other = await client()
  other.run(1)
  await other.next(tell.accepted, 1)
  waiting[0]?.()
  await one.end(1)
  one.run(requestsMax + 2)
  await one.next(tell.accepted, requestsMax + 2)
  for (const finish of waiting) finish()
})

test('an id that is in use ends the connection', async (t) => {
  const { client } = await startFakeDaemon(t, async (_line, { cancelled }) => {
    await once(cancelled, 'abort')
    return { status: 1 }
  })
  const one = await client()
  one.run(1)
  one.run(1)
  assert.deepEqual((await one.next(tell.refused)).slice(0, 3), [tell.refused, 0, 'frame'])
})

test('frames of a request that is over are ignored, and its id can be used again', async (t) => {
  const { client } = await startFakeDaemon(t)
  const one = await client()
  one.run(1)
  await one.end(1)
  one.send(ask.stdin, 1, Buffer.from('late'))
  one.send(ask.cancel, 1, 2)
  one.send(ask.closed, 1, 1)
  one.send(ask.credit, 1, 5)
  one.run(1)
  assert.deepEqual(await one.end(1), [tell.exit, 1, 0])
})

test('a kind that no request has is refused with the reason command', async (t) => {
  const { client } = await startFakeDaemon(t)
  const one = await client()
  one.send(99, 1)
  assert.deepEqual((await one.end(1)).slice(0, 3), [tell.refused, 1, 'command'])
})

for (const [title, frame] of [
  ['a key of another form', [ask.run, 1, 'key', [], '/', {}, [false, false, false, 0, 0]]],
  ['words that are no texts', [ask.run, 1, null, [1], '/', {}, [false, false, false, 0, 0]]],
  ['a relative directory', [ask.run, 1, null, [], 'here', {}, [false, false, false, 0, 0]]],
  ['an environment that is no map', [ask.run, 1, null, [], '/', [], [false, false, false, 0, 0]]],
  ['a variable that is no text', [ask.run, 1, null, [], '/', { A: 1 }, [false, false, false, 0, 0]]],
  ['no terminal', [ask.run, 1, null, [], '/', {}]],
  ['a terminal without a size', [ask.run, 1, null, [], '/', {}, [false, false, false]]],
] as const) {
  test(`a run with ${title} is refused, and the connection goes on`, async (t) => {
    const { client } = await startFakeDaemon(t, async () => assert.fail('it was run'))
    const one = await client()
    one.send(...frame)
    assert.equal((await one.end(1))[0], tell.refused)
    one.send(ask.status, 2)
    assert.equal((await one.end(2))[0], tell.answer)
  })
}

test('beyond the limit of connections a new one is closed', async (t) => {
  const { client, connect } = await startFakeDaemon(t, undefined, { limits: { connections: 2 } })
  const [one] = [await client(), await client()]
  const third = await connect()
  third.socket.on('end', () => third.socket.end())
  await third.closed
  one?.close()
  await sleep(20)
  const fourth = await client()
  fourth.run(1)
  assert.deepEqual(await fourth.end(1), [tell.exit, 1, 0])
})

test('output waits for a client that does not read, and memory does not grow', async (t) => {
  let written = 0
  const part = 'x'.repeat(partBytesMax)
  const { client } = await startFakeDaemon(t, async (_line, { write }) => {
    for (let count = 0; count < 40; count++) {
      if ((await write('stdout', part)) === 'closed') return { status: 1 }
      written += 1
    }
    return { status: 0 }
  })
  const one = await client()
  one.socket.pause()
  one.run(1)
  await sleep(150)
  assert.ok(written < 4, `${written} MiB were taken from the command`)
  one.socket.resume()
  assert.deepEqual(await one.end(1), [tell.exit, 1, 0])
  const bytes = one.frames.filter(([kind]) => kind === tell.stdout).map(([, , value]) => (value as Uint8Array).length)
  assert.equal(
    bytes.reduce((sum, count) => sum + count, 0),
    40 * partBytesMax,
  )
})

test('a client that takes no output for long is disconnected', async (t) => {
  let outcome: string | undefined
  const { client, logged } = await startFakeDaemon(
    t,
    async (_line, { write }) => {
      for (;;) {
        outcome = await write('stdout', 'x'.repeat(partBytesMax))
        if (outcome === 'closed') return { status: 1 }
      }
    },
    { limits: { unreadMs: 100 } },
  )
  const one = await client()
  one.socket.pause()
  one.run(1)
  while (outcome !== 'closed') await sleep(10)
  assert.ok(logged.includes('disconnected a client that takes no output'))
})

test('a client that asks without end and reads nothing stops being read', async (t) => {
  const { client } = await startFakeDaemon(t)
  const one = await client()
  one.socket.pause()
  const count = 20_000
  one.sendBytes(Buffer.concat(Array.from({ length: count }, (_, index) => encodeFrame([ask.status, index + 1]))))
  const other = await client()
  const countServed = async () => {
    other.send(ask.status, 1)
    const [, , status] = await other.end(1)
    return (status as { requests_total: number }).requests_total
  }
  let served = 0
  for (let before = -1; served - before > 1; await sleep(50)) [before, served] = [served, await countServed()]
  assert.ok(served < count / 2, `${served} questions were answered`)
  one.socket.resume()
  await one.next(tell.answer, served + 1)
})
