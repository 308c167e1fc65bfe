import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { InvalidArgsError } from '../../../src/model/index.ts'
import {
  encodeStreamId,
  parseStreamId,
  parseStreamRef,
  percentDecodeId,
  percentEncodeId,
  type StreamId,
  streamRefOf,
} from '../../../src/model/streams/index.ts'
import { streamId } from './arbitraries.ts'

const refused: readonly (readonly [id: string, fault: RegExp])[] = [
  ['', /no visible character/],
  [' \t\n', /no visible character/],
  ['a\ud800', /not valid Unicode/],
  ['é'.repeat(257), /longer than 512 bytes/],
]
for (const [id, fault] of refused) {
  test(`a stream id is refused: ${fault.source}`, () => {
    assert.equal(parseStreamId('a'), 'a')
    assert.throws(
      () => parseStreamId(id),
      (error) => error instanceof InvalidArgsError && fault.test(error.message),
    )
  })
}

test('any other text is a stream id', () => {
  fc.assert(fc.property(streamId, (id) => assert.equal(parseStreamId(id), id)))
})

test('the ref of a stream has a fixed form', () => {
  const ref = streamRefOf('origin', 3)
  assert.equal(ref, 'refs/grite/streams/og5hhvmaolrg1vaee3ofe2ikd27corpd.3')
  assert.deepEqual(parseStreamRef(ref), { encoded: encodeStreamId('origin'), generation: 3 })
  for (const other of [
    `${ref}.1`,
    ref.replace('.3', '.03'),
    ref.replace('.3', ''),
    ref.replace('streams', 'wal'),
    `${ref}/`,
  ])
    assert.equal(parseStreamRef(other), null)
})

test('percent encoding keeps every id', () => {
  assert.equal(percentEncodeId('a/b c@é'), 'a/b%20c%40%C3%A9')
  fc.assert(
    fc.property(streamId, (id: StreamId) => {
      const encoded = percentEncodeId(id)
      assert.match(encoded, /^[!-~]+$/)
      assert.equal(percentDecodeId(encoded), id)
    }),
  )
})

test('percent decoding refuses other spellings', () => {
  for (const text of ['%41', '%c3%a9', '%', 'é', '%FF', 'a b']) assert.equal(percentDecodeId(text), null)
})
