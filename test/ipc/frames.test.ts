import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { encodeFrame, type Frame, FrameReader, frameBytesMax, WireSyntaxError } from '../../src/ipc/index.ts'

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
