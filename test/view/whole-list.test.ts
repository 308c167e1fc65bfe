import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { listWhole, orderByTime } from '../../src/view/whole-list.ts'

const day = 86_400_000

test('times are ordered, equal ones as given', () => {
  const time = fc.oneof(fc.integer({ min: 0, max: 3 }), fc.nat(), fc.constantFrom(1.7e12, 1.7e12 + day, 2 ** 53, 1e20))
  fc.assert(
    fc.property(fc.array(time), (times) => {
      const indexes = times.map((_, index) => index)
      const expected = indexes.sort((left, right) => (times[left] as number) - (times[right] as number) || left - right)
      assert.deepEqual(orderByTime(times), expected)
    }),
  )
})

test('rows are listed by creation, each with its short id', () => {
  const row = (issue_id: string, state: string, created_ts: number) =>
    JSON.stringify({ issue_id, title: '"created_ts":1', state, created_ts, fields: {} })
  const ids = ['0a', '12345670', '12345671', 'ff'].map((start) => start.padEnd(32, '0'))
  const texts = ids.map((id, index) => row(id, index === 1 ? 'closed' : 'open', 10 - (index >> 1)))
  const [first, second, third, last] = texts
  assert.deepEqual(listWhole(texts, 7), {
    blocks: [{ texts: [third, last, first, second], shortIds: ['12345671', 'ff00000', '0a00000', '12345670'] }],
    isKept: false,
    count: 4,
    openCount: 3,
  })
  assert.deepEqual(listWhole([], 7), { blocks: [], isKept: false, count: 0, openCount: 0 })
})
