import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  EncodedWireValue,
  encodeFrame,
  encodePart,
  type Frame,
  FrameReader,
  frameBytesMax,
  type WireMap,
  WireSyntaxError,
} from '../../src/ipc/index.ts'

test('frames are read whole, however the bytes arrive', () => {
  const frames: Frame[] = [
    [1, 1, 'a', [], Buffer.alloc(0)],
    [2, 7, 'x'.repeat(3000)],
    [134, 1, 0],
  ]
  const bytes = Buffer.concat(frames.map((frame) => encodeFrame(frame)))
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: bytes.length }), { maxLength: 12 }), (cuts) => {
      const places = [0, ...[...cuts].sort((one, other) => one - other), bytes.length]
      const reader = new FrameReader()
      const read = places.flatMap((place, index) => [...reader.take(bytes.subarray(place, places[index + 1]))])
      assert.deepEqual(read, frames)
      assert.equal(reader.isInFrame, false)
    }),
  )
})

test('a map that comes again is read once, and any other anew', () => {
  const environment = (text: string): WireMap => ({ PATH: '/usr/bin:'.repeat(20), TZ: text })
  const reader = new FrameReader()
  const read = (map: WireMap) => [...reader.take(encodeFrame([2, 1, new EncodedWireValue(map), 7]))][0] as Frame
  const first = read(environment('UTC'))
  assert.deepEqual(JSON.parse(JSON.stringify(first)), [2, 1, environment('UTC'), 7])
  assert.equal(read(environment('UTC'))[2], first[2])
  const other = read(environment('CET'))
  assert.deepEqual(JSON.parse(JSON.stringify(other)), [2, 1, environment('CET'), 7])
})

test('a part in pieces has the bytes of its frame', () => {
  for (const length of [0, 5, 0xffff, 0x1_0000, 0x10_0000]) {
    const bytes = Buffer.alloc(length, 'x')
    assert.deepEqual(Buffer.concat(encodePart(131, 300, bytes)), encodeFrame([131, 300, bytes]), `${length}`)
  }
})

test('a frame that has begun is known', () => {
  const reader = new FrameReader()
  assert.deepEqual([...reader.take(encodeFrame([1, 2]).subarray(0, 3))], [])
  assert.equal(reader.isInFrame, true)
})

test('a frame above 16 MiB is refused at its length', () => {
  const head = Buffer.alloc(4)
  head.writeUInt32BE(frameBytesMax + 1)
  assert.throws(() => [...new FrameReader().take(head)], WireSyntaxError)
})

test('a frame above 16 MiB is not written', () => {
  assert.throws(() => encodeFrame([131, 1, Buffer.alloc(frameBytesMax)]), RangeError)
})

for (const [title, hex] of [
  ['a text', '00000001 60'],
  ['an empty array', '00000001 80'],
  ['an array without a kind', '00000002 8160'],
  ['an empty frame', '00000000'],
] as const) {
  test(`${title} is no frame`, () => {
    const bytes = Buffer.from(hex.replaceAll(' ', ''), 'hex')
    assert.throws(() => [...new FrameReader().take(bytes)], WireSyntaxError)
  })
}
