/** The daemon or its client killed at each point of a write. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { ask, encodeFrame, tell } from '../../src/ipc/index.ts'
import { createDaemonSandbox, type DaemonSandbox, isAlive } from '../daemon/daemon-process.ts'
import { WireClient } from '../daemon/wire-client.ts'
import type { DieAt } from '../support/die-at.ts'
import { startDaemonChild } from '../support/start-daemon-child.ts'

/** Moments of a write of the daemon, and whether the log holds it by then. */
const moments: readonly { readonly title: string; readonly dieAt: DieAt; readonly isWritten: boolean }[] = [
  { title: 'before the objects', dieAt: { publish: 'started', nth: 1 }, isWritten: false },
  { title: 'between objects and ref', dieAt: { publish: 'objects-written', nth: 1 }, isWritten: false },
  { title: 'with the ref locked', dieAt: { publish: 'ref-checked', nth: 1 }, isWritten: false },
  { title: 'after the ref', dieAt: { publish: 'ref-moved', nth: 1 }, isWritten: true },
  { title: 'before the answer', dieAt: { publish: 'published', nth: 1 }, isWritten: true },
]

/** A second, with room for the load of other tests. Milliseconds. */
const nextMsMax = 3_000

async function createPlace(t: Parameters<typeof createDaemonSandbox>[0]) {
  const place = createDaemonSandbox(t)
  const here = { env: { GRITE_NO_DAEMON: '1' } }
  const { stdout } = place.griteWith(here, 'new', '--title=Base', '--json')
  place.griteWith(here, 'list')
  // The test starts the daemons.
  place.griteWith(here, 'config', 'set', 'daemon.autospawn', 'false')
  return { place, base: JSON.parse(stdout).data.issue_id as string }
}

/** Event ids in the log, in the order of its commits. */
function eventsOf(place: DaemonSandbox, issue: string): string[] {
  const { stdout } = place.griteWith({ env: { GRITE_NO_DAEMON: '1' } }, 'show', issue, '--json')
  return JSON.parse(stdout).data.events.map(({ event_id }: { event_id: string }) => event_id)
}

function countCommits(place: DaemonSandbox): number {
  return Number(place.git(place.path, 'rev-list', '--count', 'refs/grite/wal'))
}

describe('daemons killed during a write', () => {
  for (const { title, dieAt, isWritten } of moments) {
    it(`a daemon killed ${title}: its client reports one write, in the log once`, async (t) => {
      const { place, base } = await createPlace(t)
      const daemon = await startDaemonChild(place, { dieAt })
      const before = countCommits(place)
      const { status, stdout, stderr } = place.grite('comment', base, '--body=Once', '--json')
      assert.equal(daemon.signalCode ?? (await once(daemon, 'close'))[1], 'SIGKILL')
      assert.deepEqual([status, stderr], [0, ''])
      const { event_id, wal_head } = JSON.parse(stdout).data
      assert.equal(countCommits(place), before + 1, isWritten ? 'found again' : 'written once')
      assert.equal(place.head(), wal_head)
      assert.equal(eventsOf(place, base).filter((id) => id === event_id).length, 1)
      assert.equal(eventsOf(place, base).length, 2)
      const startMs = performance.now()
      assert.equal(place.grite('list', '--json').status, 0)
      assert.ok(performance.now() - startMs < nextMsMax, 'the next command waits')
      assert.equal(place.git(place.path, 'fsck', '--strict', '--no-dangling'), '')
    })
  }

  it('a create, an update, a close and a lock that the daemon had written are found again', async (t) => {
    const { place, base } = await createPlace(t)
    const lines: readonly (readonly [stdin: string, ...words: string[]])[] = [
      ['', 'new', '--title=Made once', '--label=a'],
      ['', 'issue', 'update', base, '--title=Changed', '--add-label=b'],
      ['', 'close', base],
      ['', 'lock', 'acquire', '--resource=path:src'],
    ]
    for (const [stdin, ...words] of lines) {
      const daemon = await startDaemonChild(place, { dieAt: { publish: 'ref-moved', nth: 1 } })
      const { status, stderr } = place.griteWith({ stdin }, ...words, '--json')
      assert.deepEqual([status, stderr], [0, ''], words.join(' '))
      if (daemon.signalCode === null) daemon.kill('SIGKILL')
    }
    const { issues } = JSON.parse(
      place.griteWith({ env: { GRITE_NO_DAEMON: '1' } }, 'list', '--state=all', '--json').stdout,
    ).data
    assert.deepEqual(issues.map(({ title }: { title: string }) => title).sort(), ['Changed', 'Made once'])
    assert.equal(eventsOf(place, base).length, new Set(eventsOf(place, base)).size)
  })

  it('a client that has sent standard input says that the answer is lost', async (t) => {
    const { place, base } = await createPlace(t)
    await startDaemonChild(place, { dieAt: { publish: 'ref-moved', nth: 1 } })
    const { status, stdout, stderr } = place.griteWith({ stdin: 'Text' }, 'comment', base, '--body-file=-', '--json')
    assert.deepEqual([status, stdout], [6, ''])
    assert.match(JSON.parse(stderr).error.message, /the daemon ended before the answer was complete/)
    assert.equal(eventsOf(place, base).length, 2)
  })

  it('a view that was killed inside its batch serves the next command', async (t) => {
    for (const viewBatch of ['before', 'inside', 'after'] as const) {
      const { place, base } = await createPlace(t)
      await startDaemonChild(place, { dieAt: { viewBatch, nth: 1 } })
      place.grite('comment', base, '--body=One')
      const { status, stderr } = place.grite('list', '--json')
      assert.deepEqual([status, stderr], [0, ''])
      assert.equal(eventsOf(place, base).length, 2)
    }
  })
})

