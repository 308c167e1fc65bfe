import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { followStream, StreamSignals } from '../../../src/wal/streams/follow-stream.ts'
import type { ReadRecord } from '../../../src/wal/streams/record-streams.ts'
import { StoredRecord } from '../../../src/wal/streams/stored-record.ts'
import { id } from './store-setup.ts'

const streamId = id('followed')
const bytesOf = (text: string): Uint8Array => Buffer.from(text)

/** A stream in memory, of which some records are handed over. */
function setUp(t: TestContext, knowsAll: () => boolean | undefined = () => true) {
  const folder = mkdtempSync(join(tmpdir(), 'grite-follow-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const records: Uint8Array[] = []
  const reads: number[] = []
  const signals = new StreamSignals()
  const stop = new AbortController()
  t.after(() => stop.abort())
  async function* read(from: number): AsyncGenerator<readonly ReadRecord[]> {
    reads.push(from)
    const rest = records.slice(from)
    if (rest.length > 0) yield rest.map((_, index) => new StoredRecord(from + index, rest, index, null, 0))
  }
  const batches = followStream({
    ...{ folder, encodedId: 'abc', streamId, from: 0, read, knowsAll, signals, signal: stop.signal },
    close() {},
  })
  const append = (...texts: readonly string[]) => {
    const firstOffset = records.length
    records.push(...texts.map(bytesOf))
    return () => ({ firstOffset, records: texts.map(bytesOf) })
  }
  const next = async (): Promise<string> => {
    const step = await batches.next()
    const found = step.done === true ? [] : step.value
    return found.map(({ offset, bytes }) => `${offset}${Buffer.from(bytes)}`).join(' ')
  }
  return { folder, reads, signals, append, next, records }
}

it('takes appended records from the writer of this process', async (t) => {
  const { reads, signals, append, next } = setUp(t)
  append('a', 'b')
  assert.equal(await next(), '0a 1b')
  const waiting = next()
  signals.notify(streamId, append('c'))
  assert.equal(await waiting, '2c')
  signals.notify(streamId, append('d'))
  signals.notify(streamId, append('e', 'f'))
  assert.deepEqual([await next(), await next()], ['3d', '4e 5f'])
  assert.deepEqual(reads, [0])
})

it('gives records once that were read and handed over', async (t) => {
  const { reads, signals, append, next } = setUp(t)
  append('a')
  assert.equal(await next(), '0a')
  const both = append('b', 'c')
  signals.notify(streamId)
  signals.notify(streamId, both)
  assert.equal(await next(), '1b 2c')
  signals.notify(streamId, () => ({ firstOffset: 2, records: [bytesOf('c'), bytesOf('d')] }))
  append('d')
  assert.equal(await next(), '3d')
  assert.deepEqual(reads, [0, 1])
})

it('reads what was not handed over, and what waited too long', async (t) => {
  const { reads, signals, append, next } = setUp(t)
  append('a')
  assert.equal(await next(), '0a')
  append('b')
  signals.notify(streamId, append('c'))
  assert.equal(await next(), '1b 2c')
  const large = 'x'.repeat(3 * 1024 * 1024)
  signals.notify(streamId, append(large))
  signals.notify(streamId, append(large))
  assert.equal((await next()).length, 2 * large.length + 3)
  assert.deepEqual(reads, [0, 1, 3])
})

it('looks at a changed journal only when the writer of this process does not know it', async (t) => {
  let knows: boolean | undefined = true
  let asked = 0
  const { folder, reads, append, next } = setUp(t, () => {
    asked++
    return knows
  })
  append('a')
  assert.equal(await next(), '0a')
  const waiting = next()
  const change = () => writeFileSync(join(folder, 'abc.0.journal'), `${asked}`)
  const until = async (isDone: () => boolean) => {
    while (!isDone()) await sleep(1)
  }
  change()
  await until(() => asked > 0)
  assert.deepEqual(reads, [0], 'the writer knows it')
  knows = undefined
  const before = asked
  change()
  await until(() => asked > before + 1)
  assert.deepEqual(reads, [0], 'the writer is appending')
  append('b')
  knows = false
  assert.equal(await waiting, '1b')
  assert.deepEqual(reads, [0, 1])
})
