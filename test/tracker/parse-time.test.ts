import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseDayWord } from '../../src/model/index.ts'
import { localDay, parseMoment } from '../../src/tracker/parse-time.ts'

test('today is the day in the time zone of the caller', () => {
  const late = Date.UTC(2026, 3, 5, 23, 30)
  for (const [offset, day] of [
    [undefined, '2026-04-05'],
    [60, '2026-04-06'],
    [-600, '2026-04-05'],
    [-1440, '2026-04-04'],
  ] as const) {
    const zone = offset === undefined ? {} : { offsetMinutesAt: () => offset }
    assert.equal(parseDayWord('today', localDay({ nowUnixMs: () => late, ...zone })), day, `${offset}`)
  }
})

test('a moment may be months or years ago', () => {
  const now = Date.UTC(2026, 3, 5)
  assert.equal(parseMoment('since', '1mo', now), Date.UTC(2026, 2, 6))
  assert.equal(parseMoment('since', '1y', now), Date.UTC(2025, 3, 5))
})