describe('clients killed', () => {
  it('a client killed at any moment of its request leaves a daemon that serves the next', async (t) => {
    const { place, base } = await createPlace(t)
    const daemon = await startDaemonChild(place)
    for (let waitMs = 0; waitMs < 120; waitMs += 6) {
      const child = place.start('comment', base, `--body=${waitMs}`)
      const closed = once(child, 'close')
      await sleep(waitMs)
      child.kill('SIGKILL')
      await closed
    }
    const socket = place.endpoint()?.socket as string
    const half = await WireClient.connect(socket)
    half.sendBytes(encodeFrame([ask.hello, 1, '', [], new Uint8Array()]).subarray(0, 6))
    half.close()
    assert.equal(place.grite('comment', base, '--body=Last').status, 0)
    assert.ok(isAlive(daemon.pid as number))
    const status = await place.status()
    assert.deepEqual([status.requests, status.connections], [0, 1])
    const bodies = JSON.parse(place.grite('show', base, '--json').stdout).data.events.flatMap(
      ({ kind }: { kind: { CommentAdded?: { body: string } } }) => kind.CommentAdded?.body ?? [],
    )
    assert.equal(new Set(bodies).size, bodies.length)
  })
})

describe('daemons that are suspended', () => {
  it('a client does the work itself, and the daemon does not do it again', async (t) => {
    const { place, base } = await createPlace(t)
    const daemon = await startDaemonChild(place)
    place.grite('list')
    daemon.kill('SIGSTOP')
    const startMs = performance.now()
    const { status, stderr } = place.grite('comment', base, '--body=Once')
    assert.deepEqual([status, stderr], [0, ''])
    assert.ok(performance.now() - startMs < 5_000)
    daemon.kill('SIGCONT')
    await sleep(500)
    assert.equal(eventsOf(place, base).length, 2)
    assert.equal((await place.status()).requests, 0)
    const served = await place.countServed(() => place.grite('comment', base, '--body=Twice'))
    assert.equal(served, 1)
    assert.equal(eventsOf(place, base).length, 3)
  })

  it('a request that has reached a suspended daemon is not done twice under its key', async (t) => {
    const { place, base } = await createPlace(t)
    const daemon = await startDaemonChild(place)
    const client = await WireClient.greet(place.endpoint()?.socket as string)
    t.after(() => client.close())
    daemon.kill('SIGSTOP')
    const key = `${Date.now()}-${'c'.repeat(32)}`
    const argv = ['comment', base, '--body=Once']
    client.run(1, { key, argv, cwd: place.path, env: place.environment })
    // A client waits for 500 ms, and the daemon does not look for a request that is younger than half of it.
    await sleep(500)
    const local = place.griteWith({ env: { GRITE_NO_DAEMON: '1', GRITE_REQUEST: key } }, ...argv, '--json')
    assert.equal(local.status, 0, local.stderr)
    daemon.kill('SIGCONT')
    const [kind, , status] = await client.end(1)
    assert.deepEqual([kind, status], [tell.exit, 0])
    assert.equal(eventsOf(place, base).length, 2)
  })
})
