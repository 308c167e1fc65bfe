/** Answers that the daemon gives again while the repository stays as it is. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { LineOutcome, LineStreams } from '../../src/daemon/index.ts'
import { ask, tell } from '../../src/ipc/index.ts'
import { type FakeDaemon, startFakeDaemon } from './fake-daemon.ts'
import type { WireClient } from './wire-client.ts'

/** Makes the folders look as if nothing had changed for a while: of what has just changed, nothing is kept. */
function settle({ path }: FakeDaemon): void {
  for (const folder of ['refs/grite/locks', 'grite/actors']) {
    try {
      utimesSync(join(path, '.git', folder), 1000, 1000)
    } catch {
      // Not there.
    }
  }
}

async function answerTwice(
  t: Parameters<typeof startFakeDaemon>[0],
  run: (streams: LineStreams, count: number) => Promise<LineOutcome>,
  between: (place: FakeDaemon) => void = () => {},
) {
  let count = 0
  const place = await startFakeDaemon(t, async (_line, streams) => run(streams, ++count))
  settle(place)
  const client = await place.client()
  const ask = async (id: number) => {
    client.run(id, { argv: ['list'], cwd: place.path })
    const [, , status] = await client.end(id)
    const parts = client.frames.filter(([kind, of]) => kind === tell.stdout && of === id)
    return { status, text: Buffer.concat(parts.map(([, , bytes]) => bytes as Buffer)).toString() }
  }
  const first = await ask(1)
  between(place)
  return { first, second: await ask(2), runs: () => count }
}

const printing = (text: string, isRepeatable: boolean) => async (streams: LineStreams) => {
  await streams.write('stdout', text)
  return { status: 3, isRepeatable }
}

test('an answer is given again, with its status', async (t) => {
  const { first, second, runs } = await answerTwice(t, printing('one', true))
  assert.deepEqual([first, second, runs()], [{ status: 3, text: 'one' }, first, 1])
})

test('an answer of several parts is given again whole', async (t) => {
  const { first, second, runs } = await answerTwice(t, printing('0123456789abcdef'.repeat(200_000), true))
  assert.equal(first.text.length, 3_200_000)
  assert.ok(second.text === first.text)
  assert.equal(runs(), 1)
})

test('an answer that may change is not kept', async (t) => {
  assert.equal((await answerTwice(t, printing('one', false))).runs(), 2)
})

const disturbances = {
  'whose client cancels': (client: WireClient) => client.send(ask.cancel, 1),
  'whose client is gone': (client: WireClient) => client.close(),
  'that nobody reads to its end': (client: WireClient) => client.send(ask.closed, 1, 1),
}
for (const [which, disturb] of Object.entries(disturbances)) {
  test(`the answer of a line ${which} is not kept`, async (t) => {
    let count = 0
    const place = await startFakeDaemon(t, async (_line, streams) => {
      const ended = once(streams.cancelled, 'abort')
      const unread = new Promise<void>((resolve) => void streams.onUnread(resolve))
      await streams.write('stdout', 'begin')
      if (++count > 1) return { status: 0, isRepeatable: true }
      await Promise.race([ended, unread])
      await streams.write('stdout', ' end')
      return { status: 1, isRepeatable: true }
    })
    settle(place)
    const client = await place.client()
    client.run(1, { argv: ['list'], cwd: place.path })
    await client.next(tell.stdout, 1)
    disturb(client)
    await sleep(20)
    const other = await place.client()
    other.run(2, { argv: ['list'], cwd: place.path })
    assert.equal((await other.end(2))[2], 0)
    assert.equal(count, 2)
  })
}

test('an answer is made anew when a file changes on which it may depend', async (t) => {
  const { runs } = await answerTwice(t, printing('one', true), ({ path }) =>
    writeFileSync(join(path, '.git/packed-refs'), '# pack-refs with: peeled fully-peeled sorted\n'),
  )
  assert.equal(runs(), 2)
})
