/** The library over the socket of a daemon, as a program would use it: from `dist/`. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import type * as library from '../../src/library/index.ts'
import { judgeRepository } from '../conformance/repository.ts'
import { createGriteSandbox, gritePath } from '../contract/grite-process.ts'
import { lastFirst } from '../support/last-first.ts'

const built: typeof library = await import(new URL('../../dist/library.mjs', import.meta.url).href)
const { connect, ConflictError, InvalidArgsError, IpcError, NotFoundError } = built

judgeRepository({
  name: 'connect',
  open: connect,
  errors: { ConflictError, InvalidArgsError, NotFoundError },
  end({ cwd, env }) {
    execFileSync(process.execPath, [gritePath, 'daemon', 'stop'], { cwd, env: { ...env } })
  },
})

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
