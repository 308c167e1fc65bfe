/** Checksums of rows files: the compiled loop gives what the plain one gives. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { checksum, checksumsOf } from '../../src/view/checksums.ts'

const blockBytes = 4096

/** Bytes of all values, the same in each run. */
function bytesOf(length: number): Buffer {
  let seed = 20_26
  return Buffer.from(Array.from({ length }, () => (seed = (seed * 48_271) % 0x7fff_ffff)))
}

describe('checksums of blocks', () => {
  for (const length of [0, 4, 4096, 4100, 128 * 1024, 300_004]) {
    it(`are those of each block of ${length} bytes`, () => {
      const bytes = bytesOf(length)
      const blocks = Array.from({ length: Math.ceil(length / blockBytes) }, (_, index) =>
        bytes.subarray(index * blockBytes, (index + 1) * blockBytes),
      )
      const ends = blocks.map((_, index) => Math.min((index + 1) * blockBytes, length))
      assert.deepEqual(checksumsOf(bytes, ends), blocks.map(checksum))
    })
  }

  it('bytes that begin anywhere in their memory have the same sum', () => {
    const bytes = bytesOf(4096)
    for (const offset of [1, 2, 3]) {
      const moved = Buffer.concat([Buffer.alloc(offset), bytes]).subarray(offset)
      assert.equal(checksum(moved), checksum(bytes))
    }
  })
})
