import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { smallSha1 } from '../../src/git/small-sha1.ts'

const expected = (bytes: Uint8Array) => createHash('sha1').update(bytes).digest('hex')

test('small SHA-1 has the published digests', () => {
  // FIPS 180-4 examples, and the empty message.
  assert.equal(smallSha1([]), 'da39a3ee5e6b4b0d3255bfef95601890afd80709')
  assert.equal(smallSha1([Buffer.from('abc')]), 'a9993e364706816aba3e25717850c26c9cd0d89d')
  const text = 'abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq'
  assert.equal(smallSha1([Buffer.from(text)]), '84983e441c3bd26ebaae4aa1f95129e5e54670f1')
})

test('small SHA-1 of every length up to three blocks is that of node:crypto', () => {
  const bytes = randomBytes(200)
  for (let length = 0; length <= bytes.length; length++) {
    const message = bytes.subarray(0, length)
    assert.equal(smallSha1([message]), expected(message), `length ${length}`)
    assert.equal(smallSha1([message.subarray(0, length >> 1), message.subarray(length >> 1)]), expected(message))
  }
})

test('small SHA-1 of larger random messages is that of node:crypto', () => {
  for (let round = 0; round < 200; round++) {
    const message = randomBytes(round * 41)
    assert.equal(smallSha1([message]), expected(message))
  }
})
