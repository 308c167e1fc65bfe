import assert from 'node:assert/strict'
import { test } from 'node:test'
import { daysUntilDue, deferOf, isDeferred, isOverdue, parseAge, parseTimeSpan } from '../../src/model/index.ts'

const noon = Date.UTC(2026, 3, 5, 12)
const dayMs = 86_400_000

test('an age is a number and a unit', () => {
  assert.deepEqual(['1s', '2m', '3h', '4d', '5w'].map(parseAge), [1000, 120_000, 10_800_000, 4 * dayMs, 35 * dayMs])
  assert.deepEqual(['1mo', '2y'].map(parseAge), [30 * dayMs, 730 * dayMs])
  for (const text of ['', 'd', 'mo', '7', '7x', '1mon', '1M', '-1d', '1.5d', ' 1d', '7 d', `${'9'.repeat(20)}w`]) {
    assert.equal(parseAge(text), undefined, text)
  }
})

test('a day spans all its milliseconds, a moment one', () => {
  const midnight = Date.UTC(2026, 3, 5)
  assert.deepEqual(parseTimeSpan('2026-04-05'), { first: midnight, last: midnight + dayMs - 1 })
  for (const text of [
    '2026-04-05T12:00',
    '2026-04-05 12:00Z',
    '2026-04-05T14:00:00.000+02:00',
    '2026-04-05t14:00+0200',
    String(noon),
  ]) {
    assert.deepEqual(parseTimeSpan(text), { first: noon, last: noon }, text)
  }
  for (const text of [
    '',
    '2026',
    '2026-02-30',
    '2026-13-01',
    '2026-04-05T25:00',
    '12345',
    '9'.repeat(30),
    'x2026-04-05',
    '2026-04-05..',
    '2026-04-05...2026-04-06',
    '2026-04-05 (noon)',
    '2026-04-05T12:00 (UTC)',
  ]) {
    assert.equal(parseTimeSpan(text), undefined, text)
  }
})

test('an open issue is overdue the day after its due date', () => {
  const table: readonly (readonly [due: string | undefined, days: number | undefined, overdue: boolean])[] = [
    ['2026-04-06', 1, false],
    ['2026-04-05', 0, false],
    ['2026-04-04', -1, true],
    ['2026-02-30', undefined, false],
    ['soon', undefined, false],
    [undefined, undefined, false],
  ]
  for (const [due, days, overdue] of table) {
    const fields = due === undefined ? {} : { due }
    assert.equal(daysUntilDue(fields, noon), days, due)
    assert.equal(isOverdue({ state: 'open', fields }, noon), overdue, due)
    assert.equal(isOverdue({ state: 'closed', fields }, noon), false, due)
  }
})

test('an issue is deferred until its day begins in UTC', () => {
  const noon = Date.UTC(2026, 3, 5, 12)
  const deferTo = (defer: string) => ({ defer })
  assert.deepEqual(
    ['2026-04-06', '2026-04-05', '2026-04-04', '2026-02-30', 'soon'].map((day) => isDeferred(deferTo(day), noon)),
    [true, false, false, false, false],
  )
  assert.equal(isDeferred({}, noon), false)
  assert.deepEqual([deferOf(deferTo('2026-04-06')), deferOf(deferTo('soon')), deferOf({})], ['2026-04-06', null, null])
})
