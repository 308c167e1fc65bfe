import assert from 'node:assert/strict'
import { test } from 'node:test'
import { whyNoCompiler } from '../native/compile-launcher.ts'
import { fuzzReader } from '../native/fuzz-reader.ts'
import { randomOf } from '../support/mutate.ts'

test('the launcher survives damaged answers, however they are split', { skip: whyNoCompiler }, (t) => {
  const counts = fuzzReader(randomOf(11), 10_000)
  t.diagnostic(JSON.stringify(counts))
  // All effects occur, so the damage is neither too small nor too large.
  for (const count of Object.values(counts)) assert.ok(count > 100, JSON.stringify(counts))
})
