import assert from 'node:assert/strict'
import { test } from 'node:test'
import { streamLimits } from '../../../src/model/streams/index.ts'
import { ProducerWindow } from '../../../src/wal/streams/seal-records.ts'

const { producersMax, requestProducersMax } = streamLimits
const producer = (id: string, offset: number) => ({ id, sequence: offset, offset })

test('requests push out older requests, and no other producer', () => {
  const window = new ProducerWindow([producer('run-7', 0)])
  for (let offset = 1; offset <= 3 * producersMax; offset++) window.note(producer(`request/${offset}`, offset))
  assert.deepEqual(window.find('run-7'), producer('run-7', 0))
  assert.equal(window.list().length, 1 + requestProducersMax)
  assert.equal(window.find(`request/${3 * producersMax - requestProducersMax}`), undefined)
  assert.ok(window.find(`request/${3 * producersMax - requestProducersMax + 1}`))
})

test('the latest producers stay, sorted by their newest record', () => {
  const window = new ProducerWindow([])
  for (let offset = 0; offset < producersMax + 10; offset++) window.note(producer(`run-${offset}`, offset))
  window.note(producer('run-10', 5000))
  window.note(producer('request/a', 5001))
  const listed = window.list()
  assert.equal(listed.length, producersMax)
  assert.deepEqual([listed[0]?.id, listed.at(-2)?.id, listed.at(-1)?.id], ['run-12', 'run-10', 'request/a'])
  assert.deepEqual(new ProducerWindow(listed).list(), listed)
})
