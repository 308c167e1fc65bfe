import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { dayOf, parseDayWord } from '../../src/model/index.ts'

const on = (day: string) => dayOf(Date.parse(`${day}T00:00:00Z`))

test('a day word is counted from today', () => {
  // A Sunday.
  const today = on('2026-04-05')
  for (const [word, day] of [
    ['2026-12-01', '2026-12-01'],
    ['today', '2026-04-05'],
    ['Tomorrow', '2026-04-06'],
    ['0d', '2026-04-05'],
    ['7d', '2026-04-12'],
    ['2w', '2026-04-19'],
    ['1mo', '2026-05-05'],
    ['1y', '2027-04-05'],
    ['monday', '2026-04-06'],
    ['FRI', '2026-04-10'],
    ['thurs', '2026-04-09'],
    ['sat', '2026-04-11'],
  ] as const) {
    assert.equal(parseDayWord(word, today), day, word)
  }
  for (const word of [
    '',
    'soon',
    'mo',
    'm',
    '7',
    '7h',
    '1m',
    '-1d',
    '1.5d',
    '2026-02-30',
    'fridays',
    '9999999d',
    '9999y',
  ]) {
    assert.equal(parseDayWord(word, today), undefined, word)
  }
})

test('the weekday of today is a week away', () => {
  assert.equal(parseDayWord('sunday', on('2026-04-05')), '2026-04-12')
})

test('a month after the 31st is the last day of the month', () => {
  for (const [today, word, day] of [
    ['2026-01-31', '1mo', '2026-02-28'],
    ['2028-01-31', '1mo', '2028-02-29'],
    ['2028-02-29', '1y', '2029-02-28'],
    ['2026-12-31', '2mo', '2027-02-28'],
  ] as const) {
    assert.equal(parseDayWord(word, on(today)), day, today)
  }
})

test('a weekday is one of the next seven days', () => {
  const names = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2_000_000 }), fc.nat({ max: 6 }), (today, index) => {
      const day = on(parseDayWord(names[index] as string, today) as string)
      assert.equal(new Date(day * 86_400_000).getUTCDay(), index)
      assert.ok(day > today && day <= today + 7)
    }),
  )
})
