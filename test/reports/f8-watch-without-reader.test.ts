/** A watch ends when its reader is gone, like `tail -f`, even without further output. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { openSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { createGriteSandbox, gritePath } from '../contract/grite-process.ts'

const place = createGriteSandbox({ after })
const words = [gritePath, 'watch', '--json', '--since=1d']
const options = { cwd: place.path, env: place.environment }

before(() => place.create('one'))

/** Exit status of a process that must end within ten seconds. */
async function statusOf(child: ChildProcess): Promise<number | null> {
  const timer = setTimeout(() => child.kill('SIGKILL'), 10_000)
  const [status] = await once(child, 'close')
  clearTimeout(timer)
  return status
}

test('watch ends when head -n1 has its line', {
  skip: process.platform === 'linux' ? false : 'only Linux tells',
}, () => {
  const script = `'${process.execPath}' ${words.join(' ')} | head -n1; echo "\${PIPESTATUS[0]}"`
  const { stdout, stderr } = spawnSync('bash', ['-c', script], { ...options, encoding: 'utf8', timeout: 10_000 })
  const [line = '', status] = stdout.split('\n')
  assert.equal(JSON.parse(line).title, 'one')
  assert.deepEqual([status, stderr], ['0', ''])
})

test('watch ends with a reader that reads nothing', {
  skip: process.platform === 'linux' ? false : 'only Linux tells',
}, () => {
  const script = `'${process.execPath}' ${words.join(' ')} --exec head -- -c 0 | sleep 1; echo "\${PIPESTATUS[0]}"`
  const { stdout, stderr } = spawnSync('bash', ['-c', script], { ...options, encoding: 'utf8', timeout: 10_000 })
  assert.deepEqual([stdout, stderr], ['0\n', ''])
})

test('watch ends with a closed socket, not with a half-closed one', async (t) => {
  let connect: (socket: Socket) => void = () => undefined
  const connected = new Promise<Socket>((resolve) => {
    connect = resolve
  })
  const server = createServer({ allowHalfOpen: true }, (socket) => connect(socket))
  t.after(() => server.close())
  server.listen(join(place.dir, 'socket'))
  const { createConnection } = await import('node:net')
  const theirs = createConnection(join(place.dir, 'socket'))
  const ours = await connected
  const child = spawn(process.execPath, words, { ...options, stdio: ['ignore', ours, 'inherit'] })
  ours.destroy()
  const status = statusOf(child)
  await once(theirs, 'data')
  // Half-closed: it sends no more, but still reads.
  theirs.end()
  await new Promise((resolve) => setTimeout(resolve, 700))
  assert.deepEqual([child.exitCode, child.signalCode], [null, null])
  theirs.destroy()
  assert.equal(await status, 0)
})

test('watch to a file needs no reader', async () => {
  const child = spawn(process.execPath, [...words, '--timeout=1500ms', '--interval=100ms'], {
    ...options,
    stdio: ['ignore', openSync(join(place.dir, 'out'), 'w'), 'inherit'],
  })
  const startedMs = performance.now()
  assert.equal(await statusOf(child), 0)
  assert.ok(performance.now() - startedMs >= 1500, 'it went on to its end')
})
