import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { encodeCbor } from '../../../src/model/cbor.ts'
import { encodeRecord, encodeSegment, SegmentRecords, StreamFormatError } from '../../../src/model/streams/index.ts'
import { anyRecord } from './arbitraries.ts'

test('a segment splits into its records', () => {
  fc.assert(
    fc.property(fc.array(anyRecord, { maxLength: 20 }), (records) => {
      const stored = records.map(encodeRecord)
      const { raw, index } = encodeSegment(stored)
      const segment = SegmentRecords.cut(raw, index)
      assert.deepEqual(segment.all(), stored)
      assert.equal(segment.count, stored.length)
      assert.equal(segment.startOf(stored.length), raw.length)
    }),
  )
})

const raw = new Uint8Array(12)
const indexes: readonly (readonly [name: string, lengths: Parameters<typeof encodeCbor>[0]])[] = [
  ['ends before the segment', [8, 3]],
  ['ends behind the segment', [8, 5]],
  ['has an empty record', [0, 12]],
  ['has more lengths than the segment has bytes', Array.from({ length: 13 }, () => 1)],
  ['has something else', [8, null]],
  ['is no array', 12],
]
for (const [name, lengths] of indexes) {
  test(`an index is refused that ${name}`, () => {
    assert.equal(SegmentRecords.cut(raw, encodeCbor([8, 4])).count, 2)
    assert.throws(() => SegmentRecords.cut(raw, encodeCbor(lengths)), StreamFormatError)
  })
}

test('an index with bytes behind it is refused', () => {
  assert.throws(() => SegmentRecords.cut(raw, Uint8Array.of(...encodeCbor([8, 4]), 0)), StreamFormatError)
})
