import assert from 'node:assert/strict'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { createGriteSandbox } from '../contract/grite-process.ts'
import { trackerOf } from '../contract/tracker-file.ts'

test('an import interrupted by Ctrl-C is completed by the next run', async (t) => {
  const other = createGriteSandbox(t)
  writeFileSync(join(other.path, 'tracker.jsonl'), trackerOf(6_000))
  const child = other.start('import', 'tracker.jsonl', '--json')
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (part) => {
      output += part
    })
  }
  while (other.head() === null && child.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 20))
  child.kill('SIGINT')
  const [status] = child.exitCode === null ? await once(child, 'close') : [child.exitCode]
  assert.deepEqual([status, output], [130, ''])
  const partly = other.data('issue', 'list', '--fields=short_id').total
  assert.ok(partly > 0 && partly < 6_000, String(partly))
  assert.equal(other.data('db', 'check').corrupt_count, 0)
  const finished = other.data('import', 'tracker.jsonl')
  assert.deepEqual([finished.created, finished.unchanged], [6_000 - partly, partly])
  assert.equal(other.data('import', 'tracker.jsonl').event_count, 0)
  assert.equal(other.data('issue', 'list', '--fields=short_id').total, 6_000)
})
