/** The bulk implementation of BLAKE2b against the other one. Loading it affects the whole process, so it has a file. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { blake2b } from '@noble/hashes/blake2.js'
import { blake2b128, blake2b256, formatHex, hashChunkInSteps, runSteps, stepBytes } from '../../src/model/index.ts'
import { loadBulkHashing } from '../../src/wal/bulk-hashing.ts'

const bytesOf = (length: number) => Uint8Array.from({ length }, (_, index) => (index * 31 + length) % 251)
const expected = (bytes: Uint8Array) => formatHex(blake2b(bytes, { dkLen: 32 }))

test('bulk hashing gives the same digests', async () => {
  await loadBulkHashing()
  for (const length of [0, 1, 63, 127, 128, 129, 255, 256, 257, 5000, 70_000]) {
    const bytes = bytesOf(length)
    assert.equal(formatHex(blake2b256(bytes)), expected(bytes), `${length} bytes`)
    assert.equal(formatHex(blake2b128(bytes)), formatHex(blake2b(bytes, { dkLen: 16 })))
    const cut = length >> 1
    assert.equal(formatHex(blake2b256(bytes.subarray(0, cut), bytes.subarray(cut))), expected(bytes))
  }
})

test('a paused digest is not disturbed by another', async () => {
  await loadBulkHashing()
  const bytes = bytesOf(3 * stepBytes + 5)
  const steps = hashChunkInSteps(bytes)
  for (let step = steps.next(); ; step = steps.next()) {
    blake2b256(bytesOf(100))
    if (!step.done) continue
    assert.equal(step.value, expected(bytes))
    break
  }
  assert.equal(runSteps(hashChunkInSteps(bytesOf(10))), expected(bytesOf(10)))
})
