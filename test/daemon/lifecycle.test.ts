/** How a daemon ends, and which process is the daemon. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { basename, dirname, join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { endpointPath, startDaemon } from '../../src/daemon/index.ts'
import { socketDirectory, socketPath } from '../../src/daemon/ownership.ts'
import { currentOwner } from '../../src/git/index.ts'
import { ask, formatEndpoint, parseEndpoint, readEndpoint, tell, type WireMap } from '../../src/ipc/index.ts'
import { createSandbox } from '../git/temp-repository.ts'
import { lastFirst } from '../support/last-first.ts'
import { openFakeRepository, optionsFor, startFakeDaemon } from './fake-daemon.ts'

test('the endpoint file and the socket are private, and gone after the end', async (t) => {
  const { daemon, endpoint } = await startFakeDaemon(t)
  assert.equal(readEndpoint(endpoint)?.socket, daemon.socket)
  assert.equal(readEndpoint(endpoint)?.pid, process.pid)
  assert.equal(statSync(endpoint).mode & 0o777, 0o600)
  assert.equal(statSync(daemon.socket).mode & 0o777, 0o600)
  assert.equal(statSync(dirname(daemon.socket)).mode & 0o777, 0o700)
  assert.ok(Buffer.byteLength(daemon.socket) <= 103)
  daemon.stop('enough')
  assert.equal(await daemon.ended, 'enough')
  assert.ok(!existsSync(endpoint))
  assert.ok(!existsSync(daemon.socket))
})

test('status says what the daemon is and does', async (t) => {
  let finish = () => {}
  const { client, daemon, shared } = await startFakeDaemon(t, async () => {
    await new Promise<void>((resolve) => {
      finish = resolve
    })
    return { status: 0 }
  })
  const one = await client()
  one.run(1)
  await one.next(tell.accepted, 1)
  one.send(ask.status, 2)
  const status = (await one.end(2))[2] as WireMap
  assert.deepEqual(
    [status.pid, status.repository, status.socket, status.connections, status.requests, status.requests_total],
    [process.pid, shared.layout.commonDir, daemon.socket, 1, 1, 2],
  )
  assert.equal(status.idle_timeout_s, 0)
  finish()
})

test('stop finishes running requests, refuses new ones and closes the connections', async (t) => {
  let finish = () => {}
  const { client, daemon } = await startFakeDaemon(t, async () => {
    await new Promise<void>((resolve) => {
      finish = resolve
    })
    return { status: 8 }
  })
  const [one, other] = [await client(), await client()]
  one.run(1)
  await one.next(tell.accepted, 1)
  other.send(ask.stop, 1)
  assert.deepEqual(await other.end(1), [tell.answer, 1, true])
  other.run(2)
  assert.deepEqual((await other.end(2)).slice(0, 3), [tell.refused, 2, 'stopping'])
  finish()
  assert.deepEqual(await one.end(1), [tell.exit, 1, 8])
  assert.equal(await daemon.ended, 'asked')
  one.socket.end()
  await one.closed
})

test('requests that do not end are cancelled after a while', async (t) => {
  let isCancelled = false
  const { client, daemon } = await startFakeDaemon(
    t,
    async (_line, { cancelled }) => {
      await new Promise((resolve) => cancelled.addEventListener('abort', resolve))
      isCancelled = true
      return { status: 1 }
    },
    { limits: { graceMs: 50 } },
  )
  const one = await client()
  one.run(1)
  await one.next(tell.accepted, 1)
  daemon.stop('enough')
  await daemon.ended
  assert.ok(isCancelled)
})

test('a request that even ignores its cancelling does not keep the daemon', async (t) => {
  const { client, daemon } = await startFakeDaemon(t, () => new Promise(() => {}), { limits: { graceMs: 50 } })
  const one = await client()
  one.run(1)
  await one.next(tell.accepted, 1)
  daemon.stop('enough')
  assert.equal(await daemon.ended, 'enough')
})

test('a daemon ends when it is idle, which a running request prevents', async (t) => {
  const { client, daemon } = await startFakeDaemon(
    t,
    async () => {
      await sleep(1500)
      return { status: 0 }
    },
    // On a busy machine, the client may take half of that to send its request.
    { idleMs: 1000 },
  )
  let ended: string | undefined
  void daemon.ended.then((reason) => {
    ended = reason
  })
  const one = await client()
  one.run(1)
  await one.end(1)
  assert.equal(ended, undefined)
  // An open connection is no request.
  assert.equal(await daemon.ended, 'idle')
})

for (const [title, lose, reason] of [
  ['its socket vanishes', ({ socket }) => unlinkSync(socket), 'replaced'],
  ['its endpoint file vanishes', ({ endpoint }) => unlinkSync(endpoint), 'replaced'],
  [
    'the repository is deleted',
    ({ path }) => rmSync(path, { recursive: true, force: true, maxRetries: 3 }),
    'replaced',
  ],
  ['the repository is moved', ({ path }) => renameSync(path, `${path} elsewhere`), 'replaced'],
  ['the head of the repository is gone', ({ path }) => unlinkSync(join(path, '.git/HEAD')), 'the repository is gone'],
] as readonly [string, (place: { socket: string; endpoint: string; path: string }) => void, string][]) {
  test(`a daemon ends when ${title}`, async (t) => {
    const { daemon, endpoint, path } = await startFakeDaemon(t, undefined, { limits: { lookMs: 20 } })
    lose({ socket: daemon.socket, endpoint, path })
    assert.equal(await daemon.ended, reason)
  })
}

test('a daemon whose endpoint names another one ends and leaves it alone', async (t) => {
  const { daemon, endpoint } = await startFakeDaemon(t, undefined, { limits: { lookMs: 20 } })
  const { bootId, pidNamespace, startTime } = currentOwner()
  const line = formatEndpoint({ bootId, pidNamespace, pid: process.pid, startTime, socket: '/tmp/other.sock' })
  writeFileSync(endpoint, line)
  assert.equal(await daemon.ended, 'replaced')
  assert.equal(readFileSync(endpoint, 'utf8'), line)
})

test('of ten daemons started at once for a repository one stays', async (t) => {
  const cleanUp = lastFirst(t)
  const { shared } = await openFakeRepository(cleanUp)
  const started = await Promise.all(Array.from({ length: 10 }, () => startDaemon(optionsFor(shared))))
  const daemons = started.flatMap((each) => ('ended' in each ? [each] : []))
  cleanUp.after(async () => {
    for (const daemon of daemons) daemon.stop('the test is over')
    await Promise.all(daemons.map(({ ended }) => ended))
  })
  assert.equal(daemons.length, 1)
  const [winner] = daemons
  for (const each of started) if ('runningSocket' in each) assert.equal(each.runningSocket, winner?.socket)
  const sockets = readdirSync(socketDirectory()).filter((name) => name.startsWith(`${process.pid}-`))
  assert.deepEqual(sockets, [basename(winner?.socket ?? '')])
})

test('a dead owner is replaced at once', async (t) => {
  const { shared } = await openFakeRepository(t)
  const path = endpointPath(shared.paths.home)
  const { bootId, pidNamespace, startTime } = currentOwner()
  // This process lives, but it did not start then.
  writeFileSync(
    path,
    formatEndpoint({ bootId, pidNamespace, pid: process.pid, startTime: `${Number(startTime) + 1}`, socket: '/tmp/x' }),
  )
  const daemon = await startDaemon(optionsFor(shared))
  assert.ok('ended' in daemon)
  assert.equal(readEndpoint(path)?.socket, daemon.socket)
  daemon.stop('enough')
  await daemon.ended
})

test('a daemon removes old sockets on which nobody listens, and leaves one that is being made', async (t) => {
  const { shared } = await openFakeRepository(t)
  const [old, young] = ['a'.repeat(12), 'b'.repeat(12)].map((token) => socketPath(socketDirectory(), token))
  assert.ok(old !== undefined && young !== undefined)
  for (const path of [old, young]) makeDeadSocket(path)
  t.after(() => rmSync(young, { force: true }))
  utimesSync(old, 0, 0)
  const daemon = await startDaemon(optionsFor(shared))
  assert.ok('ended' in daemon)
  for (let tries = 0; tries < 1_000 && existsSync(old); tries++) await sleep(5)
  assert.ok(!existsSync(old))
  assert.ok(existsSync(young))
  daemon.stop('enough')
  await daemon.ended
})

/** What a killed process leaves, and what one that has not begun to listen shows. */
function makeDeadSocket(path: string): void {
  const script = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`
  spawnSync(process.execPath, ['-e', script])
  assert.ok(lstatSync(path).isSocket())
}

test('a living owner whose socket does not answer is replaced', async (t) => {
  const { shared } = await openFakeRepository(t)
  const path = endpointPath(shared.paths.home)
  const { bootId, pidNamespace, startTime } = currentOwner()
  writeFileSync(path, formatEndpoint({ bootId, pidNamespace, pid: process.pid, startTime, socket: '/tmp/none.sock' }))
  const daemon = await startDaemon(optionsFor(shared))
  assert.ok('ended' in daemon)
  daemon.stop('enough')
  await daemon.ended
})

test('an endpoint of a dead owner that names a file of the user removes nothing', async (t) => {
  const { shared, dir } = await openFakeRepository(t)
  const precious = `${dir}/precious`
  writeFileSync(precious, 'mine')
  const path = endpointPath(shared.paths.home)
  writeFileSync(path, `1 an-earlier-boot 1 1 1 ${precious}\n`)
  const daemon = await startDaemon(optionsFor(shared))
  assert.ok('ended' in daemon)
  assert.equal(readFileSync(precious, 'utf8'), 'mine')
  daemon.stop('enough')
  await daemon.ended
})

test('a foreign file at the place of the endpoint is replaced', async (t) => {
  const { shared } = await openFakeRepository(t)
  const path = endpointPath(shared.paths.home)
  writeFileSync(path, 'something else\n')
  const daemon = await startDaemon(optionsFor(shared))
  assert.ok('ended' in daemon)
  assert.equal(parseEndpoint(readFileSync(path, 'utf8'))?.socket, daemon.socket)
  daemon.stop('enough')
  await daemon.ended
})

test('a folder at the place of the endpoint is an error that leaves no socket', async (t) => {
  const { shared } = await openFakeRepository(t)
  mkdirSync(endpointPath(shared.paths.home))
  const ours = () => readdirSync(socketDirectory()).filter((name) => name.startsWith(`${process.pid}-`))
  const before = ours()
  await assert.rejects(startDaemon(optionsFor(shared)))
  assert.deepEqual(ours(), before)
})

test('a socket that others can reach through its name is not one of a daemon', async (t) => {
  const { shared, dir } = await openFakeRepository(t)
  const path = endpointPath(shared.paths.home)
  const { bootId, pidNamespace, startTime } = currentOwner()
  const file = join(dir, 'file')
  writeFileSync(file, '')
  writeFileSync(path, formatEndpoint({ bootId, pidNamespace, pid: process.pid, startTime, socket: file }))
  assert.equal(readEndpoint(path), undefined)
  const socket = join(dir, 'real.sock')
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(socket, resolve))
  t.after(() => server.close())
  writeFileSync(path, formatEndpoint({ bootId, pidNamespace, pid: process.pid, startTime, socket }))
  assert.equal(readEndpoint(path)?.socket, socket)
})

test('a folder of sockets that others can enter, or that is a link, is refused', (t) => {
  const { dir } = createSandbox(t)
  const parents = { runtime: join(dir, 'run'), temporary: dir }
  const folder = join(dir, `grite-${process.geteuid?.()}`)
  assert.equal(socketDirectory(parents), folder)
  assert.equal(statSync(folder).mode & 0o777, 0o700)
  chmodSync(folder, 0o755)
  assert.throws(() => socketDirectory(parents), { code: 'io_error' })
  rmdirSync(folder)
  mkdirSync(join(dir, 'elsewhere'), { mode: 0o700 })
  symlinkSync(join(dir, 'elsewhere'), folder)
  assert.throws(() => socketDirectory(parents), { code: 'io_error' })
})

test('sockets are in the run-time directory of the user, where there is one', (t) => {
  const { dir } = createSandbox(t)
  const own = join(dir, `run/${process.geteuid?.()}`)
  mkdirSync(own, { recursive: true, mode: 0o700 })
  assert.equal(socketDirectory({ runtime: join(dir, 'run'), temporary: dir }), join(own, 'grite'))
})
