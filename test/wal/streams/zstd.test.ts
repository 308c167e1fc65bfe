import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StreamFormatError } from '../../../src/model/streams/index.ts'
import { loadZstd } from '../../../src/wal/streams/zstd.ts'

const sizes = [0, 1, 255, 256, 300, 65_791, 65_792, 300_000, 16 * 1024 * 1024]
for (const size of sizes) {
  test(`${size} bytes are compressed and restored`, async () => {
    const zstd = await loadZstd()
    const raw = Uint8Array.from({ length: size }, (_, index) => (index * index) >> 8)
    const stored = zstd.compress(raw)
    assert.ok(Buffer.from(zstd.decompress(stored, size)).equals(raw))
    if (size < 16 * 1024 * 1024)
      assert.throws(() => zstd.decompress(stored, size + 1), { message: new RegExp(`states ${size} bytes, not`) })
  })
}

test('a frame above the limit is refused by what it states', async () => {
  const zstd = await loadZstd()
  const size = 16 * 1024 * 1024 + 1
  assert.throws(() => zstd.decompress(Uint8Array.of(1), size), /more than 16777216/)
  // A frame that states 2^32 + 5 bytes, of which the module would see 5.
  const header = [0x28, 0xb5, 0x2f, 0xfd, 0xe0, 5, 0, 0, 0, 1, 0, 0, 0]
  assert.throws(() => zstd.decompress(Uint8Array.from(header), 5), /states 4294967301 bytes, not 5/)
})

test('a damaged frame is a format error', async () => {
  const zstd = await loadZstd()
  const stored = zstd.compress(new Uint8Array(1000).fill(7))
  for (let length = 0; length < stored.length; length++)
    assert.throws(() => zstd.decompress(stored.subarray(0, length), 1000), StreamFormatError)
  for (let place = 0; place < 4; place++) {
    const damaged = stored.slice()
    damaged[place] = 0
    assert.throws(() => zstd.decompress(damaged, 1000), /states no size/)
  }
})
