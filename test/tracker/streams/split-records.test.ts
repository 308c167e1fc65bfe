import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { RecordSplitter } from '../../../src/tracker/streams/split-records.ts'

function split(chunks: readonly string[], delimiter: string): string[] {
  const splitter = new RecordSplitter(Buffer.from(delimiter))
  const records = [...chunks.flatMap((chunk) => splitter.push(Buffer.from(chunk))), ...splitter.end()]
  assert.equal(splitter.nextNumber, records.length + 1)
  return records.map((record) => Buffer.from(record).toString())
}

test('records end at the delimiter, and the last may lack one', () => {
  assert.deepEqual(split(['a\nb\n'], '\n'), ['a', 'b'])
  assert.deepEqual(split(['a\n\nb'], '\n'), ['a', '', 'b'])
  assert.deepEqual(split(['a\r\n'], '\n'), ['a\r'])
  assert.deepEqual(split([], '\n'), [])
})

test('chunks may end anywhere, even inside a delimiter', () => {
  const pieces = fc.array(fc.constantFrom('a', '-', '>', '->', 'b'), { maxLength: 20 })
  fc.assert(
    fc.property(pieces, fc.array(fc.nat(40), { maxLength: 4 }), (parts, cuts) => {
      const text = parts.join('')
      const places = [
        0,
        ...cuts.map((cut) => Math.min(cut, text.length)).sort((left, right) => left - right),
        text.length,
      ]
      const chunks = places.slice(1).map((end, index) => text.slice(places[index], end))
      const expected = text.split('->')
      if (expected.at(-1) === '') expected.pop()
      assert.deepEqual(split(chunks, '->'), expected)
    }),
  )
})
