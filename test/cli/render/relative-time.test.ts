import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatAbsoluteTime, formatMinute, formatRelativeTime } from '../../../src/cli/render/relative-time.ts'

const now = Date.UTC(2026, 3, 5, 12, 0, 0)
const second = 1000
const hour = 3600 * second
const day = 24 * hour

const times: readonly (readonly [agoMs: number, text: string])[] = [
  [0, 'just now'],
  [59 * second, 'just now'],
  [-59 * second, 'just now'],
  [60 * second, '1 min ago'],
  [hour - 1, '59 min ago'],
  [hour, '1 h ago'],
  [3.9 * hour, '3 h ago'],
  [day, '1 d ago'],
  [7 * day, '1 w ago'],
  [29 * day, '4 w ago'],
  [30 * day, '1 mo ago'],
  [364 * day, '12 mo ago'],
  [365 * day, '1 y ago'],
  [-2 * day, 'in 2 d'],
  [-90 * second, 'in 1 min'],
]

for (const [agoMs, text] of times) {
  test(`${agoMs} ms ago reads ${text}`, () => assert.equal(formatRelativeTime(now - agoMs, now), text))
}

test('absolute times are printed in UTC', () => {
  assert.equal(formatAbsoluteTime(now), '2026-04-05T12:00:00.000Z')
  assert.equal(formatMinute(now), '2026-04-05 12:00 UTC')
})

test('a time beyond the calendar is printed as a number', () => {
  assert.equal(formatAbsoluteTime(9e15), '9000000000000000')
  assert.equal(formatMinute(9e15), '9000000000000000')
})
