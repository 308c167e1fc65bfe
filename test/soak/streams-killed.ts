/**
 * Processes that append, seal, merge, branch, retain and publish, killed at random moments, while a reader follows. At the end
 * every acknowledged record is at its offset, here and in a clone restored from the remote.
 *
 * SOAK_KILLS and SOAK_SEED set length and course; the seed does not fix the timing of processes.
 */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import type { StreamId } from '../../src/model/streams/index.ts'
import type { StreamStore } from '../../src/wal/streams/index.ts'
import { createTempRepository } from '../git/temp-repository.ts'
import { childProgram } from '../support/child-program.ts'
import type { ActingLine, ActingOrder } from '../wal/streams/acting-child.ts'
import { killAtSteps } from '../wal/streams/killed-acts.ts'
import { openRealStore, perform, type RealStore, type StreamDeed } from '../wal/streams/real-store.ts'
import { cloneA, id, readAll } from '../wal/streams/store-setup.ts'

const kills = Number(process.env.SOAK_KILLS ?? 200)
const seed = Number(process.env.SOAK_SEED ?? Date.now() % 0x7fff_ffff)
/** Processes at the same time. */
const processes = 3
const deedsOfProcess = 200

const [log, side, short] = [id('log'), id('side'), id('short')]

const weights: readonly (readonly [StreamDeed['name'], StreamId, number])[] = [
  ...([
    ['append', log, 12],
    ['append', side, 6],
    ['append', short, 4],
  ] as const),
  ...([
    ['seal', log, 2],
    ['seal', side, 1],
    ['merge', log, 1],
    ['branch', log, 1],
  ] as const),
  ...([
    ['publish', log, 2],
    ['publish', side, 1],
    ['retain', short, 1],
  ] as const),
]

function deedOf(name: StreamDeed['name'], stream: StreamId, text: string): StreamDeed {
  if (name === 'append') return { name, stream, text }
  if (name === 'merge') return { name, stream, source: side }
  if (name === 'branch') return { name, stream: id(`branch ${text}`), source: stream }
  return { name, stream } as StreamDeed
}

function deeds(turn: number): readonly StreamDeed[] {
  const chosen = fc.oneof(
    ...weights.map(([name, stream, weight]) => ({ arbitrary: fc.constant([name, stream] as const), weight })),
  )
  const [found = []] = fc.sample(fc.array(chosen, { minLength: deedsOfProcess, maxLength: deedsOfProcess }), {
    ...{ numRuns: 1, seed: seed + turn },
  })
  return found.map(([name, stream], index) => deedOf(name, stream, `${turn}-${index}`))
}

/** What was acknowledged, and what was under way when a process died. */
class Told {
  readonly acked = new Map<StreamId, Map<number, string>>()
  readonly finished: Record<string, number> = {}

  note({ name, ...deed }: StreamDeed, { offset }: ActingLine): void {
    this.finished[name] = (this.finished[name] ?? 0) + 1
    if (name !== 'append') return
    const texts = this.acked.get(deed.stream) ?? new Map<number, string>()
    this.acked.set(deed.stream, texts)
    assert.ok(!texts.has(offset as number), `two records at ${offset} of ${deed.stream}`)
    texts.set(offset as number, (deed as { text: string }).text)
  }
}

async function runProcess(order: ActingOrder, told: Told, onStart: (child: ChildProcess) => void): Promise<void> {
  const program = childProgram('test/wal/streams/acting-child.ts')
  const child = spawn(process.execPath, [...program, JSON.stringify(order)], { stdio: ['ignore', 'pipe', 'pipe'] })
  let [rest, faults] = ['', '']
  child.stderr.setEncoding('utf8').on('data', (part: string) => {
    faults += part
  })
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    const lines = (rest + part).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines.map((each): ActingLine => JSON.parse(each)))
      if (line.index !== undefined) told.note(order.deeds[line.index] as StreamDeed, line)
  })
  child.stdout.once('data', () => onStart(child))
  const [status, signal] = await once(child, 'close')
  assert.ok(status === 0 || signal === 'SIGKILL', faults)
}

