/** The library over the socket of a daemon, as a program would use it: from `dist/`. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type * as library from '../../src/library/index.ts'
import { judgeRepository, type RepositoryKind } from '../conformance/repository.ts'
import { judgeStreams } from '../conformance/repository-streams.ts'
import { createGriteSandbox, gritePath } from '../contract/grite-process.ts'
import { lastFirst } from '../support/last-first.ts'

const built: typeof library = await import(new URL('../../dist/library.mjs', import.meta.url).href)
const { connect, ConflictError, InvalidArgsError, IpcError, NotFoundError } = built

const kind: RepositoryKind = {
  name: 'connect',
  open: connect,
  errors: { ConflictError, InvalidArgsError, NotFoundError },
  end({ cwd, env }) {
    execFileSync(process.execPath, [gritePath, 'daemon', 'stop'], { cwd, env: { ...env } })
  },
}
judgeRepository(kind)
judgeStreams(kind)

test('connect starts a daemon, whose calls it runs', async (test) => {
  const t = lastFirst(test)
  const place = createGriteSandbox(t)
  t.after(() => void place.grite('daemon', 'stop'))
  const options = { cwd: place.path, env: place.environment }
  await assert.rejects(connect({ ...options, start: false }), IpcError)
  await using repo = await connect(options)
  for (let count = 0; count < 20; count++) await repo.issues.create({ title: `Issue ${count}` })
  const { running, requests_total } = place.data('daemon', 'status')
  assert.equal(running, true)
  assert.ok(requests_total >= 20, `${requests_total}`)
})

test('streams go on without their daemon, and with the next one', async (test) => {
  const t = lastFirst(test)
  const place = createGriteSandbox(t)
  t.after(() => void place.grite('daemon', 'stop'))
  await using repo = await connect({ cwd: place.path, env: place.environment })
  const stream = await repo.streams.create('s')
  const before = place.data('daemon', 'status').requests_total
  await stream.append('0')
  const seen: string[] = []
  for await (const { text } of stream.tail({ from: 0 })) {
    seen.push(text)
    if (text === '0') {
      // The append and the tail were served.
      assert.ok(place.data('daemon', 'status').requests_total >= before + 2)
      place.data('daemon', 'stop')
      // The end of the connection waits to be read.
      await nextTurn()
      await nextTurn()
      await stream.append('1')
    } else if (text === '1') {
      place.data('daemon', 'start')
      await stream.append('2')
    } else break
  }
  assert.deepEqual(seen, ['0', '1', '2'])
})

test('connect goes on without its daemon, and with the next one', async (test) => {
  const t = lastFirst(test)
  const place = createGriteSandbox(t)
  t.after(() => void place.grite('daemon', 'stop'))
  await using repo = await connect({ cwd: place.path, env: place.environment })
  await repo.issues.create({ title: 'One' })
  place.data('daemon', 'stop')
  await repo.issues.create({ title: 'Two' })
  place.data('daemon', 'start')
  await repo.issues.create({ title: 'Three' })
  assert.ok(place.data('daemon', 'status').requests_total >= 2)
  assert.equal((await repo.issues.list()).total, 3)
})
