import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { inflateSync } from 'node:zlib'
import { deflateObject, encodeObject } from '../../src/git/index.ts'

/** FLEVEL in the header of a zlib stream: 0 for the fastest level or none (RFC 1950 §2.2). */
const levelOf = (zlib: Uint8Array) => (zlib[1] as number) >> 6

test('objects of every size are deflated at the level that git uses for loose objects', () => {
  for (const length of [1000, 20_000, 200_000]) {
    const content = Buffer.from(randomBytes(length / 2).toString('hex'))
    const bytes = deflateObject(encodeObject('sha1', 'blob', content))
    assert.equal(levelOf(bytes), 0)
    assert.deepEqual(inflateSync(bytes), Buffer.concat([Buffer.from(`blob ${length}\0`), content]))
    if (length > 1000) assert.ok(bytes.length < 0.75 * length, `${bytes.length} of ${length} bytes`)
  }
})
