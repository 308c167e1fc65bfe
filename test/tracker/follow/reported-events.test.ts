import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { EventId } from '../../../src/model/index.ts'
import { ToldEvents } from '../../../src/tracker/follow/reported-events.ts'

// Few different bytes, so that ids share beginnings.
const eventId = fc
  .array(fc.constantFrom(0, 1, 255), { minLength: 32, maxLength: 32 })
  .map((bytes) => Buffer.from(bytes).toString('hex') as EventId)

test('ToldEvents knows exactly the initial and the added ids', () => {
  fc.assert(
    fc.property(fc.uniqueArray(eventId), fc.array(eventId), fc.array(eventId), (there, added, others) => {
      const told = new ToldEvents(Buffer.from([...there].sort().join(''), 'hex'))
      for (const id of added) told.add(id)
      const all = new Set([...there, ...added])
      for (const id of [...all, ...others]) assert.equal(told.has(id), all.has(id))
    }),
  )
})

test('a partial id is refused', () => {
  assert.throws(() => new ToldEvents(new Uint8Array(33)), RangeError)
})
