import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConflictError, InvalidArgsError, StorageError } from '../../../src/model/index.ts'
import { parseStreamId } from '../../../src/model/streams/index.ts'
import { RecordSender } from '../../../src/tracker/streams/send-records.ts'
import { untilAborted } from '../../../src/tracker/streams/until-aborted.ts'
import type { AppendedRecords, RecordDraft, RecordStreams } from '../../../src/wal/streams/index.ts'

const id = parseStreamId('s')

/** A stream in memory that appends after a tick, and fails when told to. */
function openToy({ failAt = Number.POSITIVE_INFINITY, lastSequence = -1 } = {}) {
  const payloads: string[] = []
  const batches: number[] = []
  let underWay = 0
  const append = async (_id: string, drafts: readonly RecordDraft[]): Promise<AppendedRecords> => {
    assert.equal(++underWay, 1, 'one append at a time')
    await new Promise((resolve) => setImmediate(resolve))
    underWay--
    if (batches.length >= failAt) throw new StorageError('disk full')
    const old = drafts.find(({ producer }) => producer && producer.sequence <= lastSequence)
    if (old?.producer) {
      const details = { reason: 'sequence', producer: old.producer.id, expected: lastSequence + 1 }
      throw new ConflictError('older', { details })
    }
    if (drafts.some(({ payload }) => payload.length > 9)) throw new InvalidArgsError('too long')
    const offset = payloads.length
    payloads.push(...drafts.map(({ payload }) => Buffer.from(payload).toString()))
    batches.push(drafts.length)
    const position = { streamId: id, incarnation: '' as AppendedRecords['incarnation'], epoch: 1 }
    return { ...position, offset, nextOffset: payloads.length, level: 'local', repeated: false }
  }
  const sender = new RecordSender({ append } as unknown as RecordStreams, id, {
    durability: 'local',
    onAppended: () => {},
  })
  return { sender, payloads, batches }
}

const draftOf = (text: string): RecordDraft => ({ payload: Buffer.from(text) })
const numbered = (count: number, id = 'p') =>
  Array.from({ length: count }, (_, sequence) => ({ ...draftOf(`${sequence}`), producer: { id, sequence } }))

test('records are appended in order, gathered while an append is under way', async () => {
  const { sender, payloads, batches } = openToy()
  for (let number = 0; number < 5_000; number++) await sender.push([draftOf(`${number}`)])
  await sender.end()
  assert.deepEqual(
    payloads,
    Array.from({ length: 5_000 }, (_, number) => `${number}`),
  )
  assert.equal(batches[0], 1)
  assert.ok(Math.max(...batches) <= 4096 && batches.length < 10, `${batches}`)
  assert.deepEqual([sender.sent.records, sender.sent.firstOffset, sender.sent.nextOffset], [5_000, 0, 5_000])
})

test('after a failed append nothing more is sent', async () => {
  const { sender, payloads } = openToy({ failAt: 1 })
  await sender.push([draftOf('a')])
  await sender.push([draftOf('b')])
  await assert.rejects(sender.end(), StorageError)
  await assert.rejects(sender.push([draftOf('c')]), StorageError)
  assert.deepEqual([payloads, sender.sent.records], [['a'], 1])
})

test('a record that is refused is named, and those before it are appended', async () => {
  const { sender, payloads } = openToy()
  const wrong = { ...draftOf('x'), producer: { id: '', sequence: 0 } }
  await sender.push([draftOf('a')])
  await sender.push([draftOf('b'), draftOf('c'), wrong, draftOf('d')])
  // The toy refuses by length, the check of limits by the empty producer.
  Object.assign(wrong, { payload: Buffer.from('much too long') })
  await assert.rejects(sender.end(), (error) => error instanceof InvalidArgsError && error.details.record === 4)
  assert.deepEqual(payloads, ['a', 'b', 'c'])
})

test('what a producer has sent before is not sent again', async () => {
  const { sender, payloads } = openToy({ lastSequence: 2 })
  await sender.push(numbered(5))
  await sender.push(numbered(6))
  await sender.end()
  assert.deepEqual([payloads, sender.sent.records, sender.sent.repeated], [['3', '4', '5'], 3, 8])
})

test('an iteration ends with its signal, even while the source waits', async () => {
  const stop = new AbortController()
  async function* source() {
    yield 1
    setImmediate(() => stop.abort())
    await new Promise(() => {})
  }
  const taken: number[] = []
  for await (const item of untilAborted(source(), stop.signal)) taken.push(item)
  assert.deepEqual(taken, [1])
})
