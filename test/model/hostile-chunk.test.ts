import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { type CborValue, encodeCbor } from '../../src/model/cbor.ts'
import {
  blake2b256,
  type DecodedChunk,
  decodeChunk,
  encodeChunk,
  encodeEventChunk,
  encodeRecord,
  formatHex,
} from '../../src/model/index.ts'
import { anyEvent } from './arbitraries.ts'

const headerBytes = 18
const issue = new Uint8Array(16).fill(1)
const actor = new Uint8Array(16).fill(2)

/** A record with any content and a matching id. */
function makeRecord(
  ts: CborValue,
  tag: CborValue,
  payload: CborValue,
  ids: Partial<{ issue: CborValue; actor: CborValue; parent: CborValue }> = {},
): Uint8Array {
  const shared = [ids.issue ?? issue, ids.actor ?? actor, ts, ids.parent ?? null, tag, payload]
  return encodeCbor([blake2b256(encodeCbor([1, ...shared])), ...shared, null])
}

const good = makeRecord(5, 3, ['fine'])
const chunkOf = (...records: Uint8Array[]) => decodeChunk(encodeChunk(records))

function assertGoodKept(chunk: DecodedChunk): void {
  assert.deepEqual(
    chunk.events.map(({ record }) => Buffer.from(record).toString('hex')),
    Array(2).fill(Buffer.from(good).toString('hex')),
  )
}

describe('unknown records with a matching id', () => {
  const strange: readonly (readonly [string, Uint8Array, RegExp])[] = [
    ['an unknown kind', makeRecord(5, 15, ['x']), /^unknown kind tag 15$/],
    ['a kind beyond 2^32', makeRecord(5, 2 ** 40, []), /^unknown kind tag/],
    ['a kind that is a text', makeRecord(5, 'x', []), /^unknown kind tag "x"$/],
    ['a longer payload', makeRecord(5, 3, ['x', null]), /^CommentAdded payload is not an array of 1$/],
    ['a payload of another type', makeRecord(5, 3, 7), /^CommentAdded payload is not an array of 1$/],
    ['a text that is a number', makeRecord(5, 3, [7]), /^CommentAdded body is not text$/],
    ['a state that does not exist', makeRecord(5, 6, ['burning']), /^StateChanged state is not one of open, closed$/],
    ['a short target', makeRecord(5, 11, [new Uint8Array(15), 'blocks']), /^DependencyAdded target is not 16 bytes$/],
    ['a strange dependency type', makeRecord(5, 11, [issue, 'hates']), /^DependencyAdded dep_type is not one of/],
    ['a label that is null', makeRecord(5, 1, ['t', 'b', [null]]), /^IssueCreated labels is not an array of text$/],
    [
      'a line beyond 2^32',
      makeRecord(5, 13, ['p', 'l', [['n', 'k', 1, 2 ** 32]], 's', new Uint8Array(32)]),
      /^ContextUpdated symbols/,
    ],
    ['a short issue id', makeRecord(5, 3, ['x'], { issue: new Uint8Array(15) }), /^issue_id is not 16 bytes$/],
    ['an actor that is a text', makeRecord(5, 3, ['x'], { actor: 'me' }), /^actor is not 16 bytes$/],
    [
      'a short parent',
      makeRecord(5, 3, ['x'], { parent: new Uint8Array(31) }),
      /^parent is neither null nor 32 bytes$/,
    ],
    ['a time beyond 2^53', makeRecord(2n ** 53n, 3, ['x']), /^ts_unix_ms is not/],
    ['a time of 2^64 - 1', makeRecord(2n ** 64n - 1n, 3, ['x']), /^ts_unix_ms is not/],
    ['a time that is null', makeRecord(null, 3, ['x']), /^ts_unix_ms is not/],
  ]
  for (const [what, record, reason] of strange) {
    test(`a record with ${what} is kept raw and hides no other`, () => {
      const chunk = chunkOf(good, record, good)
      assertGoodKept(chunk)
      assert.equal(chunk.problem, null)
      assert.equal(chunk.damaged.length, 1)
      assert.match(chunk.damaged[0]?.reason ?? '', reason)
      assert.deepEqual(Buffer.from(chunk.damaged[0]?.record ?? []), Buffer.from(record))
    })
  }

  test('a raw record decodes the same after a re-append', () => {
    const first = chunkOf(makeRecord(5, 15, [[['x']]]))
    const record = first.damaged[0]?.record
    assert.ok(record)
    assert.deepEqual(chunkOf(record).damaged[0]?.eventId, first.damaged[0]?.eventId)
  })
})

