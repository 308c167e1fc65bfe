import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Encoder } from 'cbor-x/index-no-eval'
import fc from 'fast-check'
import { type CborValue, decodeCbor, encodeCbor, scanCbor } from '../../src/model/cbor.ts'
import { encodeRecord } from '../../src/model/index.ts'
import { anyEvent, text } from './arbitraries.ts'

/** Another implementation, as an independent judge. */
const judge = new Encoder({
  useRecords: false,
  tagUint8Array: false,
  mapsAsObjects: false,
  int64AsNumber: false,
} as object)

/** cbor-x writes integers above 2^32 as floats unless they are BigInts. */
function forJudge(value: CborValue): CborValue {
  if (typeof value === 'number' && value > 0xffff_ffff) return BigInt(value)
  return Array.isArray(value) ? value.map(forJudge) : value
}

const numbers = fc.oneof(
  fc.constantFrom(0, 23, 24, 255, 256, 65_535, 65_536, 0xffff_ffff, 0x1_0000_0000, Number.MAX_SAFE_INTEGER),
  fc.nat(),
  fc.maxSafeNat(),
)
const longText = fc.string({ unit: 'grapheme', minLength: 15, maxLength: 400 })
const scalar: fc.Arbitrary<CborValue> = fc.oneof(
  fc.constant(null),
  numbers,
  text,
  longText,
  fc.uint8Array({ maxLength: 300 }),
)
const value = fc.letrec<{ item: CborValue }>((tie) => ({
  item: fc.oneof({ maxDepth: 4 }, scalar, fc.array(tie('item'), { maxLength: 30 })),
})).item

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

describe('canonical CBOR', () => {
  it('encodes every value as cbor-x does', () => {
    fc.assert(fc.property(value, (any) => assert.equal(hex(encodeCbor(any)), hex(judge.encode(forJudge(any))))))
  })

  it('encodes every event as cbor-x does', () => {
    fc.assert(
      fc.property(anyEvent, (event) => {
        const record = encodeRecord(event)
        assert.equal(hex(record), hex(judge.encode(judge.decode(record))))
      }),
    )
  })

  it('decodes every value as cbor-x does', () => {
    fc.assert(
      fc.property(value, (any) => {
        const bytes = encodeCbor(any)
        assert.deepEqual(scanCbor(bytes, 0, 6), { end: bytes.length, canonical: true })
        // cbor-x drops a byte order mark.
        if (!JSON.stringify(any).includes('\ufeff')) assert.deepEqual(decodeCbor(bytes), judge.decode(bytes))
        assert.equal(hex(encodeCbor(decodeCbor(bytes) as CborValue)), hex(bytes))
      }),
    )
  })

  it('decodes heads that are longer than needed', () => {
    for (const bytes of ['1817', '190017', '1a00000017', '5801ff', '590001ff', '7a0000000161', '980181f6']) {
      const encoded = Buffer.from(bytes, 'hex')
      assert.deepEqual(decodeCbor(encoded), judge.decode(encoded))
    }
  })

  it('a value that cannot be encoded leaves nothing for the next one', () => {
    assert.throws(() => encodeCbor(['left over', -1]), RangeError)
    assert.equal(hex(encodeCbor(7)), '07')
  })

  it('encoded bytes stay as they are when the next value is encoded', () => {
    const first = encodeCbor('first')
    encodeCbor('other')
    assert.equal(hex(first), '656669727374')
  })

  it('encodes texts and byte strings longer than the buffer', () => {
    for (const any of ['x'.repeat(100_000), '\u20ac'.repeat(70_000), new Uint8Array(300_000).fill(9)])
      assert.equal(hex(encodeCbor([any, 1])), hex(judge.encode([any, 1])))
  })

  it('refuses numbers outside of the subset', () => {
    for (const number of [-1, 1.5, Number.NaN, 2 ** 53, 1n << 64n])
      assert.throws(() => encodeCbor([number]), RangeError)
  })

  it('a decoded byte string is a view into the bytes', () => {
    const bytes = encodeCbor(Uint8Array.of(1, 2, 3))
    const view = decodeCbor(bytes) as Uint8Array
    assert.equal(view.buffer, bytes.buffer)
  })
})
