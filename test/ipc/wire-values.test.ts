import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Decoder, Encoder } from 'cbor-x'
import fc from 'fast-check'
import { decodeWireValue, encodeWireValue, WireSyntaxError, type WireValue } from '../../src/ipc/index.ts'
import { nestingMax } from '../../src/ipc/wire-values.ts'
import { anyCharacter } from '../support/any-character.ts'

const options = { useRecords: false, tagUint8Array: false, mapsAsObjects: true, int64AsNumber: true } as object
const decoder = new Decoder(options)
const encoder = new Encoder(options)

const values: fc.Arbitrary<WireValue> = fc.letrec<{ value: WireValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.maxSafeInteger(),
    fc.double({ noNaN: true }),
    fc.string({ unit: anyCharacter }).filter((text) => text.isWellFormed()),
    fc.boolean(),
    fc.constant(null),
    fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    fc.array(tie('value')),
    fc.dictionary(fc.string(), tie('value'), { noNullPrototype: true }) as fc.Arbitrary<WireValue>,
  ),
})).value

/** A map without a prototype equals one with. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

test('a value comes back as it was', () => {
  fc.assert(
    fc.property(values, (value) => {
      assert.deepEqual(plain(decodeWireValue(encodeWireValue(value))), plain(value))
    }),
  )
})

/** cbor-x misreads negative integers of 64 bits. */
const isReadByCborX = (value: WireValue): boolean => !/(?:^|[[:,])-\d{10,}(?:$|[\],}])/.test(JSON.stringify(value))

test('cbor-x reads what is written', () => {
  fc.assert(
    fc.property(values.filter(isReadByCborX), (value) => {
      assert.deepEqual(plain(decoder.decode(encodeWireValue(value))), plain(value))
    }),
  )
})

test('what cbor-x writes is read', () => {
  fc.assert(
    fc.property(fc.oneof(fc.integer(), fc.string(), fc.array(fc.string()), fc.array(fc.integer())), (value) => {
      assert.deepEqual(decodeWireValue(Buffer.from(encoder.encode(value))), value)
    }),
  )
})

test('the keys of a map are written in the order of their bytes, shorter ones first', () => {
  const bytes = encodeWireValue({ bb: 1, a: 2, c: 3, aa: 4, absent: undefined })
  assert.equal(bytes.toString('hex'), 'a46161026163036261610462626201')
})

for (const [title, hex] of [
  ['an empty input', ''],
  ['a cut off text', '63616'.padEnd(6, '1')],
  ['a text that is not UTF-8', '62c328'],
  ['an array that claims more elements than there are bytes', '9affffffff'],
  ['a byte string that claims four gigabytes', '5affffffff00'],
  ['an indefinite length', '9fff'],
  ['a tag', 'c100'],
  ['undefined', 'f7'],
  ['a key that is not text', 'a10102'],
  ['a key twice', 'a2616101616102'],
  ['an integer in two bytes that fits into one', '1817'],
  ['a length in nine bytes that fits into one', '7b000000000000000161'],
  ['an integer above 2^53', '1b0020000000000001'],
  ['bytes after the value', '0000'],
  ['more than 16 levels', `${'81'.repeat(nestingMax + 1)}00`],
] as const) {
  test(`${title} is refused`, () => {
    assert.throws(() => decodeWireValue(Buffer.from(hex, 'hex')), WireSyntaxError)
  })
}

test('sixteen levels are read', () => {
  assert.doesNotThrow(() => decodeWireValue(Buffer.from(`${'81'.repeat(nestingMax)}00`, 'hex')))
})

test('any bytes are a value or are refused', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      try {
        decodeWireValue(Buffer.from(bytes))
      } catch (error) {
        assert.ok(error instanceof WireSyntaxError, String(error))
      }
    }),
    { numRuns: 2000 },
  )
})

test('a map with the key __proto__ has it as an ordinary key', () => {
  const map = decodeWireValue(encodeWireValue(JSON.parse('{"__proto__": 1}'))) as Record<string, unknown>
  assert.deepEqual(Object.keys(map), ['__proto__'])
  assert.equal(Object.getPrototypeOf(map), null)
})
