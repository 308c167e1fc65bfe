import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { encodeCbor } from '../../../src/model/cbor.ts'
import { compareText, formatHex, InvalidArgsError, parseHex } from '../../../src/model/index.ts'
import {
  checkRecord,
  decodeRecord,
  encodeRecord,
  recordEnd,
  recordTime,
  StreamFormatError,
  type StreamRecord,
  sizeOf,
} from '../../../src/model/streams/index.ts'
import { anyRecord } from './arbitraries.ts'

const example: StreamRecord = {
  tsUnixMs: 1_700_000_000_000,
  writer: null,
  key: new TextEncoder().encode('k'),
  contentType: 'text/plain',
  headers: [['a', 'b']],
  producer: null,
  payload: new TextEncoder().encode('hello'),
}

test('a record has the documented bytes', () => {
  assert.equal(
    formatHex(encodeRecord(example)),
    '871b0000018bcfe56800f6416b6a746578742f706c61696e818261616162f64568656c6c6f',
  )
})

test('every record has the bytes of canonical CBOR and reads back', () => {
  fc.assert(
    fc.property(anyRecord, (record) => {
      checkRecord(record)
      const headers = record.headers.toSorted(([left], [right]) => compareText(left, right))
      const { tsUnixMs, writer, key, contentType, producer, payload } = record
      const stored = encodeRecord(record)
      const expected = encodeCbor([
        tsUnixMs,
        writer === null ? null : (parseHex(writer) ?? null),
        key,
        contentType,
        headers,
        producer === null ? null : [producer.id, producer.sequence],
        payload,
      ])
      assert.equal(formatHex(stored), formatHex(expected))
      assert.equal(sizeOf(record), stored.length)
      assert.deepEqual(decodeRecord(stored), { ...record, headers })
      const between = Uint8Array.of(1, ...stored, 2)
      assert.equal(recordEnd(between, 1), stored.length + 1)
      assert.equal(recordTime(between, 1), tsUnixMs)
    }),
  )
})

test('altered bytes are a record in canonical form or a format error', () => {
  fc.assert(
    fc.property(anyRecord, fc.nat(), fc.nat({ max: 255 }), fc.boolean(), (record, place, byte, cut) => {
      const stored = encodeRecord(record).slice()
      const at = place % stored.length
      stored[at] = byte
      const bytes = cut ? stored.subarray(0, at) : stored
      const end = orFormatError(() => recordEnd(bytes, 0))
      const decoded = orFormatError(() => decodeRecord(bytes))
      if (decoded === null) return
      assert.equal(end, bytes.length)
      assert.equal(formatHex(encodeRecord(decoded)), formatHex(bytes))
    }),
    { numRuns: 500 },
  )
})

function orFormatError<Value>(read: () => Value): Value | null {
  try {
    return read()
  } catch (error) {
    assert.ok(error instanceof StreamFormatError)
    return null
  }
}

const damaged: readonly (readonly [name: string, hex: string])[] = [
  ['six elements', '8600f6f6f680f640'],
  ['a longer head', '871800f6f6f680f640'],
  ['a time above 2^53', '871b0020000000000000f6f6f680f640'],
  ['a writer of 15 bytes', `87004f${'00'.repeat(15)}f6f680f640`],
  ['a header name twice', '8700f6f6f682826161616282616161 62f640'.replace(' ', '')],
  ['headers out of order', '8700f6f6f68282616261628261616162f640'],
  ['text that is not UTF-8', '8700f6f661ff80f640'],
  ['a byte behind', '8700f6f6f680f64000'],
  ['a payload beyond the data', '8700f6f6f680f64101'.slice(0, -2)],
  ['more headers than bytes', '8700f6f6f69affffffff'],
]
for (const [name, hex] of damaged) {
  test(`a record with ${name} is damaged`, () => {
    decodeRecord(parseHex('8700f6f6f680f640') as Uint8Array)
    assert.throws(() => decodeRecord(parseHex(hex) as Uint8Array), StreamFormatError)
  })
}

const many = (count: number): StreamRecord['headers'] => Array.from({ length: count }, (_, index) => [`${index}`, ''])
const over: readonly (readonly [what: RegExp, within: Partial<StreamRecord>, beyond: Partial<StreamRecord>])[] = [
  [/timestamp/, { tsUnixMs: 2 ** 53 - 1 }, { tsUnixMs: 2 ** 53 }],
  [/content type/, { contentType: '\u{10000}' }, { contentType: '\ud800' }],
  [/headers are 257/, { headers: many(256) }, { headers: many(257) }],
  [/headers have 65537 bytes/, { headers: [['n', 'x'.repeat(65_535)]] }, { headers: [['n', 'x'.repeat(65_536)]] }],
  [
    /'a' twice/,
    { headers: [['a', '']] },
    {
      headers: [
        ['a', ''],
        ['b', ''],
        ['a', ''],
      ],
    },
  ],
  [
    /producer id is longer than 256/,
    { producer: { id: 'é'.repeat(128), sequence: 0 } },
    { producer: { id: `${'é'.repeat(128)}a`, sequence: 0 } },
  ],
  [/producer sequence/, { producer: { id: 'p', sequence: 0 } }, { producer: { id: 'p', sequence: -1 } }],
  [/record has/, { payload: new Uint8Array(2 ** 20) }, { payload: new Uint8Array(2 ** 20 + 1024) }],
]
for (const [what, within, beyond] of over) {
  test(`a writer refuses a record: ${what.source}`, () => {
    checkRecord({ ...example, ...within })
    assert.throws(
      () => checkRecord({ ...example, ...beyond }),
      (error) => error instanceof InvalidArgsError && what.test(error.message),
    )
  })
}

test('the limit of a record can be raised', () => {
  checkRecord({ ...example, payload: new Uint8Array(2 ** 21) }, 2 ** 21)
})
