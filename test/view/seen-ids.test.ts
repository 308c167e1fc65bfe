import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SeenIds } from '../../src/view/seen-ids.ts'

/** A record as far as its id is concerned. */
function recordOf(high: number, low: number): Buffer {
  const record = Buffer.alloc(40)
  record.writeUInt32BE(high, 3)
  record.writeUInt32BE(low, 7)
  return record
}

test('an id is new once, however many others there are', () => {
  const ids = new SeenIds()
  const records = Array.from({ length: 20_000 }, (_, index) => {
    return recordOf(Math.imul(index, 0x9e37_79b1) >>> 0, index % 7)
  })
  assert.deepEqual(
    records.filter((record) => !ids.add(record)),
    [],
  )
  assert.deepEqual(
    records.filter((record) => ids.add(record)),
    [],
  )
})

test('ids with equal bits, or with zeros, are told apart', () => {
  const ids = new SeenIds()
  const records = [
    [0, 0],
    [0, 2],
    [1, 0],
    [1, 2],
    [0xffff_ffff, 0],
    [0xffff_ffff, 0xffff_ffff],
  ] as const
  for (const [high, low] of records) assert.equal(ids.add(recordOf(high, low)), true, `${high} ${low}`)
  for (let index = 0; index < 5000; index++) assert.equal(ids.add(recordOf(4, 10 + index)), true)
  for (const [high, low] of records) assert.equal(ids.add(recordOf(high, low)), false, `${high} ${low}`)
})
