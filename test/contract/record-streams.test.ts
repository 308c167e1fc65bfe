/** Record streams through whole processes: pipes, bytes, interrupts. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { after, before, test } from 'node:test'
import { createGriteSandbox, gritePath } from './grite-process.ts'
import { jsonContract, keyFaults } from './json-contract.ts'
import { schemaFaults } from './schemas.ts'

const place = createGriteSandbox({ after })
const grite = `'${process.execPath}' '${gritePath}'`
const shell = (script: string) =>
  spawnSync('bash', ['-c', script], { cwd: place.path, env: place.environment, maxBuffer: 1 << 28 })

/** 9,000 records of any bytes but NUL, more than two appends take. */
const bytes = Buffer.concat(
  Array.from({ length: 9000 }, (_, index) => Buffer.from([1 + (index % 255), 0xff, 0x0a, 1 + (index >> 8), 0])),
)

before(() => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [gritePath, 'produce', 'raw', '-0', '--create'], {
    cwd: place.path,
    env: place.environment,
    input: bytes,
    encoding: 'utf8',
  })
  assert.deepEqual([status, stderr], [0, ''])
  assert.match(stdout, /^Appended 9,000 records to raw, offsets 0 to 8999\n$/)
})

test('consume gives the bytes that produce took', () => {
  const { status, stdout } = shell(`${grite} consume raw -0`)
  assert.equal(status, 0)
  assert.ok(stdout.equals(bytes))
})

test('consume ends silently when its reader closes the pipe', () => {
  const { stdout, stderr } = shell(`${grite} consume raw -0 | head -c 5 | od -An -c; echo "\${PIPESTATUS[0]}"`)
  assert.equal(stderr.toString(), '')
  assert.match(stdout.toString(), /001 377 {2}\\n 001 {2}\\0\n0\n$/)
})

test('lines of JSON go through a pipe into another stream', () => {
  const script = `${grite} consume raw -c 300 --json | ${grite} produce copy --ndjson --create -q && ${grite} consume copy -0`
  const { status, stdout, stderr } = shell(script)
  assert.deepEqual([status, stderr.toString()], [0, ''])
  assert.ok(stdout.equals(bytes.subarray(0, 300 * 5)))
})

test('a feed prints one line of JSON per record', () => {
  for (const words of [
    ['stream', 'tail', 'raw', '--from=-2', '--count=2'],
    ['consume', 'raw', '-o', '-2'],
  ]) {
    const { status, stdout, stderr } = place.grite(...words, '--json')
    assert.deepEqual([status, stderr], [0, ''])
    const items = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    assert.deepEqual(
      items.map(({ offset }) => offset),
      [8998, 8999],
    )
    const name = words[0] === 'consume' ? 'consume' : 'stream tail'
    for (const item of items) {
      assert.deepEqual([...keyFaults(jsonContract[name] ?? {}, item), ...schemaFaults(name, 'item', item)], [])
    }
  }
})

test('an interrupted produce says what was appended', async () => {
  const child = place.start('produce', 'cut', '--create', '--json')
  child.stdin.write('one\ntwo\npart of thr')
  let output = ''
  child.stdout.on('data', (part) => {
    output += part
  })
  while (place.grite('consume', 'cut').stdout !== 'one\ntwo\n') await new Promise((resolve) => setTimeout(resolve, 50))
  child.kill('SIGINT')
  const [status] = await once(child, 'close')
  const { data } = JSON.parse(output)
  assert.deepEqual([status, data.records, data.next_offset, data.interrupted], [130, 2, 2, true])
  assert.equal(place.grite('consume', 'cut').stdout, 'one\ntwo\n')
})
