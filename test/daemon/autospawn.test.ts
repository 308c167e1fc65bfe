/** When a command starts a daemon for the next ones, and when not. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createDaemonSandbox } from './daemon-process.ts'
import { daemonsBelow } from './end-daemons.ts'

test('the first command works by itself and starts a daemon, which serves the second', async (t) => {
  const place = createDaemonSandbox(t)
  const first = place.create('First')
  assert.ok(place.isStarting() || place.endpoint() !== undefined)
  const { pid } = await place.started()
  const served = await place.countServed(() => {
    assert.deepEqual(
      place.data('list').issues.map(({ issue_id }: { issue_id: string }) => issue_id),
      [first],
    )
  })
  assert.equal(served, 1)
  assert.deepEqual(daemonsBelow(place.dir), [pid])
  assert.equal(place.isStarting(), false)
})

test('of twenty commands at once one starts the daemon', async (t) => {
  const place = createDaemonSandbox(t)
  place.griteWith({ env: { GRITE_NO_DAEMON: '1' } }, 'new', '--title=One')
  const children = Array.from({ length: 20 }, () => place.start('list', '--json'))
  const ends = await Promise.all(children.map((child) => once(child, 'close')))
  assert.deepEqual(ends, Array(20).fill([0, null]))
  const { pid } = await place.started()
  await sleep(100)
  assert.deepEqual(daemonsBelow(place.dir), [pid])
})

test('no daemon is started where none is wanted', (t) => {
  const place = createDaemonSandbox(t)
  assert.equal(place.grite('list').status, 0)
  assert.ok(!place.isStarting(), 'in a repository without an actor')
  place.griteWith({ env: { GRITE_NO_DAEMON: '1' } }, 'new', '--title=One')
  const lines: readonly [Record<string, string>, ...string[]][] = [
    [{ CI: 'true' }],
    [{ GRITE_NO_DAEMON: '1' }],
    [{}, '--no-daemon'],
    [{ GIT_DIR: join(place.path, '.git') }],
    [{ GIT_INDEX_FILE: join(place.path, '.git/index') }],
  ]
  for (const [env, ...words] of lines) {
    const { status, stdout } = place.griteWith({ env }, 'list', ...words)
    assert.equal(status, 0)
    assert.match(stdout, /One/)
    assert.ok(!place.isStarting(), JSON.stringify([env, words]))
  }
  assert.notEqual(place.grite('list', '--wrong').status, 0)
  assert.ok(!place.isStarting(), 'after a failure')
  place.griteWith({ env: { GRITE_NO_DAEMON: '1' } }, 'config', 'set', 'daemon.autospawn', 'false')
  assert.equal(place.grite('list').status, 0)
  assert.ok(!place.isStarting(), 'daemon.autospawn = false')
  assert.equal(place.endpoint(), undefined)
})

test('a hook uses no daemon', async (t) => {
  const place = createDaemonSandbox(t)
  place.create('One')
  await place.started()
  writeFileSync(join(place.path, 'seen'), '')
  const hook = join(place.path, '.git/hooks')
  place.git(place.path, 'config', 'core.hooksPath', hook)
  const served = await place.countServed(() => {
    const { status, stderr } = place.griteWith(
      { env: { GIT_DIR: '.git', GIT_INDEX_FILE: '.git/index' } },
      'new',
      '--title=Two',
    )
    assert.equal(status, 0, stderr)
  })
  assert.equal(served, 0)
  assert.equal(place.data('list').total, 2)
})

test('no daemon is started in a bare repository, where no command looks for one', async (t) => {
  const place = createDaemonSandbox(t, '--bare')
  place.create('One')
  assert.deepEqual(
    readdirSync(join(place.path, 'grite')).filter((name) => name.startsWith('endpoint')),
    [],
  )
})