describe('records without a matching id', () => {
  const withByte = (bytes: Uint8Array, at: number, byte: number) =>
    Uint8Array.from(bytes, (value, index) => (index === at ? byte : value))
  const preimageOf = (text: Uint8Array) =>
    Uint8Array.of(0x87, 1, 0x50, ...issue, 0x50, ...actor, 5, 0xf6, 3, 0x81, 0x60 | text.length, ...text)
  const notUtf8 = preimageOf(Uint8Array.of(0xff, 0xfe))
  const idOfNotUtf8 = blake2b256(notUtf8)
  const bad: readonly (readonly [string, Uint8Array, RegExp])[] = [
    ['another id', withByte(good, 5, (good[5] as number) ^ 1), /^event_id does not match its content$/],
    ['another content', withByte(good, good.length - 2, 0x45), /^event_id does not match its content$/],
    [
      'a short id',
      encodeCbor([new Uint8Array(31), issue, actor, 5, null, 3, ['x'], null]),
      /^event_id is not 32 bytes$/,
    ],
    [
      'seven elements',
      encodeCbor([new Uint8Array(32), issue, actor, 5, null, 3, ['x']]),
      /^record is not an array of 8$/,
    ],
    ['no array', encodeCbor('hello'), /^record is not an array of 8$/],
    [
      'a signature that is a text',
      encodeCbor([new Uint8Array(32), issue, actor, 5, null, 3, ['x'], 'sig']),
      /^sig is neither/,
    ],
    [
      'text that is not UTF-8',
      Uint8Array.of(0x88, 0x58, 0x20, ...idOfNotUtf8, ...notUtf8.subarray(2), 0xf6),
      /^text is not UTF-8$/,
    ],
  ]
  for (const [what, record, reason] of bad) {
    test(`a record with ${what} is named and hides no other`, () => {
      const chunk = chunkOf(good, record, good)
      assertGoodKept(chunk)
      assert.equal(chunk.damaged.length, 1)
      assert.match(chunk.damaged[0]?.reason ?? '', reason)
      assert.equal(chunk.damaged[0]?.record, null)
    })
  }

  test('a replacement character is ordinary text', () => {
    const chunk = chunkOf(makeRecord(5, 3, ['a\ufffdb']))
    assert.deepEqual(chunk.damaged, [])
    assert.equal(chunk.events.length, 1)
  })

  const longTime = Uint8Array.of(0x87, 1, 0x50, ...issue, 0x50, ...actor, 0x18, 5, 0xf6, 3, 0x81, 0x61, 0x78)
  const long: readonly (readonly [string, Uint8Array])[] = [
    ['head', Uint8Array.of(0x98, 8, ...good.subarray(1))],
    ['signature', Uint8Array.of(...good.subarray(0, -1), 0x58, 0)],
    ['time', Uint8Array.of(0x88, 0x58, 0x20, ...blake2b256(longTime), ...longTime.subarray(2), 0xf6)],
  ]
  for (const [what, record] of long) {
    test(`a record with an overlong ${what} is rejected`, () => {
      const chunk = chunkOf(good, record, good)
      assertGoodKept(chunk)
      assert.match(chunk.damaged[0]?.reason ?? '', /^event_id does not match/)
    })
  }
})

describe('malformed chunks', () => {
  const header = encodeChunk([good]).subarray(0, headerBytes)
  const files: readonly (readonly [string, Uint8Array, RegExp])[] = [
    ['nothing', new Uint8Array(), /^chunk is shorter than its header$/],
    ['half a header', header.subarray(0, 9), /^chunk is shorter than its header$/],
    ['another magic', Uint8Array.from([0x67, ...header.subarray(1), 0x80]), /^chunk header differs at byte 0$/],
    [
      'another version',
      Uint8Array.from([...header.subarray(0, 8), 2, ...header.subarray(9), 0x80]),
      /^chunk header differs at byte 8$/,
    ],
    ['only a header', header, /^data ends at byte 18$/],
    ['no array', Uint8Array.from([...header, 0x01]), /^chunk does not hold an array$/],
    ['more records stated than held', Uint8Array.from([...header, 0x83, ...good, ...good]), /^data ends at byte/],
    [
      'fewer records stated than held',
      Uint8Array.from([...header, 0x81, ...good, ...good]),
      /bytes after the array of records$/,
    ],
    ['2^32 records stated', Uint8Array.from([...header, 0x9a, 255, 255, 255, 255]), /longer than the data$/],
    [
      '2^64 records stated',
      Uint8Array.from([...header, 0x9b, 255, 255, 255, 255, 255, 255, 255, 255]),
      /longer than the data$/,
    ],
    ['deep nesting', Uint8Array.from([...header, ...Array(100_000).fill(0x81), 0]), /^nesting too deep/],
  ]
  for (const [what, bytes, problem] of files) {
    // Covers `cborNestingMax`.
    test(`a chunk of ${what} is a problem, not an exception`, () => {
      assert.match(decodeChunk(bytes).problem ?? '', problem)
    })
  }

  test('records before a cut are returned', () => {
    const bytes = encodeChunk([good, good, good])
    const chunk = decodeChunk(bytes.subarray(0, bytes.length - 1))
    assertGoodKept(chunk)
    assert.notEqual(chunk.problem, null)
  })
})

