import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { decodeCbor, encodeCbor, scanCbor } from '../../src/model/cbor.ts'
import { encodePreimage } from '../../src/model/event-codec.ts'
import {
  compareText,
  computeEventId,
  decodeChunk,
  decodeRecord,
  type Event,
  type EventBody,
  encodeChunk,
  encodeEventChunk,
  encodeRecord,
  identifyEvent,
  readCommentOn,
} from '../../src/model/index.ts'
import { anyCharacter } from '../support/any-character.ts'
import { anyEvent, theIssue } from './arbitraries.ts'

/** A body as a record stores it: lists in format order. Written independently of the codec. */
function storedBody(body: EventBody): EventBody {
  const byBytes = (left: string, right: string) => Buffer.compare(Buffer.from(left), Buffer.from(right))
  if (body.type === 'IssueCreated') return { ...body, labels: [...body.labels].sort(byBytes) }
  if (body.type !== 'ContextUpdated') return body
  const symbols = [...body.symbols].sort((a, b) => byBytes(a.name, b.name) || byBytes(a.kind, b.kind))
  return { ...body, symbols }
}

function plain(event: Event): unknown {
  return { ...event, body: { ...storedBody(event.body) }, sig: event.sig && [...event.sig] }
}

test('a decoded record equals the encoded event', () => {
  fc.assert(
    fc.property(anyEvent, (event) => {
      const decoded = decodeRecord(encodeRecord(event))
      assert.ok('event' in decoded)
      assert.deepEqual(plain(decoded.event), plain(event))
      assert.equal(computeEventId(decoded.event), event.eventId)
    }),
  )
})

test('an id that is not hex is refused', () => {
  const event = identifyEvent({
    ...{ issueId: theIssue, actor: 'ab'.repeat(16) as Event['actor'], tsUnixMs: 1, parent: null },
    body: { type: 'CommentAdded', body: 'text' },
  })
  const upper = encodeRecord({ ...event, eventId: event.eventId.toUpperCase() as Event['eventId'] })
  assert.deepEqual(upper, encodeRecord(event))
  for (const wrong of ['abc', 'zz', '0g', 'g0', '\u0130a', '\u2032a']) {
    assert.throws(() => encodeRecord({ ...event, eventId: wrong as Event['eventId'] }), TypeError)
  }
})

test('a comment read from its record equals the decoded event', () => {
  fc.assert(
    fc.property(anyEvent, ({ parent, sig, ...event }) => {
      const { eventId, issueId, actor, tsUnixMs, body } = event
      const record = encodeRecord({ parent, sig, ...event })
      const expected = body.type === 'CommentAdded' ? { eventId, issueId, actor, tsUnixMs, body: body.body } : undefined
      assert.deepEqual(readCommentOn(new Set([issueId]), record), expected)
      assert.equal(readCommentOn(new Set(), record), undefined)
    }),
    { numRuns: 500 },
  )
})

test('a decoded chunk holds the events in order with their bytes', () => {
  fc.assert(
    fc.property(fc.array(anyEvent, { minLength: 1, maxLength: 30 }), (events) => {
      const bytes = encodeEventChunk(events)
      const chunk = decodeChunk(bytes)
      assert.equal(chunk.problem, null)
      assert.deepEqual(chunk.damaged, [])
      assert.deepEqual(
        chunk.events.map(({ event }) => plain(event)),
        events.map(plain),
      )
      assert.deepEqual(encodeChunk(chunk.events.map(({ record }) => record)), bytes)
    }),
  )
})

test('a decoded event shares no memory with its record', () => {
  const event = identifyEvent({
    issueId: theIssue,
    actor: theIssue as never,
    tsUnixMs: 1,
    parent: null,
    body: { type: 'CommentAdded', body: 'x' },
  })
  const record = encodeRecord({ ...event, sig: new Uint8Array(64) })
  for (const bytes of [Buffer.from(record), Uint8Array.from(record)]) {
    const decoded = decodeRecord(bytes)
    assert.ok('event' in decoded)
    bytes.fill(7)
    assert.deepEqual(decoded.event, { ...event, sig: new Uint8Array(64) })
  }
})

for (const count of [1, 23, 24, 255, 256, 65_535, 65_536]) {
  test(`a chunk of ${count} records has the shortest head`, () => {
    const record = encodeRecord(
      identifyEvent({
        issueId: theIssue,
        actor: theIssue as never,
        tsUnixMs: 1,
        parent: null,
        body: { type: 'CommentAdded', body: '' },
      }),
    )
    const bytes = encodeChunk(Array.from({ length: count }, () => record))
    const head = count < 24 ? 1 : count < 256 ? 2 : count < 65_536 ? 3 : 5
    assert.equal(bytes.length, 18 + head + count * record.length)
    if (count <= 256) assert.equal(decodeChunk(bytes).events.length, count)
  })
}

test('an empty chunk cannot be encoded', () => {
  assert.throws(() => encodeChunk([]), RangeError)
})

