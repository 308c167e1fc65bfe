import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { gritePath } from '../contract/grite-process.ts'
import { startDaemonChild } from '../support/start-daemon-child.ts'
import { createDaemonSandbox } from './daemon-process.ts'

/** More than the pipes and sockets on the way hold. */
const issueCount = 2000
const unreadMs = 200

test('a reader may be slower than the patience of the daemon', async (t) => {
  const place = createDaemonSandbox(t)
  const operations = Array.from({ length: issueCount }, (_, index) =>
    JSON.stringify({ op: 'create', title: `${'Issue '.repeat(60)}${index}` }),
  )
  const env = { GRITE_NO_DAEMON: '1' }
  assert.equal(place.griteWith({ env, stdin: operations.join('\n') }, 'batch').status, 0)
  const words = ['list', `--limit=${issueCount}`, '--json']
  const expected = place.griteWith({ env }, ...words).stdout
  await startDaemonChild(place, { limits: { unreadMs } })
  // The shell gives it a pipe that blocks.
  const script = `'${process.execPath}' '${gritePath}' ${words.join(' ')} | { sleep ${(4 * unreadMs) / 1000}; cat; }; exit \${PIPESTATUS[0]}`
  const served = await place.countServed(async () => {
    const child = spawn('bash', ['-c', script], { cwd: place.path, env: place.environment })
    let stdout = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text
    })
    assert.deepEqual(await once(child, 'close'), [0, null])
    assert.equal(stdout, expected)
  })
  assert.equal(served, 1)
})

test('Ctrl-C ends a command whose reader takes nothing', async (t) => {
  const place = createDaemonSandbox(t)
  const operations = Array.from({ length: issueCount }, (_, index) =>
    JSON.stringify({ op: 'create', title: `${'Issue '.repeat(60)}${index}` }),
  )
  const env = { GRITE_NO_DAEMON: '1' }
  assert.equal(place.griteWith({ env, stdin: operations.join('\n') }, 'batch').status, 0)
  await startDaemonChild(place)
  const script = `'${process.execPath}' '${gritePath}' list --limit=${issueCount} > >(sleep 60) & echo $!; wait $!; echo $?`
  const shell = spawn('bash', ['-c', script], { cwd: place.path, env: place.environment, detached: true })
  t.after(() => shell.pid !== undefined && process.kill(-shell.pid, 'SIGKILL'))
  shell.stdout.setEncoding('utf8')
  const [pid] = await once(shell.stdout, 'data')
  await sleep(700)
  process.kill(Number(pid), 'SIGTERM')
  const [status] = await once(shell.stdout, 'data')
  assert.equal(Number(status), 143)
})
