import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pausesOf, Retry, Standstill, unmovedRoundsMax } from '../../src/git/retry.ts'

const still = { firstMs: 0, jitter: () => 0.5, nowMs: () => 0 }

test('a retry ends after its tries, the first one included', async () => {
  const retry = new Retry({ ...still, triesMax: 3 })
  const answers = []
  for (let turn = 0; turn < 4; turn++) answers.push(await retry.again())
  assert.deepEqual([answers, retry.tries], [[true, true, false, false], 3])
})

test('a retry ends when its time is up', async () => {
  let nowMs = 1000
  const retry = new Retry({ ...still, forMs: 50, nowMs: () => nowMs })
  assert.equal(await retry.again(), true)
  nowMs += 49
  assert.equal(await retry.again(), true)
  nowMs += 1
  assert.deepEqual([await retry.again(), retry.elapsedMs], [false, 50])
})

test('pauses grow from the first to the longest, each by its jitter', () => {
  const jitters = [0, 0.5, 0.75, 0.5, 0.5]
  const pauses = pausesOf({ firstMs: 4, maxMs: 10, jitter: () => jitters.shift() ?? 0 })
  assert.deepEqual(
    Array.from({ length: 5 }, () => pauses.next().value),
    [2, 8, 12.5, 10, 10],
  )
})

test('the last pause is no longer than the time that is left', async () => {
  // Without that bound the test would not end.
  const retry = new Retry({ firstMs: 1e9, jitter: () => 0.5, forMs: 5, nowMs: () => 0 })
  assert.equal(await retry.again(), true)
})

test('a signal ends a pause, and every try after it', async () => {
  const controller = new AbortController()
  const retry = new Retry({ ...still, firstMs: 60_000, signal: controller.signal })
  const again = retry.again()
  const reason = new TypeError('nobody waits any more')
  controller.abort(reason)
  await assert.rejects(again, reason)
  await assert.rejects(retry.again(), reason)
})

test('a standstill is a number of rounds in which nothing moved', () => {
  const standstill = new Standstill()
  const rounds = ['a', 'a', 'b', ...Array.from({ length: unmovedRoundsMax - 1 }, () => 'b')]
  const seen = rounds.map((what) => standstill.see(what))
  assert.deepEqual(seen, [...seen.slice(1).map(() => false), true])
  assert.equal(new Standstill().see(null), false)
})
