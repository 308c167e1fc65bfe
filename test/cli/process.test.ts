/** Tests that need a separate process: closed pipes, signals, exit status. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { childProgram } from '../support/child-program.ts'

function start(words: readonly string[]) {
  return spawn(process.execPath, [...childProgram('test/cli/fake-grite.ts'), ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

test('a large output arrives complete through a slow pipe', async () => {
  const child = start(['flood', '--json'])
  const parts: Buffer[] = []
  // Reads slower than the command writes, so the pipe fills up.
  for await (const part of child.stdout) {
    parts.push(part)
    if (parts.length < 5) await new Promise((resolve) => setTimeout(resolve, 20))
  }
  assert.equal(JSON.parse(Buffer.concat(parts).toString()).data.lines.length, 200_000)
})

test('a closed output pipe ends the command silently with exit 0', async () => {
  const child = start(['flood'])
  let stderr = ''
  child.stderr.on('data', (part) => {
    stderr += part
  })
  await once(child.stdout, 'data')
  child.stdout.destroy()
  const [status, signal] = await once(child, 'close')
  assert.deepEqual({ status, signal, stderr }, { status: 0, signal: null, stderr: '' })
})

for (const [signal, expected] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  test(`${signal} ends the command with exit status ${expected}`, async () => {
    const child = start(['sleep'])
    await once(child.stderr, 'data')
    child.kill(signal)
    const [status] = await once(child, 'close')
    assert.equal(status, expected)
  })
}

test('a failing command exits with the status of its error', async () => {
  const child = start(['issue', 'show', 'gone'])
  const [status] = await once(child, 'exit')
  assert.equal(status, 3)
})

test('a command that waits for what never comes fails, and says so', async () => {
  const child = start(['stall'])
  let stderr = ''
  child.stderr.on('data', (part) => {
    stderr += part
  })
  const [status] = await once(child, 'close')
  assert.equal(status, 1)
  assert.match(stderr, /stopped before it was done/)
})
