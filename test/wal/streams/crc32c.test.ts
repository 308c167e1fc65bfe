import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadCrc } from '../../../src/wal/streams/crc32c.ts'

test('CRC-32C has the values of RFC 3720', async () => {
  const crc32c = await loadCrc()
  assert.equal(crc32c(new Uint8Array(32)), 0x8a9136aa)
  assert.equal(crc32c(new Uint8Array(32).fill(0xff)), 0x62a8ab43)
  assert.equal(crc32c(Uint8Array.from({ length: 32 }, (_, index) => index)), 0x46dd794e)
  assert.equal(
    crc32c(new TextEncoder().encode('0123456789').subarray(1)),
    crc32c(new TextEncoder().encode('123456789')),
  )
})

test('CRC-32C of parts goes on from the part before', async () => {
  const crc32c = await loadCrc()
  const bytes = new TextEncoder().encode('123456789')
  assert.equal(crc32c(bytes), 0xe3069283)
  assert.equal(crc32c(bytes.subarray(5), crc32c(bytes.subarray(0, 5))), 0xe3069283)
})
