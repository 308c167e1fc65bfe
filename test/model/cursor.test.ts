import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cutPage, type ListOrder } from '../../src/model/index.ts'

const byName: ListOrder<string> = {
  name: 'name',
  placeOf: (item) => [item],
  compare: ([left], [right]) => (`${left}` < `${right}` ? -1 : Number(left !== right)),
}

const pageOf = (items: readonly string[], limit?: number, after?: string | null) =>
  cutPage(items, byName, { limit, after: after ?? undefined })

test('a page without a limit is complete', () => {
  assert.deepEqual(pageOf(['a', 'b']), { shown: ['a', 'b'], nextCursor: null })
  assert.deepEqual(pageOf([], 2), { shown: [], nextCursor: null })
  assert.deepEqual(pageOf(['a', 'b'], 2), { shown: ['a', 'b'], nextCursor: null })
})

test('pages continue after the last item, even when it is gone', () => {
  const { nextCursor } = pageOf(['b', 'd', 'f'], 2)
  assert.match(nextCursor ?? '', /^[A-Za-z0-9_-]+$/)
  assert.deepEqual(pageOf(['b', 'd', 'f'], 2, nextCursor).shown, ['f'])
  assert.deepEqual(pageOf(['a', 'c', 'e', 'f'], 2, nextCursor).shown, ['e', 'f'])
  assert.deepEqual(pageOf(['a', 'b'], 2, nextCursor), { shown: [], nextCursor: null })
})

test('a cursor holds any text', () => {
  for (const item of ['"\\', 'größe 日本 👩‍💻', '\u0000', '']) {
    assert.deepEqual(pageOf([item, '\u{10ffff}'], 1, pageOf([item, '\u{10ffff}'], 1).nextCursor).shown, ['\u{10ffff}'])
  }
})

test('text that is no cursor of this order is refused', () => {
  const { nextCursor } = pageOf(['a', 'b'], 1)
  const cursorOf = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  for (const text of [
    '',
    'x',
    'a b',
    '!',
    cursorOf('name'),
    cursorOf([1]),
    cursorOf(['name', {}]),
    'A'.repeat(70_000),
  ]) {
    assert.throws(() => pageOf(['a'], 1, text), { code: 'invalid_args', message: /^--after must be the next_cursor/ })
  }
  assert.throws(() => cutPage(['a'], { ...byName, name: 'age' }, { limit: 1, after: nextCursor ?? undefined }), {
    message: '--after continues a list ordered by name; this list is ordered by age',
  })
})
