/** The fast decoder of chunks against the general one: what it accepts, both decode to the same. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type CborValue, encodeCbor } from '../../../src/model/cbor.ts'
import {
  blake2b256,
  chunkHeaderBytes,
  decodeChunk,
  type Event,
  encodeChunk,
  encodeEventChunk,
  encodeRecord,
  identifyEvent,
} from '../../../src/model/index.ts'
import { decodePlainChunk } from '../../../src/wal/issue-log/plain-chunk.ts'
import { anyEvent } from '../../model/arbitraries.ts'
import { mutate, randomOf } from '../../support/mutate.ts'

/** Checks that a chunk is decoded like by the general decoder, or left to it. Returns whether it was decoded. */
function compare(bytes: Uint8Array): boolean {
  const plain = decodePlainChunk(Buffer.from(bytes))
  if (plain === null) return false
  const general = decodeChunk(bytes)
  const hexOf = (record: Uint8Array) => Buffer.from(record).toString('hex')
  assert.deepEqual(
    plain.map(({ event, record }) => ({ event, record: hexOf(record) })),
    general.events.map(({ event, record }) => ({ event, record: hexOf(record) })),
  )
  assert.deepEqual({ ...general, events: [] }, { events: [], damaged: [], damagedUnnamed: 0, problem: null })
  return true
}

const hasSymbols = ({ body }: Event) => body.type === 'ContextUpdated'
const isLongAgo = ({ tsUnixMs }: Event) => tsUnixMs < 2 ** 32

test('events of writers are decoded', () => {
  const texts = ({ body }: Event) => JSON.stringify(body)
  fc.assert(
    fc.property(fc.array(anyEvent, { minLength: 1, maxLength: 6 }), (events) => {
      const isPlain = !events.some(
        (event) => hasSymbols(event) || isLongAgo(event) || /[\ufffd\ufeff]/.test(texts(event)),
      )
      assert.equal(compare(encodeEventChunk(events)) || !isPlain, true)
    }),
  )
})

test('lengths at each boundary are decoded', () => {
  for (const length of [0, 23, 24, 255, 256, 65_535]) {
    const record = recordOf(2 ** 40, 3, ['x'.repeat(length)])
    assert.equal(compare(encodeChunk([record, record])), true, `${length}`)
  }
  // A longer text is rare, and left to the general decoder.
  assert.equal(compare(encodeChunk([recordOf(2 ** 40, 3, ['x'.repeat(65_536)])])), false)
  for (const count of [23, 24, 255, 256, 4096]) {
    const records = Array<Uint8Array>(count).fill(recordOf(2 ** 40, 3, ['again']))
    assert.equal(compare(encodeChunk(records)), true, `${count} records`)
  }
})

const issue = new Uint8Array(16).fill(1)

/** A record with any content and a matching id. */
function recordOf(ts: CborValue, tag: CborValue, payload: CborValue, sig: CborValue = null): Uint8Array {
  const shared = [issue, issue, ts, null, tag, payload]
  return encodeCbor([blake2b256(encodeCbor([1, ...shared])), ...shared, sig])
}

test('unusual records with a matching id are left to the general decoder', () => {
  const fine = recordOf(2 ** 40, 3, ['fine'])
  assert.equal(compare(encodeChunk([fine])), true)
  const unusual: readonly Uint8Array[] = [
    recordOf(2 ** 40, 15, ['unknown kind']),
    recordOf(2 ** 40, 3, ['x', null]),
    recordOf(2 ** 40, 3, 'not an array'),
    recordOf(2 ** 40, 3, [7]),
    recordOf(2 ** 40, 3, [null]),
    recordOf(2 ** 40, 6, ['burning']),
    recordOf(2 ** 40, 11, [new Uint8Array(15), 'blocks']),
    recordOf(2 ** 40, 11, [issue, 'hates']),
    recordOf(2 ** 40, 1, ['t', 'b', [null]]),
    recordOf(2n ** 63n, 3, ['later than any time']),
    recordOf(2 ** 40, 3, ['x'], 'a signature that is text'),
  ]
  for (const record of unusual) assert.equal(compare(encodeChunk([fine, record, fine])), false)
  const twice = encodeChunk([fine])
  assert.equal(compare(Buffer.concat([twice, Buffer.from('more')])), false)
  assert.equal(compare(twice.subarray(0, -1)), false)
})

/** The same record with the id that its bytes have now. */
function identify(record: Buffer): Buffer {
  if (record.length < 70) return record
  const id = blake2b256(Uint8Array.of(0x87, 0x01), record.subarray(35, -1))
  return Buffer.concat([record.subarray(0, 3), id, record.subarray(35)])
}

test('damaged chunks are decoded alike', () => {
  const random = randomOf(11)
  const events = fc.sample(anyEvent, { numRuns: 40, seed: 5 })
  const records = events.map((event) => {
    const facts = { ...event, tsUnixMs: 2 ** 40 + Math.floor(event.tsUnixMs / 2) }
    return Buffer.from(encodeRecord(identifyEvent(facts)))
  })
  for (let run = 0; run < 20_000; run++) {
    const bytes = mutate(random, records, false)
    const record = random(2) === 0 ? identify(bytes) : bytes
    const chunk = Buffer.from(encodeChunk([records[0] as Buffer, record]))
    compare(
      random(4) === 0 ? Buffer.concat([chunk.subarray(0, chunkHeaderBytes), mutate(random, [chunk], false)]) : chunk,
    )
  }
})