describe('fuzzed chunks', () => {
  const events = fc.array(anyEvent, { minLength: 1, maxLength: 6 })
  const damage = fc.array(
    fc.oneof(
      fc.record({ do: fc.constant('flip' as const), at: fc.nat(), bit: fc.nat({ max: 7 }) }),
      fc.record({
        do: fc.constant('set' as const),
        at: fc.nat(),
        byte: fc.constantFrom(0x00, 0x9f, 0xff, 0x9b, 0x5b, 0x7b, 0xc1, 0xf6, 0x98),
      }),
      fc.record({ do: fc.constant('cut' as const), at: fc.nat() }),
      fc.record({
        do: fc.constant('insert' as const),
        at: fc.nat(),
        bytes: fc.uint8Array({ minLength: 1, maxLength: 9 }),
      }),
      fc.record({ do: fc.constant('delete' as const), at: fc.nat(), count: fc.integer({ min: 1, max: 9 }) }),
    ),
    { minLength: 1, maxLength: 4 },
  )
  type Damage = typeof damage extends fc.Arbitrary<(infer One)[]> ? One : never

  function harm(bytes: Uint8Array, one: Damage): Uint8Array {
    const at = one.at % (bytes.length + 1)
    switch (one.do) {
      case 'flip':
        return bytes.map((byte, index) => (index === at ? byte ^ (1 << one.bit) : byte))
      case 'set':
        return bytes.map((byte, index) => (index === at ? one.byte : byte))
      case 'cut':
        return bytes.slice(0, at)
      case 'insert':
        return Uint8Array.from([...bytes.subarray(0, at), ...one.bytes, ...bytes.subarray(at)])
      case 'delete':
        return Uint8Array.from([...bytes.subarray(0, at), ...bytes.subarray(at + one.count)])
    }
  }

  test('a damaged chunk never throws and never invents events', () => {
    fc.assert(
      fc.property(events, damage, (list, damages) => {
        const chunk = decodeChunk(damages.reduce(harm, encodeEventChunk(list)))
        const ids = new Set(list.map(({ eventId }) => eventId))
        for (const { event } of chunk.events) assert.ok(ids.has(event.eventId))
        for (const { record, eventId } of chunk.damaged)
          if (record !== null) assert.ok(eventId !== null && ids.has(eventId))
        assert.ok(chunk.problem !== null || chunk.events.length + chunk.damaged.length > 0)
      }),
      { numRuns: 1500 },
    )
  })

  test('a flipped bit in one id keeps every other event', () => {
    fc.assert(
      fc.property(events, fc.nat(), fc.nat({ max: 31 }), fc.nat({ max: 7 }), (list, which, at, bit) => {
        const records = list.map(encodeRecord)
        const index = which % records.length
        const harmed = Uint8Array.from(records[index] as Uint8Array)
        // One byte head of the record, two of the id, then its 32 bytes.
        harmed[3 + at] = (harmed[3 + at] as number) ^ (1 << bit)
        const chunk = decodeChunk(encodeChunk(records.map((record, place) => (place === index ? harmed : record))))
        assert.equal(chunk.problem, null)
        assert.deepEqual(
          chunk.events.map(({ event }) => event.eventId),
          list.filter((_, place) => place !== index).map(({ eventId }) => eventId),
        )
        assert.deepEqual(
          chunk.damaged.map(({ reason }) => reason),
          ['event_id does not match its content'],
        )
      }),
    )
  })

  test('arbitrary bytes after a header never throw', () => {
    const header = encodeChunk([good]).subarray(0, headerBytes)
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const chunk = decodeChunk(Uint8Array.from([...header, ...bytes]))
        assert.deepEqual(chunk.events, [])
      }),
      { numRuns: 2000 },
    )
  })

  test('a million empty arrays are walked in linear time', () => {
    const header = encodeChunk([good]).subarray(0, headerBytes)
    const count = 1_000_000
    const bytes = new Uint8Array(headerBytes + 5 + count).fill(0x80)
    bytes.set(header)
    bytes.set([0x9a, count >>> 24, (count >> 16) & 255, (count >> 8) & 255, count & 255], headerBytes)
    const started = performance.now()
    const chunk = decodeChunk(bytes)
    assert.equal(chunk.damaged.length + chunk.damagedUnnamed, count)
    // A quadratic walk would take hours.
    assert.ok(performance.now() - started < 60_000)
  })

  test('an id is the hash of its stored content', () => {
    fc.assert(
      fc.property(anyEvent, (event) => {
        const record = encodeRecord(event)
        assert.equal(formatHex(record.subarray(3, 35)), event.eventId)
      }),
    )
  })
})

test('damaged records are named up to a thousand, then counted', () => {
  const chunk = chunkOf(good, ...Array.from({ length: 1200 }, () => Uint8Array.of(0x80)), good)
  assertGoodKept(chunk)
  assert.deepEqual([chunk.damaged.length, chunk.damagedUnnamed, chunk.problem], [1000, 200, null])
  const fewer = chunkOf(good, ...Array.from({ length: 1000 }, () => Uint8Array.of(0x80)), good)
  assert.deepEqual([fewer.damaged.length, fewer.damagedUnnamed], [1000, 0])
})
