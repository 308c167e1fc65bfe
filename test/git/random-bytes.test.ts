import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomBytes } from '../../src/git/random-bytes.ts'

test('random bytes have the requested length and never repeat', () => {
  const seen = new Set<string>()
  for (const count of [6, 16, 32, 200, 512, 5000]) {
    for (let round = 0; round < 50; round++) {
      const bytes = randomBytes(count)
      assert.equal(bytes.length, count)
      seen.add(bytes.toString('hex'))
    }
  }
  assert.equal(seen.size, 300)
})
