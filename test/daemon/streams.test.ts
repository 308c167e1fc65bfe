/** Appends and tails over the socket of a daemon in this process. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { runServedLine } from '../../src/cli/served-line.ts'
import { type DaemonLimits, startDaemon } from '../../src/daemon/index.ts'
import { openDaemonLog } from '../../src/daemon/log.ts'
import {
  appendRequest,
  ask,
  parseAppendAnswer,
  parsePollAnswer,
  parseRecords,
  tailRequest,
  tell,
  type WireValue,
} from '../../src/ipc/index.ts'
import { decodeRecord, parseStreamId } from '../../src/model/streams/index.ts'
import { openSharedRepository } from '../../src/tracker/shared-repository.ts'
import { type CleanUp, createSandbox } from '../git/temp-repository.ts'
import { lastFirst } from '../support/last-first.ts'
import { WireClient } from './wire-client.ts'

const id = parseStreamId('s')

async function openPlace(test: CleanUp, limits: Partial<DaemonLimits> = {}) {
  const t = lastFirst(test)
  const { dir, environment: env, git } = createSandbox(t)
  const cwd = join(dir, 'repository')
  git(dir, 'init', '-q', '-b', 'main', cwd)
  const shared = await openSharedRepository(cwd, { env, warn: () => {}, viewIdleMs: null })
  const clock = { nowUnixMs: Date.now }
  const random = { bytes: (count: number) => crypto.getRandomValues(new Uint8Array(count)) }
  const streams = await shared.streams({ clock, random })
  await streams.create(id, { actor: null, reason: null, labels: [], retention: null })
  const daemon = await startDaemon({
    ...{ shared, env, clock, random, limits, version: '0.0.0', build: '', idleMs: 0, runLine: runServedLine },
    ...{ log: openDaemonLog(join(dir, 'log')), interrupted: new AbortController().signal },
  })
  if (!('ended' in daemon)) throw new Error('another daemon runs')
  t.after(async () => {
    daemon.stop('test')
    await daemon.ended
  })
  const connect = async () => {
    const client = await WireClient.greet(daemon.socket)
    t.after(() => client.close())
    return client
  }
  return { streams, connect, daemon }
}

type AppendMore = Partial<Parameters<typeof appendRequest>[0]>

const append = (client: WireClient, request: number, text: string, more: AppendMore = {}) => {
  const drafts = [{ payload: Buffer.from(text) }]
  const elements = { stream: 's', drafts, durability: 'local', expectedOffset: undefined, ...more } as const
  client.send(ask.append, request, ...appendRequest(elements))
}

const answerOf = async (client: WireClient, request: number) => {
  const [kind, , value] = await client.end(request)
  assert.equal(kind, tell.answer)
  return parseAppendAnswer(value as WireValue)
}

const failureOf = async (client: WireClient, request: number) => {
  const [kind, , text] = await client.end(request)
  assert.equal(kind, tell.failure)
  return JSON.parse(text as string)
}

const textsOf = (value: WireValue | undefined): string[] =>
  parseRecords(value ?? null).map(
    ({ offset, bytes }) => `${offset} ${Buffer.from(decodeRecord(bytes).payload).toString()}`,
  )

test('appends of two connections get offsets of one stream', async (t) => {
  const place = await openPlace(t)
  const [one, other] = [await place.connect(), await place.connect()]
  for (let request = 1; request <= 20; request++) append(request % 2 === 0 ? one : other, request, `${request}`)
  const offsets: number[] = []
  for (let request = 1; request <= 20; request++) {
    const { offset, level } = await answerOf(request % 2 === 0 ? one : other, request)
    assert.equal(level, 'local')
    offsets.push(offset)
  }
  assert.deepEqual(
    offsets.toSorted((left, right) => left - right),
    Array.from({ length: 20 }, (_, offset) => offset),
  )

  append(one, 30, 'x', { expectedOffset: 3 })
  assert.deepEqual((await failureOf(one, 30)).details.found, 20)
  append(one, 31, 'x', { stream: 'none' })
  assert.equal((await failureOf(one, 31)).code, 'not_found')
  one.send(ask.append, 32, 's', 'no records', 'local', null)
  assert.match((await failureOf(one, 32)).message, /records/)
  append(one, 33, 'again')
  assert.equal((await answerOf(one, 33)).offset, 20)
})

test('a tail pushes what the credit allows, and goes on with more', async (t) => {
  const place = await openPlace(t)
  const client = await place.connect()
  append(client, 1, 'one')
  append(client, 2, 'two')
  await answerOf(client, 2)
  client.send(ask.tail, 3, ...tailRequest({ stream: 's', from: 0, credit: 1 }))
  await client.next(tell.accepted, 3)
  assert.deepEqual(textsOf((await client.next(tell.records, 3))[2]), ['0 one'])
  append(client, 4, 'three')
  await answerOf(client, 4)
  assert.equal(client.frames.filter(([kind]) => kind === tell.records).length, 0)
  // The first record has taken more than the credit.
  client.send(ask.credit, 3, 1000)
  const texts: string[] = []
  while (texts.length < 2) texts.push(...textsOf((await client.next(tell.records, 3))[2]))
  assert.deepEqual(texts, ['1 two', '2 three'])
  append(client, 5, 'four')
  assert.deepEqual(textsOf((await client.next(tell.records, 3))[2]), ['3 four'])
  client.send(ask.cancel, 3, 2)
  assert.deepEqual(await client.end(3), [tell.answer, 3, null])
})

test('a tail begins at the end, and has the records of other processes', async (t) => {
  const place = await openPlace(t)
  await place.streams.append(id, [{ payload: Buffer.from('old') }], { durability: 'local' })
  const client = await place.connect()
  client.send(ask.tail, 1, ...tailRequest({ stream: 's', from: null, credit: 1000 }))
  await client.next(tell.accepted, 1)
  await place.streams.append(id, [{ payload: Buffer.from('new') }], { durability: 'local' })
  assert.deepEqual(textsOf((await client.next(tell.records, 1))[2]), ['1 new'])
  client.send(ask.tail, 2, ...tailRequest({ stream: 'none', from: null, credit: 1 }))
  assert.equal((await failureOf(client, 2)).code, 'not_found')
})

test('a poll sends what is there, and says where to go on', async (t) => {
  const place = await openPlace(t, { tailIdleMs: 1 })
  const client = await place.connect()
  const texts = ['one', 'two', 'three']
  for (const [index, text] of texts.entries()) append(client, index + 1, text)
  await answerOf(client, 3)
  const poll = async (request: number, from: number | null, credit: number) => {
    client.send(ask.tail, request, ...tailRequest({ stream: 's', from, credit, waits: false }))
    const [kind, , value] = await client.end(request)
    assert.equal(kind, tell.answer)
    const found = client.frames.filter((frame) => frame[0] === tell.records && frame[1] === request)
    const { nextOffset, end } = parsePollAnswer(value as WireValue)
    return [found.flatMap((frame) => textsOf(frame[2])), nextOffset, end]
  }
  assert.deepEqual(await poll(10, 0, 1), [['0 one'], 1, 3])
  assert.deepEqual(await poll(11, 1, 10_000), [['1 two', '2 three'], 3, 3])
  assert.deepEqual(await poll(12, 3, 10_000), [[], 3, 3])
  assert.deepEqual(await poll(13, null, 10_000), [[], 3, 3])
  assert.deepEqual(await poll(14, 0, 0), [[], 0, 3], 'without credit it only looks')
})

test('tails expire, and their number is limited', async (t) => {
  const place = await openPlace(t, { tailIdleMs: 30, tails: 1 })
  const client = await place.connect()
  append(client, 1, 'one')
  append(client, 2, 'two')
  await answerOf(client, 2)
  client.send(ask.tail, 3, ...tailRequest({ stream: 's', from: 0, credit: 1 }))
  await client.next(tell.records, 3)
  client.send(ask.tail, 4, ...tailRequest({ stream: 's', from: 0, credit: 1 }))
  assert.deepEqual((await client.end(4)).slice(0, 3), [tell.refused, 4, 'busy'])
  assert.equal((await failureOf(client, 3)).details.reason, 'expired')
  // One with credit waits as long as it takes.
  client.send(ask.tail, 5, ...tailRequest({ stream: 's', from: null, credit: 1 }))
  await client.next(tell.accepted, 5)
  await sleep(60)
  append(client, 6, 'three')
  assert.deepEqual(textsOf((await client.next(tell.records, 5))[2]), ['2 three'])
})

test('a daemon that ends says goodbye after its last answer', async (t) => {
  const place = await openPlace(t)
  const client = await place.connect()
  append(client, 1, 'one')
  await client.next(tell.answer, 1)
  client.send(ask.tail, 2, ...tailRequest({ stream: 's', from: null, credit: 1 }))
  await client.next(tell.accepted, 2)
  place.daemon.stop('test')
  await client.next(tell.goodbye)
  assert.deepEqual(client.frames, [[tell.answer, 2, null]])
})
