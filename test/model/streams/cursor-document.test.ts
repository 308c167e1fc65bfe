import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type CursorDocument,
  formatCursor,
  type Incarnation,
  isCursorName,
  parseCursor,
  parseStreamId,
  StreamFormatError,
} from '../../../src/model/streams/index.ts'

const cursor: CursorDocument = {
  name: 'worker 1',
  streamId: parseStreamId('build/42'),
  incarnation: '0011223344556677' as Incarnation,
  epoch: 1,
  offset: 7,
  leaf: 'ab'.repeat(32),
  actor: null,
  reason: 'nightly',
  labels: [
    ['__proto__', 'x'],
    ['b', 'y'],
  ],
  createdTs: 1_700_000_000_000,
  updatedTs: 1_700_000_000_001,
}

test('a cursor reads back', () => {
  assert.deepEqual(parseCursor(formatCursor(cursor)), cursor)
  const start = { ...cursor, offset: 0, leaf: null }
  assert.deepEqual(parseCursor(formatCursor(start)), start)
})

const wrong: readonly (readonly [name: string, change: Readonly<Record<string, unknown>>])[] = [
  ['a leaf at offset 0', { offset: 0 }],
  ['no leaf at another offset', { leaf: null }],
  ['another version', { schema_version: 2 }],
  ['an offset with a fraction', { offset: 1.5 }],
  ['epoch 0', { epoch: 0 }],
  ['a name with a control character', { name: 'a\u001b' }],
  ['a label that is no text', { labels: { a: 1 } }],
]
for (const [name, change] of wrong) {
  test(`a cursor with ${name} is refused`, () => {
    const document = JSON.parse(formatCursor(cursor))
    parseCursor(JSON.stringify(document))
    assert.throws(() => parseCursor(JSON.stringify({ ...document, ...change })), StreamFormatError)
  })
}

test('a cursor name is printable and short', () => {
  for (const name of ['a', 'Ä 😀', 'x'.repeat(256)]) assert.ok(isCursorName(name), name)
  for (const name of ['', ' ', 'a\n', '\u202e', 'x'.repeat(257), 'é'.repeat(129)]) assert.ok(!isCursorName(name), name)
})
