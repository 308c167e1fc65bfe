import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { ask, buildId, encodeFrame, protocolVersion, tell } from '../../src/ipc/index.ts'
import { createSandbox } from '../git/temp-repository.ts'
import { startFakeDaemon } from './fake-daemon.ts'

const nothing = new Uint8Array()

test('hello is answered with version, build and pid', async (t) => {
  const { connect } = await startFakeDaemon(t)
  const client = await connect()
  client.send(ask.hello, protocolVersion, buildId, [], nothing)
  assert.deepEqual(await client.next(tell.hello), [tell.hello, protocolVersion, buildId, [], process.pid])
})

test('hello and a request in one write are served', async (t) => {
  const { connect } = await startFakeDaemon(t, async () => ({ status: 7 }))
  const client = await connect()
  const run = [ask.run, 1, null, [], '/', {}, [false, false, false, 0, 0]]
  client.sendBytes(Buffer.concat([encodeFrame([ask.hello, protocolVersion, buildId, [], nothing]), encodeFrame(run)]))
  assert.deepEqual(await client.end(1), [tell.exit, 1, 7])
})

test('elements after those of hello and of a request are ignored', async (t) => {
  const { connect } = await startFakeDaemon(t)
  const client = await connect()
  client.send(ask.hello, protocolVersion, '', [], nothing, 'more', { and: 1 })
  client.send(ask.status, 1, 'more')
  assert.equal((await client.end(1))[0], tell.answer)
})

test('frames of the kinds 192 to 255 are ignored', async (t) => {
  const { client } = await startFakeDaemon(t)
  const one = await client()
  one.send(192, 'any', 'thing')
  one.send(255, 5)
  one.send(ask.status, 1)
  assert.equal((await one.end(1))[0], tell.answer)
})

test('a client of an empty build is served', async (t) => {
  const { client } = await startFakeDaemon(t)
  const one = await client(protocolVersion, '')
  one.run(1)
  assert.deepEqual(await one.end(1), [tell.exit, 1, 0])
})

for (const [reason, version, build] of [
  ['version', protocolVersion - 1, ''],
  ['build', protocolVersion, 'another build'],
] as const) {
  test(`another ${reason} is refused all but status and stop, and the daemon goes on`, async (t) => {
    const { client, daemon } = await startFakeDaemon(t)
    const other = await client(version, build)
    other.run(1)
    assert.deepEqual((await other.end(1)).slice(0, 3), [tell.refused, 1, reason])
    other.send(ask.yield, 2, '/')
    assert.deepEqual((await other.end(2)).slice(0, 3), [tell.refused, 2, reason])
    other.send(ask.status, 3)
    assert.equal((await other.end(3))[0], tell.answer)
    const ours = await client()
    ours.run(1)
    assert.deepEqual(await ours.end(1), [tell.exit, 1, 0])
    other.send(ask.stop, 4)
    assert.deepEqual(await other.end(4), [tell.answer, 4, true])
    assert.equal(await daemon.ended, 'asked')
  })
}

test('a higher version is refused and ends the daemon, which finishes what runs', async (t) => {
  let finish = () => {}
  const running = new Promise<void>((resolve) => {
    finish = resolve
  })
  const { client, daemon } = await startFakeDaemon(t, async () => {
    await running
    return { status: 3 }
  })
  const ours = await client()
  ours.run(1)
  await ours.next(tell.accepted, 1)
  const newer = await client(protocolVersion + 1)
  newer.run(1)
  assert.deepEqual((await newer.end(1)).slice(0, 3), [tell.refused, 1, 'version'])
  ours.run(2)
  assert.deepEqual((await ours.end(2)).slice(0, 3), [tell.refused, 2, 'stopping'])
  finish()
  assert.deepEqual(await ours.end(1), [tell.exit, 1, 3])
  await daemon.ended
})

test('hello that is not one, late or said twice ends the connection with the reason frame', async (t) => {
  const { connect, client } = await startFakeDaemon(t)
  const wrong = [
    [ask.hello, 'one', buildId, [], nothing],
    [ask.hello, protocolVersion],
    [ask.status, 1],
  ]
  for (const frame of wrong) {
    const one = await connect()
    one.send(...frame)
    assert.deepEqual((await one.next(tell.refused)).slice(0, 3), [tell.refused, 0, 'frame'])
    one.socket.end()
    await one.closed
  }
  const twice = await client()
  twice.send(ask.hello, protocolVersion, buildId, [], nothing)
  assert.deepEqual((await twice.next(tell.refused)).slice(0, 3), [tell.refused, 0, 'frame'])
})

test('a client of another build ends a daemon whose program was replaced', async (t) => {
  const program = join(createSandbox(t).dir, 'grite.cjs')
  writeFileSync(program, 'one')
  const { client, connect, daemon } = await startFakeDaemon(t, undefined, { program })
  const early = await client(protocolVersion, 'another build')
  early.run(1)
  assert.deepEqual((await early.end(1)).slice(0, 3), [tell.refused, 1, 'build'])
  const ours = await client()
  ours.run(1)
  assert.deepEqual(await ours.end(1), [tell.exit, 1, 0])
  writeFileSync(program, 'another')
  const late = await connect()
  const run = [ask.run, 1, null, [], '/', {}, [false, false, false, 0, 0]]
  late.sendBytes(
    Buffer.concat([encodeFrame([ask.hello, protocolVersion, 'another build', [], nothing]), encodeFrame(run)]),
  )
  assert.deepEqual((await late.end(1)).slice(0, 3), [tell.refused, 1, 'build'])
  assert.equal(await daemon.ended, 'another build is installed')
})
