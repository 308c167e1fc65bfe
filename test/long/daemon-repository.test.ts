/** What others do to a repository while its daemon runs. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { cpSync, existsSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createDaemonSandbox, type DaemonSandbox, daemonsIn, isAlive } from '../daemon/daemon-process.ts'
import { startDaemonChild } from '../support/start-daemon-child.ts'

const local = { env: { GRITE_NO_DAEMON: '1' } }

function titlesOf(place: DaemonSandbox): string[] {
  return place
    .data('list')
    .issues.map(({ title }: { title: string }) => title)
    .sort()
}

async function endOf(pid: number): Promise<void> {
  for (let round = 0; isAlive(pid); round++) {
    assert.ok(round < 400, 'the daemon goes on')
    await sleep(20)
  }
}

it('gc, repack, prune and packed refs under a daemon change nothing', async (t) => {
  const place = createDaemonSandbox(t)
  place.git(place.path, 'commit', '-q', '--allow-empty', '-m', 'first')
  place.griteWith(local, 'new', '--title=0')
  place.startDaemon()
  const lines = [
    ['gc', '-q'],
    ['repack', '-a', '-d', '-q'],
    ['pack-refs', '--all', '--prune'],
    ['gc', '-q', '--aggressive'],
    ['prune', '--expire=2.weeks.ago'],
    ['reflog', 'expire', '--all', '--expire=now'],
    ['repack', '-a', '-d', '-q', '-f', '--write-bitmap-index'],
    ['commit-graph', 'write', '--reachable'],
  ]
  const served = await place.countServed(() => {
    for (const [index, words] of lines.entries()) {
      place.git(place.path, ...words)
      place.create(`${index + 1}`)
      assert.equal(titlesOf(place).length, index + 2, words.join(' '))
    }
  })
  assert.equal(served, lines.length * 2)
  assert.equal(place.git(place.path, 'fsck', '--strict', '--no-dangling'), '')
})

it('a log that plain git moves forward, back or away is seen by the next request', async (t) => {
  const place = createDaemonSandbox(t)
  place.griteWith(local, 'new', '--title=one')
  const other = join(place.dir, 'other')
  place.git(place.dir, 'clone', '-q', place.path, other)
  place.git(other, 'fetch', '-q', 'origin', 'refs/grite/*:refs/grite/*')
  const there = daemonsIn(place, other)
  place.startDaemon()
  const before = place.head() as string
  there.griteWith(local, 'new', '--title=theirs')
  const served = await place.countServed(() => {
    assert.deepEqual(titlesOf(place), ['one'])
    place.git(place.path, 'fetch', '-q', other, 'refs/grite/wal:refs/grite/wal')
    assert.deepEqual(titlesOf(place), ['one', 'theirs'])
    place.create('two')
    // Back: what was lost is found again, with a warning.
    place.git(place.path, 'update-ref', 'refs/grite/wal', before)
    const healed = place.grite('list', '--json')
    assert.equal(JSON.parse(healed.stdout).data.issues.length, 3)
    place.git(place.path, 'update-ref', '-d', 'refs/grite/wal')
    assert.equal(JSON.parse(place.grite('list', '--json').stdout).data.issues.length, 3)
  })
  assert.ok(served >= 5)
  assert.deepEqual(titlesOf(place), ['one', 'theirs', 'two'])
})

it('another actor and a changed setting are seen by the next request', async (t) => {
  const place = createDaemonSandbox(t)
  place.griteWith(local, 'new', '--title=one')
  place.startDaemon()
  place.data('list')
  const { actor_id } = JSON.parse(place.griteWith(local, 'actor', 'init', '--label=second', '--json').stdout).data
  place.griteWith(local, 'actor', 'use', actor_id)
  assert.equal(place.data('actor', 'current').actor_id, actor_id)
  place.create('two')
  assert.equal(place.data('actor', 'list').actors.length, 2)
  place.griteWith(local, 'config', 'set', 'lock_policy', 'require')
  assert.equal(place.data('config', 'get', 'lock_policy').value, 'require')
  assert.notEqual(place.grite('new', '--title=three', '--lock').status, undefined)
})

it('a deleted repository ends its daemon, and one made at its place gets another', async (t) => {
  const place = createDaemonSandbox(t)
  place.griteWith(local, 'new', '--title=old')
  const { pid, socket } = place.startDaemon()
  rmSync(place.path, { recursive: true, force: true, maxRetries: 3 })
  place.git(place.dir, 'init', '-q', '-b', 'main', '--template=', place.path)
  place.create('new')
  assert.deepEqual(titlesOf(place), ['new'])
  await endOf(pid)
  assert.ok(!existsSync(socket))
  assert.notEqual((await place.started()).pid, pid)
  assert.deepEqual(titlesOf(place), ['new'])
})

it('a repository that is moved or copied is served as the one that it is', async (t) => {
  const place = createDaemonSandbox(t)
  place.griteWith(local, 'new', '--title=one')
  const { pid } = place.startDaemon()
  const copy = join(place.dir, 'copy')
  cpSync(place.path, copy, { recursive: true })
  const copied = daemonsIn(place, copy)
  copied.create('of the copy')
  assert.deepEqual(titlesOf(place), ['one'])
  assert.deepEqual(titlesOf(copied), ['of the copy', 'one'])
  const moved = join(place.dir, 'moved')
  renameSync(place.path, moved)
  const there = daemonsIn(place, moved)
  there.create('two')
  assert.deepEqual(titlesOf(there), ['one', 'two'])
  await endOf(pid)
  there.create('three')
  await there.started()
  assert.deepEqual(titlesOf(there), ['one', 'three', 'two'])
})

it('a killed daemon leaves nothing that slows the next commands, and another one comes', async (t) => {
  const place = createDaemonSandbox(t)
  place.griteWith(local, 'new', '--title=one')
  const { pid } = place.startDaemon()
  place.data('list')
  process.kill(pid, 'SIGKILL')
  await endOf(pid)
  place.create('two')
  for (let round = 0; place.endpoint()?.pid === pid; round++) {
    assert.ok(round < 400, 'no daemon has come')
    await sleep(20)
  }
  assert.deepEqual(titlesOf(place), ['one', 'two'])
})

it('a clock that jumps by an hour, forward and back, disturbs nothing', async (t) => {
  const place = createDaemonSandbox(t)
  place.griteWith(local, 'new', '--title=one')
  const file = join(place.dir, 'jump')
  const daemon = await startDaemonChild(place, { clockJump: { file, ms: 3_600_000 }, idleMs: 60_000 })
  const id = place.create('before')
  writeFileSync(file, '')
  const served = await place.countServed(() => {
    assert.equal(titlesOf(place).length, 2)
    place.data('comment', id, '--body=in an hour')
  })
  assert.equal(served, 2)
  rmSync(file)
  place.data('comment', id, '--body=and back')
  const times = place.data('show', id).events.map(({ ts_unix_ms }: { ts_unix_ms: number }) => ts_unix_ms)
  assert.deepEqual(
    times,
    [...times].sort((one, other) => one - other),
  )
  assert.equal(times.length, 3)
  assert.ok(isAlive(daemon.pid as number))
  daemon.kill('SIGSTOP')
  await sleep(300)
  daemon.kill('SIGCONT')
  assert.equal(await place.countServed(() => place.data('list')), 1)
  daemon.kill('SIGTERM')
  await once(daemon, 'close')
})
