import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readyBench } from '../../bench/ready.ts'

test('the ready benchmark does identical work on every run', async () => {
  const lines = await readyBench.run({ small: true })
  assert.match(lines[0] ?? '', /^[\d.]+ ms \(.*target 45 ms\): (met|MISSED)$/)
  assert.equal(lines.at(-1), '40 ready, 110 blocked, digest af8aecd722f7028a')
})