test('the id ignores label order but not label count', () => {
  fc.assert(
    fc.property(anyEvent, fc.array(fc.string({ unit: anyCharacter }), { minLength: 1 }), (event, labels) => {
      const id = (list: readonly string[]) =>
        computeEventId({ ...event, body: { type: 'IssueCreated', title: '', body: '', labels: list } })
      assert.equal(id([...labels].reverse()), id(labels))
      assert.equal(id([...labels].sort(compareText)), id(labels))
      assert.notEqual(id([...labels, labels[0] as string]), id(labels))
    }),
  )
})

test('the signature is not part of the id', () => {
  fc.assert(
    fc.property(anyEvent, (event) =>
      assert.deepEqual(encodePreimage({ ...event, sig: null } as Event), encodePreimage(event)),
    ),
  )
})

describe('canonical CBOR', () => {
  const value = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small', maxDepth: 3 },
      fc.maxSafeNat(),
      fc.nat({ max: 300 }),
      fc.string({ unit: anyCharacter }),
      fc.uint8Array(),
      fc.constant(null),
      fc.array(tie('value'), { maxLength: 30 }),
    ),
  })).value

  test('a scan accepts encoded values and ends at their end', () => {
    fc.assert(
      fc.property(value, fc.uint8Array({ maxLength: 4 }), (item, rest) => {
        const encoded = encodeCbor(item as never)
        const bytes = Uint8Array.of(...encoded, ...rest)
        assert.deepEqual(scanCbor(bytes, 0, 5), { end: encoded.length, canonical: true })
        assert.deepEqual(normal(decodeCbor(encoded)), normal(item))
      }),
    )
  })

  test('a canonical scan means re-encoding gives the same bytes', () => {
    fc.assert(
      fc.property(value, fc.nat(), fc.nat({ max: 255 }), (item, where, byte) => {
        const bytes = Uint8Array.from(encodeCbor(item as never))
        bytes[where % bytes.length] = byte
        const scan = tryScan(bytes)
        if (scan === undefined || scan.end !== bytes.length) return
        const decoded = decodeCbor(bytes)
        if (!isWritable(decoded)) return
        const again = encodeCbor(decoded as never)
        assert.equal(Buffer.compare(again, bytes) === 0, scan.canonical)
      }),
      { numRuns: 2000 },
    )
  })

  function tryScan(bytes: Uint8Array): ReturnType<typeof scanCbor> | undefined {
    try {
      return scanCbor(bytes, 0, 8)
    } catch {
      return undefined
    }
  }

  /** Text that was not UTF-8 has lost its bytes; integers above 2^64 do not exist, those above 2^53 are BigInts. */
  function isWritable(item: unknown): boolean {
    if (typeof item === 'string') return !item.includes('\ufffd')
    if (typeof item === 'bigint') return item > 0xffff_ffffn
    return Array.isArray(item) ? item.every(isWritable) : true
  }

  function normal(item: unknown): unknown {
    if (typeof item === 'bigint') return Number(item)
    if (item instanceof Uint8Array) return [...item]
    return Array.isArray(item) ? item.map(normal) : item
  }

  for (const number of [-1, 1.5, Number.NaN, 2 ** 53, Number.POSITIVE_INFINITY]) {
    test(`${number} cannot be encoded`, () => assert.throws(() => encodeCbor(number), RangeError))
  }

  const hostile: readonly (readonly [string, string])[] = [
    ['nothing', ''],
    ['half a head', '19 01'],
    ['array of 2^32', '9a ff ff ff ff'],
    ['array of 2^64 - 1', '9b ff ff ff ff ff ff ff ff'],
    ['text of 2^64 - 1 bytes', '7b ff ff ff ff ff ff ff ff'],
    ['bytes of 2^32 - 1', '5a ff ff ff ff 00'],
    ['indefinite array', '9f ff'],
    ['indefinite text', '7f 61 61 ff'],
    ['indefinite bytes', '5f ff'],
    ['reserved length', '1c'],
    ['negative integer', '20'],
    ['map', 'a0'],
    ['tag', 'c0 00'],
    ['false', 'f4'],
    ['undefined', 'f7'],
    ['float', 'fb 00 00 00 00 00 00 00 00'],
    ['half float', 'f9 00 00'],
    ['break', 'ff'],
    ['five levels', '81 81 81 81 81 00'],
    ['a thousand levels', '81 '.repeat(1000)],
  ]
  for (const [what, hex] of hostile) {
    test(`a scan refuses ${what}`, () => {
      const bytes = Buffer.from(hex.replaceAll(' ', ''), 'hex')
      assert.throws(() => scanCbor(bytes, 0, 4), { name: 'CborSyntaxError' })
    })
  }

  const long: readonly string[] = [
    '18 17',
    '19 00 ff',
    '1a 00 00 ff ff',
    '1b 00 00 00 00 ff ff ff ff',
    '58 00',
    '78 00',
    '98 00',
    '81 18 00',
  ]
  for (const hex of long) {
    test(`a scan reports that ${hex} is not the shortest form`, () => {
      const bytes = Buffer.from(hex.replaceAll(' ', ''), 'hex')
      assert.deepEqual(scanCbor(bytes, 0, 4), { end: bytes.length, canonical: false })
    })
  }
})
