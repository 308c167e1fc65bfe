import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  encodeRecord,
  FrameEncoder,
  frameHeadBytes,
  type Incarnation,
  type JournalPayload,
  type ScannedPart,
  type StreamId,
  scanFrames,
  takeRecords,
} from '../../../src/model/streams/index.ts'
import { plainCrc32c } from '../../support/crc32c.ts'
import { anyRecord } from './arbitraries.ts'

const token = '0011223344556677'
const opened = {
  streamId: 'build/42' as StreamId,
  incarnation: '0102030405060708' as Incarnation,
  generation: 2,
  epoch: 3,
  firstOffset: 100,
  sealedCommit: 'ab'.repeat(20),
  sealedRoot: new Uint8Array(32).fill(9),
  previous: { token: 'ffeeddccbbaa9988', end: 70_000 },
}
const stored = encodeRecord({
  tsUnixMs: 1_700_000_000_000,
  writer: null,
  key: Buffer.from('k'),
  contentType: 'text/plain',
  headers: [['a', 'b']],
  producer: null,
  payload: Buffer.from('hello'),
})

/** Nonces count up. */
function counting(): (count: number) => Uint8Array {
  let next = 0
  return (count) => Uint8Array.from({ length: count }, () => next++ % 256)
}

const tokenOf = Buffer.from(token, 'hex')

function newEncoder(position = 0): FrameEncoder {
  const encoder = new FrameEncoder(token, plainCrc32c, counting())
  encoder.begin(position)
  return encoder
}

function scan(bytes: Uint8Array, position = 0): readonly ScannedPart[] {
  return [...scanFrames(bytes, position, token, plainCrc32c)]
}

function payloadOf(part: ScannedPart | undefined): JournalPayload | undefined {
  return part?.kind === 'frame' ? part.payload : undefined
}

test('the CRC of the tests is CRC-32C', () => {
  assert.equal(plainCrc32c(Buffer.from('123456789')), 0xe3069283)
  assert.equal(plainCrc32c(Buffer.from('6789'), plainCrc32c(Buffer.from('12345'))), 0xe3069283)
})

test('a frame of records has the documented bytes', () => {
  const encoder = newEncoder(0x1_0000_0020)
  encoder.addRecords(7, [stored])
  const record = '871b0000018bcfe56800f6416b6a746578742f706c61696e818261616162f64568656c6c6f'
  const head = `474a${token}00010203040506070000000100000020${'00000029'}`
  const crc = plainCrc32c(Buffer.from(`${head}83010781${record}`, 'hex'))
  const expected = `${head}${crc.toString(16).padStart(8, '0')}83010781${record}`
  assert.equal(Buffer.from(encoder.bytes).toString('hex'), expected)
})

test('frames decode to what was encoded', () => {
  const encoder = newEncoder()
  encoder.addOpen(opened)
  encoder.addRecords(100, [stored, stored])
  encoder.addClosed({ nextOffset: 102, reason: 'barrier', nextToken: '8899aabbccddeeff' })
  const parts = scan(encoder.bytes)
  assert.deepEqual(payloadOf(parts[0]), { kind: 'open', ...opened })
  const records = payloadOf(parts[1])
  assert.deepEqual(records, { kind: 'records', firstOffset: 100, count: 2 })
  assert.deepEqual(payloadOf(parts[2]), {
    kind: 'closed',
    nextOffset: 102,
    reason: 'barrier',
    nextToken: '8899aabbccddeeff',
  })
  assert.ok(records?.kind === 'records')
  const { start, end } = parts[1] as ScannedPart
  const frame = encoder.bytes.subarray(start, end)
  assert.deepEqual(takeRecords(frame.slice(), start, tokenOf, plainCrc32c), [stored, stored])
  assert.equal(takeRecords(frame.slice(), start + 1, tokenOf, plainCrc32c), null, 'at another position')
  assert.equal(takeRecords(frame.slice(), start, new Uint8Array(8), plainCrc32c), null, 'of another file')
  assert.equal(takeRecords(frame.slice(0, -1), start, tokenOf, plainCrc32c), null, 'cut')
  for (const at of [0, 12, 33, frame.length - 1]) {
    const damaged = frame.slice()
    damaged[at] = (damaged[at] as number) ^ 1
    assert.equal(takeRecords(damaged, start, tokenOf, plainCrc32c), null, `byte ${at} differs`)
  }
  assert.equal(takeRecords(encoder.bytes.slice(0, parts[0]?.end), 0, tokenOf, plainCrc32c), null, 'no records')
})

