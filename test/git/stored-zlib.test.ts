import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { deflateSync, inflateSync } from 'node:zlib'
import { readStoredZlib, storedBytesMax, storeZlib } from '../../src/git/stored-zlib.ts'

test('zlib reads stored content of every length', () => {
  for (const length of [0, 1, 2, 15, 255, 256, 1000, storedBytesMax]) {
    for (const content of [randomBytes(length), Buffer.alloc(length, 0xff)]) {
      assert.deepEqual(inflateSync(storeZlib(content)), content)
      assert.deepEqual(readStoredZlib(storeZlib(content)), content)
    }
  }
})

test('content above the limit is refused', () => {
  assert.throws(() => storeZlib(Buffer.alloc(storedBytesMax + 1)), RangeError)
})

test('stored content that is damaged or cut off is left to zlib', () => {
  const bytes = storeZlib(Buffer.from('blob 5\0hello'))
  for (let index = 0; index < bytes.length; index++) {
    const damaged = Buffer.from(bytes)
    damaged[index] = (damaged[index] as number) ^ 0x10
    assert.equal(readStoredZlib(damaged), null, `byte ${index}`)
    assert.equal(readStoredZlib(bytes.subarray(0, index)), null, `first ${index} bytes`)
  }
  assert.equal(readStoredZlib(Buffer.concat([bytes, Buffer.alloc(1)])), null)
})

test('compressed content, and content that zlib stored, is left to zlib unless it has the same bytes', () => {
  const content = Buffer.from('tree 30\0'.repeat(20))
  assert.equal(readStoredZlib(deflateSync(content)), null)
  const stored = deflateSync(content, { level: 0 })
  const read = readStoredZlib(stored)
  assert.ok(read === null || read.equals(content))
})
