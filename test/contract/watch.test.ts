/** `grite watch` as a process: its output and its end. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { createGriteSandbox, gritePath } from './grite-process.ts'
import { jsonContract, keyFaults } from './json-contract.ts'
import { schemaFaults } from './schemas.ts'

const place = createGriteSandbox({ after })

before(() => {
  for (const title of ['one\x1b[31m', 'two']) place.create(title)
})

test('watch --json prints one line of JSON per event', () => {
  const { status, stdout, stderr } = place.grite('watch', '--since=1d', '--count=2', '--json')
  assert.deepEqual([status, stderr], [0, ''])
  const lines = stdout.trimEnd().split('\n')
  assert.equal(lines.length, 2)
  for (const line of lines) {
    assert.deepEqual(keyFaults(jsonContract.watch ?? {}, JSON.parse(line)), [])
    assert.deepEqual(schemaFaults('watch', 'item', JSON.parse(line)), [])
  }
})

test('watch prints one escaped line per event', () => {
  const { status, stdout } = place.grite('watch', '--since=1d', '--count=2')
  assert.equal(status, 0)
  assert.match(stdout, /^\S+\t[0-9a-f]{7}\t\S+\tcreated\tone\\x1b\[31m\n\S+\t[0-9a-f]{7}\t\S+\tcreated\ttwo\n$/)
})

test('Ctrl-C ends watch with status 130 and no message', async () => {
  const child = place.start('watch', '--since=1d', '--json')
  let errorOutput = ''
  child.stderr.on('data', (part) => {
    errorOutput += part
  })
  await once(child.stdout, 'data')
  child.kill('SIGINT')
  const [status] = await once(child, 'close')
  assert.deepEqual([status, errorOutput], [130, ''])
})

test('watch ends silently when its reader closes the pipe', () => {
  const grite = `'${process.execPath}' '${gritePath}'`
  // The --exec program runs between the events, so the reader is gone before the second one is printed.
  const wait = `cat >&2; until [ -e "$GONE" ]; do sleep 0.02; done`
  const reader = `{ head -n1; exec <&-; touch "$GONE"; }`
  const script = `${grite} watch --since=1d --json --interval 50ms --exec sh -- -c '${wait}' | ${reader}; echo "\${PIPESTATUS[0]}"`
  const { stdout, stderr } = spawnSync('bash', ['-c', script], {
    cwd: place.path,
    env: { ...place.environment, GONE: join(place.path, '.git/reader-gone') },
    encoding: 'utf8',
  })
  const [line = '', status] = stdout.trimEnd().split('\n')
  assert.equal(status, '0')
  assert.equal(stderr, `${line}\n`)
})