/** Each record once, in order; what was acknowledged at its offset. */
async function assertHolds(store: StreamStore, told: Told, end: ReadonlyMap<StreamId, number>): Promise<void> {
  for (const [stream, texts] of told.acked) {
    const { firstOffset } = await store.status(stream)
    const found = (await readAll(store, stream, { from: firstOffset })).map((read) => ({
      ...{ offset: read.offset, text: Buffer.from(read.record().payload).toString(), origin: read.origin },
    }))
    assert.deepEqual(
      found.map(({ offset }) => offset),
      found.map((_, index) => firstOffset + index),
    )
    assert.deepEqual(repeatedOf(found), [], `records of ${stream} that stand twice`)
    const below = end.get(stream) ?? Number.POSITIVE_INFINITY
    for (const [offset, text] of texts)
      if (offset >= firstOffset && offset < below) assert.equal(found[offset - firstOffset]?.text, text)
    for (const { problems } of await store.acts.verify(stream)) assert.deepEqual(problems, [])
  }
}

interface Found {
  readonly offset: number
  readonly text: string
  readonly origin: unknown
}

/** Pairs of records with one text. */
function repeatedOf(found: readonly Found[]): readonly (readonly [Found, Found])[] {
  const first = new Map<string, Found>()
  return found.flatMap((record) => {
    const before = first.get(record.text)
    first.set(record.text, before ?? record)
    return before === undefined ? [] : [[before, record] as const]
  })
}

async function follow(store: StreamStore, signal: AbortSignal): Promise<readonly string[]> {
  const seen: string[] = []
  for await (const records of store.follow(log, { from: 0, signal })) {
    for (const read of records) {
      assert.equal(read.offset, seen.length)
      seen.push(Buffer.from(read.record().payload).toString())
    }
  }
  return seen
}

killAtSteps(1)

test(`${kills} killed processes lose, double and invent no record`, { timeout: 60 * 60_000 }, async (t) => {
  t.diagnostic(`seed ${seed}`)
  const { path, environment, run, dir } = await createTempRepository(t)
  const remote = join(dir, 'remote.git')
  run('init', '-q', '--bare', '--template=', remote)
  run('remote', 'add', 'origin', remote)
  const place: RealStore = await openRealStore({ cwd: path, environment, cloneId: cloneA }, { warn: () => {} })
  t.after(() => place.git.close())
  const store = place.open()
  for (const stream of [log, side, short]) await perform(place, store, { name: 'create', stream })
  const stop = new AbortController()
  const following = follow(place.open(), stop.signal)
  const told = new Told()
  const random = fc.sample(fc.integer({ min: 5, max: 600 }), { numRuns: kills, seed })
  let turn = 0
  const loop = async () => {
    while (turn < kills) {
      const delayMs = random[turn] as number
      const order: ActingOrder = { cwd: path, environment, cloneId: cloneA, deeds: deeds(turn++), dieAt: 0 }
      await runProcess(order, told, (child) => void setTimeout(() => child.kill('SIGKILL'), delayMs))
    }
  }
  await Promise.all(Array.from({ length: processes }, loop))
  await store.append(log, [{ payload: Buffer.from('end') }], { durability: 'local' })
  for (const { streamId } of await store.list()) await store.seal(streamId)
  const { nextOffset } = await store.status(log)
  const reader = place.open()
  await assertHolds(reader, told, new Map())
  for (const stream of [log, side]) await perform(place, store, { name: 'publish', stream })
  stop.abort()
  const seen = await following
  assert.deepEqual([seen.length, seen.at(-1)], [nextOffset, 'end'])
  for (const [offset, text] of told.acked.get(log) ?? []) assert.equal(seen[offset], text)
  run('fsck', '--strict', '--no-dangling')
  const other = join(dir, 'other')
  run('clone', '-q', remote, other)
  const restored = await openRealStore({ cwd: other, environment, cloneId: cloneA })
  t.after(() => restored.git.close())
  const copy = restored.open()
  await copy.fetch(restored.remotePlace(copy), { ids: [log, side], isWanted: () => true })
  told.acked.delete(short)
  await assertHolds(copy, told, new Map())
  for (const each of [store, reader, copy]) await each.close()
  t.diagnostic(`${JSON.stringify(told.finished)}, ${nextOffset} records in the log`)
})
