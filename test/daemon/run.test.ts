/** Command lines over the socket: streams, cancelling, and what a client hears at the end. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { runServedLine } from '../../src/cli/served-line.ts'
import type { Line } from '../../src/daemon/index.ts'
import { ask, partBytesMax, tell } from '../../src/ipc/index.ts'
import { startFakeDaemon } from './fake-daemon.ts'

test('a line receives what the client has sent', async (t) => {
  let seen: Line | undefined
  const { client } = await startFakeDaemon(t, async (line) => {
    seen = line
    return { status: 0 }
  })
  const one = await client()
  const key = `1700000000000-${'0a'.repeat(16)}`
  one.send(ask.run, 1, key, ['list', 'ä'], '/tmp', { LANG: 'C' }, [true, false, true, 120, 40])
  await one.end(1)
  const terminal = { stdin: true, stdout: false, stderr: true, columns: 120, rows: 40 }
  assert.deepEqual(seen, { key, argv: ['list', 'ä'], cwd: '/tmp', env: { LANG: 'C' }, terminal })
})

test('frames come in order: accepted, the output as written, exit', async (t) => {
  const { client } = await startFakeDaemon(t, async (_line, { write }) => {
    await write('stdout', 'one ')
    await write('stderr', 'warning')
    await write('stdout', 'two')
    return { status: 4 }
  })
  const one = await client()
  one.run(1)
  await one.next(tell.exit, 1)
  assert.deepEqual(
    one.frames.map(([kind, , value]) => [kind, value instanceof Uint8Array ? Buffer.from(value).toString() : value]),
    [
      [tell.accepted, undefined],
      [tell.stdout, 'one '],
      [tell.stderr, 'warning'],
      [tell.stdout, 'two'],
    ],
  )
})

test('a character on the border of two parts arrives whole', async (t) => {
  const text = `x${'ä'.repeat(partBytesMax)}`
  const { client } = await startFakeDaemon(t, async (_line, { write }) => {
    await write('stdout', text)
    return { status: 0 }
  })
  const one = await client()
  one.run(1)
  await one.end(1)
  const parts = one.frames.filter(([kind]) => kind === tell.stdout).map(([, , value]) => value as Uint8Array)
  assert.ok(parts.every(({ length }) => length <= partBytesMax))
  assert.equal(Buffer.concat(parts).toString(), text)
})

test('a part of standard input is asked for only when the line reads', async (t) => {
  const { client } = await startFakeDaemon(t, async (_line, { stdin, write }) => {
    await write('stdout', 'before')
    let text = ''
    for await (const part of stdin()) text += Buffer.from(part).toString()
    await write('stdout', text)
    return { status: 0 }
  })
  const one = await client()
  one.run(1)
  await one.next(tell.stdout, 1)
  for (const part of ['ab', 'c', '']) {
    await one.next(tell.wantStdin, 1)
    one.send(ask.stdin, 1, Buffer.from(part))
  }
  assert.equal(Buffer.from((await one.next(tell.stdout, 1))[2] as Uint8Array).toString(), 'abc')
  assert.deepEqual(await one.end(1), [tell.exit, 1, 0])
})

for (const [title, isAsked, bytes] of [
  ['that was not asked for', false, Buffer.from('early')],
  ['longer than 1 MiB', true, Buffer.alloc(partBytesMax + 1)],
  ['that is no byte string', true, 'text'],
] as const) {
  test(`a part of standard input ${title} ends the connection`, async (t) => {
    const { client } = await startFakeDaemon(t, async (_line, { stdin, cancelled }) => {
      if (isAsked) for await (const _part of stdin());
      else await once(cancelled, 'abort')
      return { status: 0 }
    })
    const one = await client()
    one.run(1)
    await one.next(isAsked ? tell.wantStdin : tell.accepted, 1)
    one.send(ask.stdin, 1, bytes)
    assert.deepEqual((await one.next(tell.refused)).slice(0, 3), [tell.refused, 0, 'frame'])
  })
}

test('cancel aborts the line, which still says how it ended', async (t) => {
  const { client } = await startFakeDaemon(t, async (_line, { cancelled, write }) => {
    await once(cancelled, 'abort')
    await write('stderr', 'bye')
    return { status: 130 }
  })
  const one = await client()
  one.run(1)
  await one.next(tell.accepted, 1)
  one.send(ask.cancel, 1, 2)
  await one.next(tell.stderr, 1)
  assert.deepEqual(await one.end(1), [tell.exit, 1, 130])
})

test('cancel ends a line that waits for standard input', async (t) => {
  const { client } = await startFakeDaemon(t, async (_line, { stdin }) => {
    for await (const _part of stdin());
    return { status: 1 }
  })
  const one = await client()
  one.run(1)
  await one.next(tell.wantStdin, 1)
  one.send(ask.cancel, 1, 2)
  assert.deepEqual(await one.end(1), [tell.exit, 1, 1])
})

test('closed tells the line that nobody reads, and drops what it writes', async (t) => {
  const { client } = await startFakeDaemon(t, async (_line, { write, onUnread }) => {
    await new Promise<void>((resolve) => onUnread(resolve))
    const outcomes = [await write('stdout', 'lost'), await write('stderr', 'heard')]
    return { status: outcomes.join() === 'closed,written' ? 5 : 6 }
  })
  const one = await client()
  one.run(1)
  await one.next(tell.accepted, 1)
  one.send(ask.closed, 1, 1)
  assert.equal((await one.next(tell.stderr, 1))[1], 1)
  assert.deepEqual(await one.end(1), [tell.exit, 1, 5])
  assert.ok(!one.frames.some(([kind]) => kind === tell.stdout))
})

test('a connection that ends cancels its requests only', async (t) => {
  const ends: string[] = []
  const { client } = await startFakeDaemon(t, async ({ argv }, { cancelled }) => {
    await Promise.race([once(cancelled, 'abort'), sleep(100)])
    ends.push(`${argv[0]} ${cancelled.aborted ? 'cancelled' : 'done'}`)
    return { status: 0 }
  })
  const [one, other] = [await client(), await client()]
  one.run(1, { argv: ['one'] })
  other.run(1, { argv: ['other'] })
  await one.next(tell.accepted, 1)
  one.close()
  await other.end(1)
  assert.deepEqual(ends, ['one cancelled', 'other done'])
})

test('requests of one connection run at the same time', async (t) => {
  const waiting = new Map<string, () => void>()
  const { client } = await startFakeDaemon(t, async ({ argv }) => {
    await new Promise<void>((resolve) => waiting.set(argv[0] as string, resolve))
    return { status: Number(argv[0]) }
  })
  const one = await client()
  for (const id of [1, 2, 3]) one.run(id, { argv: [`${id}`] })
  await one.next(tell.accepted, 3)
  for (const id of [3, 1, 2]) {
    waiting.get(`${id}`)?.()
    assert.deepEqual(await one.end(id), [tell.exit, id, id])
  }
})

test('a line that is left to the client is refused with the reason', async (t) => {
  const { client } = await startFakeDaemon(t, async () => ({ refused: 'local' }))
  const one = await client()
  one.run(1)
  assert.deepEqual((await one.end(1)).slice(0, 3), [tell.refused, 1, 'local'])
})

test('the command line decides whether it serves a line before it accepts it', async () => {
  const seen: string[] = []
  const streams = { accept: () => seen.push('accept'), setEndless: () => seen.push('endless') }
  const line = { argv: ['sync'], cwd: '/', env: {}, key: null, terminal: noTerminal }
  assert.deepEqual(await runServedLine(line, streams as never, {} as never), { refused: 'local' })
  assert.deepEqual(seen, [])
})

const noTerminal = { stdin: false, stdout: false, stderr: false, columns: 0, rows: 0 }

test('a line that fails unexpectedly is not called undone', async (t) => {
  const { client, logged } = await startFakeDaemon(t, async (_line, { write }) => {
    await write('stdout', 'part')
    throw new Error('a defect')
  })
  const one = await client()
  one.run(1)
  const [kind, , text] = await one.end(1)
  assert.equal(kind, tell.failure)
  const { name, code, message } = JSON.parse(text as string)
  assert.deepEqual([name, code, message], ['InternalError', 'internal_error', 'a defect'])
  assert.ok(logged.includes('request failed'))
  one.send(ask.status, 2)
  assert.equal((await one.end(2))[0], tell.answer)
})

test('another HOME, TZ or git setting than that of the daemon is refused', async (t) => {
  const { client } = await startFakeDaemon(t, undefined, { env: { HOME: '/h', TZ: 'UTC', GIT_CONFIG_COUNT: '0' } })
  const one = await client()
  const same = { HOME: '/h', TZ: 'UTC', GIT_CONFIG_COUNT: '0' }
  const free = { GIT_EDITOR: 'vi', GIT_TRACE: '1', LANG: 'de', GIT_SSH_COMMAND: 'ssh' }
  const lines = [
    [same, tell.exit],
    [{ ...same, ...free }, tell.exit],
    [{ ...same, HOME: '/other' }, tell.refused],
    [{ ...same, TZ: 'Asia/Tokyo' }, tell.refused],
    [{ ...same, XDG_CONFIG_HOME: '' }, tell.refused],
    [{ HOME: '/h', TZ: 'UTC' }, tell.refused],
    [{ ...same, GIT_CONFIG_KEY_0: 'x' }, tell.refused],
    [{ ...same, GIT_QUARANTINE_PATH: '/q' }, tell.refused],
  ] as const
  for (const [index, [env, kind]] of lines.entries()) {
    one.run(index + 1, { env })
    const [found, , reason] = await one.end(index + 1)
    assert.equal(found, kind, JSON.stringify(env))
    if (found === tell.refused) assert.equal(reason, 'environment')
  }
})
