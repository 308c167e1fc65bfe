import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pausesOf, Retry, Standstill, unmovedRoundsMax } from '../../src/git/retry.ts'

const withoutPauses = { firstMs: 0, jitter: () => 0.5, nowMs: () => 0 }

test('a retry ends after triesMax tries, including the first', async () => {
  const retry = new Retry({ ...withoutPauses, triesMax: 3 })
  const answers = []
  for (let turn = 0; turn < 4; turn++) answers.push(await retry.again())
  assert.deepEqual([answers, retry.tries], [[true, true, false, false], 3])
})

test('a retry ends when its time limit is reached', async () => {
  let nowMs = 1000
  const retry = new Retry({ ...withoutPauses, forMs: 50, nowMs: () => nowMs })
  assert.equal(await retry.again(), true)
  nowMs += 49
  assert.equal(await retry.again(), true)
  nowMs += 1
  assert.deepEqual([await retry.again(), retry.elapsedMs], [false, 50])
})

test('pauses double from firstMs to maxMs and vary by jitter', () => {
  const jitters = [0, 0.5, 0.75, 0.5, 0.5]
  const pauses = pausesOf({ firstMs: 4, maxMs: 10, jitter: () => jitters.shift() ?? 0 })
  assert.deepEqual(
    Array.from({ length: 5 }, () => pauses.next().value),
    [2, 8, 12.5, 10, 10],
  )
})

test('a pause is no longer than the remaining time', async () => {
  // Without this limit the test would not end.
  const retry = new Retry({ firstMs: 1e9, jitter: () => 0.5, forMs: 5, nowMs: () => 0 })
  assert.equal(await retry.again(), true)
})

test('an abort ends the pause and every later try', async () => {
  const controller = new AbortController()
  const retry = new Retry({ ...withoutPauses, firstMs: 60_000, signal: controller.signal })
  const again = retry.again()
  const reason = new TypeError('nobody waits any more')
  controller.abort(reason)
  await assert.rejects(again, reason)
  await assert.rejects(retry.again(), reason)
})

test('a standstill is reached after several rounds without a change', () => {
  const standstill = new Standstill()
  const rounds = ['a', 'a', 'b', ...Array.from({ length: unmovedRoundsMax - 1 }, () => 'b')]
  const seen = rounds.map((what) => standstill.see(what))
  assert.deepEqual(seen, [...seen.slice(1).map(() => false), true])
  assert.equal(new Standstill().see(null), false)
})