test('a batch of any records is read back', () => {
  fc.assert(
    fc.property(fc.array(anyRecord, { minLength: 1, maxLength: 8 }), fc.nat(), (records, offset) => {
      const encoder = newEncoder()
      const batch = records.map(encodeRecord)
      encoder.addRecords(offset, batch)
      const [part] = scan(encoder.bytes)
      const payload = payloadOf(part)
      assert.ok(payload?.kind === 'records' && payload.firstOffset === offset)
      assert.deepEqual(takeRecords(encoder.bytes.slice(), 0, tokenOf, plainCrc32c), batch)
      const inPlace = newEncoder()
      inPlace.addEncoded(offset, records)
      assert.deepEqual(inPlace.bytes, encoder.bytes, 'encoded in place')
      assert.deepEqual([inPlace.frameCount, inPlace.recordCount, inPlace.countOf(0)], [1, batch.length, batch.length])
      assert.equal(inPlace.endOf(0), encoder.byteLength)
    }),
    { numRuns: 50 },
  )
})

test('a buffer that grew keeps the frames in it', () => {
  const encoder = newEncoder()
  const large = encodeRecord({
    tsUnixMs: 0,
    writer: null,
    key: null,
    contentType: null,
    headers: [],
    producer: null,
    payload: new Uint8Array(50_000).fill(1),
  })
  for (let offset = 0; offset < 5; offset++) encoder.addRecords(offset, [large])
  assert.deepEqual(
    scan(encoder.bytes).map(({ kind }) => kind),
    Array(5).fill('frame'),
  )
})

test('a frame at another position is void', () => {
  const encoder = newEncoder(10)
  encoder.addRecords(0, [stored])
  const { bytes } = encoder
  assert.deepEqual(scan(bytes, 11), [{ kind: 'void', start: 11, end: 11 + bytes.length }])
})

test('a frame of another file is no frame', () => {
  const encoder = newEncoder()
  encoder.addRecords(0, [stored])
  const other = [...scanFrames(encoder.bytes, 0, 'ffffffffffffffff', plainCrc32c)]
  assert.deepEqual(other, [{ kind: 'rest', start: 0, end: encoder.byteLength }])
})

test('a changed bit is located and the next frame is found', () => {
  const encoder = newEncoder()
  encoder.addOpen(opened)
  const second = encoder.byteLength
  encoder.addRecords(100, [stored])
  const third = encoder.byteLength
  encoder.addRecords(101, [stored])
  for (let index = second; index < third; index++) {
    const bytes = encoder.bytes.slice()
    bytes[index] = (bytes[index] as number) ^ 0x10
    const parts = scan(bytes).map(({ kind, start, end }) => [kind, start, end])
    assert.deepEqual(parts, [
      ['frame', 0, second],
      ['junk', second, third],
      ['frame', third, bytes.length],
    ])
  }
})

test('every cut of a frame is a rest', () => {
  const encoder = newEncoder()
  encoder.addRecords(0, [stored])
  for (let end = 1; end < encoder.byteLength; end++)
    assert.deepEqual(scan(encoder.bytes.subarray(0, end)), [{ kind: 'rest', start: 0, end }])
})

const payloads: readonly (readonly [name: string, hex: string])[] = [
  ['no records', '83010080'],
  ['bytes behind its records', `83010081${'8700f6f6f680f640'}00`],
  ['fewer records than it says', `83010082${'8700f6f6f680f640'}`],
  ['an offset in a longer form', `8301180081${'8700f6f6f680f640'}`],
  ['an unknown kind', '8103'],
  ['an unknown reason', '84020003480000000000000000'],
  ['a short token', '840200004700000000000000'],
  ['an indefinite length', '9f0100ff'],
]
for (const [name, hex] of payloads) {
  test(`a frame does not count with ${name}`, () => {
    const encoder = newEncoder()
    encoder.addRecords(0, [stored])
    const payload = Buffer.from(hex, 'hex')
    const frame = Buffer.concat([encoder.bytes.subarray(0, frameHeadBytes), payload])
    frame.writeUInt32BE(payload.length, 26)
    frame.writeUInt32BE(plainCrc32c(payload, plainCrc32c(frame.subarray(0, 30))), 30)
    assert.equal(scan(frame)[0]?.kind, 'rest')
    const good = Buffer.from(`83010081${'8700f6f6f680f640'}`, 'hex')
    const counted = Buffer.concat([frame.subarray(0, frameHeadBytes), good])
    counted.writeUInt32BE(good.length, 26)
    counted.writeUInt32BE(plainCrc32c(good, plainCrc32c(counted.subarray(0, 30))), 30)
    assert.equal(scan(counted)[0]?.kind, 'frame')
  })
}

test('a frame above 16 MiB is refused', () => {
  assert.throws(() => newEncoder().addRecords(0, [new Uint8Array(16 * 1024 * 1024)]), RangeError)
})
