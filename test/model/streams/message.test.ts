import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  commitMessage,
  type MessageFacts,
  parseStreamId,
  parseTrailers,
  sha256,
} from '../../../src/model/streams/index.ts'
import { number, streamId } from './arbitraries.ts'

const root = sha256()
const rootHex = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
const facts: MessageFacts = {
  streamId: parseStreamId('build/42'),
  generation: 0,
  act: null,
  parents: [],
  firstOffset: 0,
  count: 100,
  root,
}

test('a message has the documented form', () => {
  const parents = [{ streamId: parseStreamId('a b@1'), offset: 7 }]
  assert.equal(
    commitMessage({ ...facts, act: 'genesis', parents }),
    [
      'stream build/42: records 0 to 99',
      '',
      'Grite-Stream: build/42',
      'Grite-Generation: 0',
      'Grite-Act: genesis',
      'Grite-Parent: a%20b%401@7',
      'Grite-First-Offset: 0',
      'Grite-Count: 100',
      `Grite-Root: ${rootHex}`,
    ].join('\n'),
  )
})

const subjects: readonly (readonly [change: Partial<MessageFacts>, subject: string])[] = [
  [{ count: 1, firstOffset: 7 }, 'stream build/42: record 7'],
  [{ act: 'genesis', count: 0 }, 'stream build/42: genesis'],
  [{ act: 'merge' }, 'stream build/42: merge, records 0 to 99'],
  [{ streamId: parseStreamId('a\nb') }, 'stream a\\nb: records 0 to 99'],
  [{ streamId: parseStreamId('x'.repeat(61)) }, `stream ${'x'.repeat(59)}…: records 0 to 99`],
]
for (const [change, subject] of subjects) {
  test(`the subject is "${subject}"`, () => {
    assert.equal(commitMessage({ ...facts, ...change }).split('\n')[0], subject)
  })
}

test('trailers read back for every id', () => {
  const parents = fc.array(fc.record({ streamId, offset: number }, { noNullPrototype: true }), { maxLength: 3 })
  const act = fc.constantFrom(null, 'genesis', 'merge')
  fc.assert(
    fc.property(streamId, number, act, parents, number, (id, generation, name, from, first) => {
      const all = { streamId: id, generation, act: name, parents: from, firstOffset: first, count: 3, root }
      assert.deepEqual(parseTrailers(commitMessage(all)), { ...all, root: rootHex })
      assert.deepEqual(parseTrailers(`${commitMessage(all)}\n`), { ...all, root: rootHex })
    }),
  )
})

test('other messages have no trailers', () => {
  const message = commitMessage(facts)
  assert.ok(parseTrailers(message))
  const others = [
    '',
    message.replace('Count: 100', 'Count: 0100'),
    message.replace('Count: 100', 'Count: 9999999999999999'),
    message.replace('Stream: build/42', 'Stream: build%2F42'),
    message.replace('Grite-Generation: 0\n', ''),
    `${message}\nMore: x`,
  ]
  for (const other of others) assert.equal(parseTrailers(other), null)
})
