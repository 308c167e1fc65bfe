import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { privatePermissions, randomBytes } from '../../../src/git/index.ts'
import { ConflictError, CorruptObjectError, InvalidArgsError, NotFoundError } from '../../../src/model/index.ts'
import { StreamStore } from '../../../src/wal/streams/index.ts'
import {
  branching,
  cloneA,
  cloneB,
  createMemoryRepository,
  creation,
  draft,
  id,
  local,
  readAll,
  startMs,
  textsOf,
} from './store-setup.ts'

const [trace, retry] = [id('trace'), id('trace/retry')]

it('reads appended records from the journal, and from commits once sealed', async (t) => {
  const { open, folder } = createMemoryRepository(t)
  const store = open()
  await store.create(trace, { ...creation, labels: [['kind', 'trace']] })
  const first = await store.append(trace, [draft('a'), draft('b')], local)
  assert.deepEqual([first.offset, first.nextOffset, first.level, first.repeated], [0, 2, 'local', false])
  assert.equal((await store.append(trace, [draft('c')], { durability: 'memory' })).level, 'memory')
  assert.deepEqual(await textsOf(store, trace), ['a', 'b', 'c'])
  const sealed = await store.seal(trace)
  assert.deepEqual([sealed.sealedOffset, sealed.records, sealed.commits.length], [3, 3, 1])
  await store.append(trace, [draft('d')], local)
  assert.deepEqual(await textsOf(store, trace), ['a', 'b', 'c', 'd'])
  assert.deepEqual(await textsOf(store, trace, { includeTail: false }), ['a', 'b', 'c'])
  assert.deepEqual(await textsOf(store, trace, { from: 1, to: 3 }), ['b', 'c'])
  assert.deepEqual(await textsOf(store, trace, { from: 1, limitRecords: 3 }), ['b', 'c', 'd'])
  const { nextOffset, sealedOffset, metadata, owner } = await store.status(trace)
  assert.deepEqual([nextOffset, sealedOffset, metadata.labels, owner], [4, 3, [['kind', 'trace']], 'ours'])
  assert.deepEqual((await store.readAt(trace, 3)).offset, 3)
  await assert.rejects(store.readAt(trace, 4), NotFoundError)
  assert.deepEqual(readdirSync(folder).filter((name) => name.endsWith('.journal')).length, 1)
})

it('another process goes on where a killed one stopped', async (t) => {
  const { open } = createMemoryRepository(t)
  const [dead, living] = [open(), open()]
  await dead.create(trace, creation)
  await dead.append(trace, [draft('a')], local)
  assert.deepEqual(await textsOf(living, trace), ['a'])
  assert.equal((await living.append(trace, [draft('b')], local)).offset, 1)
  assert.equal((await living.seal(trace)).sealedOffset, 2)
  assert.equal((await dead.append(trace, [draft('c')], local)).offset, 2)
  assert.deepEqual(await textsOf(living, trace), ['a', 'b', 'c'])
})

it('a writer that opens while its generation ends appends to the next one', async (t) => {
  const { open, git, folder, clock } = createMemoryRepository(t)
  const ending = open()
  await ending.create(trace, creation)
  for (const text of ['a', 'b']) {
    await ending.append(trace, [draft(text)], local)
    await ending.seal(trace)
  }
  const retention = { maxAgeMs: null, maxBytes: null, maxCount: 1 }
  let ends = true
  const opening = new StreamStore({
    ...{ git, folder, clock, permissions: privatePermissions, random: randomBytes, warn: () => assert.fail() },
    // Asked for between the head and the journals.
    cloneId: async () => {
      if (ends) {
        ends = false
        await ending.acts.retain(trace, {
          policy: retention,
          compact: false,
          preview: false,
          actor: null,
          reason: null,
        })
      }
      return cloneA
    },
  })
  t.after(() => opening.close())
  assert.equal((await opening.append(trace, [draft('c')], local)).offset, 2)
  assert.deepEqual(await textsOf(open(), trace, { from: 1 }), ['b', 'c'])
  const generations = readdirSync(folder).filter((name) => name.endsWith('.journal'))
  assert.deepEqual(
    generations.map((name) => name.split('.')[1]),
    ['1'],
  )
})

it('refuses an append whose offset is not the expected one', async (t) => {
  const store = createMemoryRepository(t).open()
  await store.create(trace, creation)
  assert.equal((await store.append(trace, [draft('a')], { ...local, expectedOffset: 0 })).offset, 0)
  await assert.rejects(store.append(trace, [draft('b')], { ...local, expectedOffset: 0 }), (error) => {
    assert.ok(error instanceof ConflictError)
    assert.deepEqual([error.details.expected, error.details.found], [0, 1])
    return true
  })
  assert.deepEqual(await textsOf(store, trace), ['a'])
})

it('answers a repeated sequence with its first position, across seals and processes', async (t) => {
  const { open } = createMemoryRepository(t)
  const store = open()
  const by = (sequence: number) => draft(`r${sequence}`, { producer: { id: 'p', sequence } })
  await store.create(trace, creation)
  await store.append(trace, [by(1), by(2)], local)
  await store.append(trace, [draft('other')], local)
  assert.deepEqual((await store.append(trace, [by(1), by(2)], local)).offset, 0)
  await store.seal(trace)
  const again = await open().append(trace, [by(2)], local)
  assert.deepEqual([again.offset, again.repeated], [1, true])
  await assert.rejects(store.append(trace, [by(1)], local), ConflictError)
  assert.equal((await store.append(trace, [by(7)], local)).offset, 3)
})

it('dates a record no earlier than the one before', async (t) => {
  const { open, clock } = createMemoryRepository(t)
  await open().create(trace, creation)
  await open().append(trace, [draft('a')], local)
  await open().seal(trace)
  clock.at -= 24 * 3_600_000
  await open().append(trace, [draft('b')], local)
  const times = (await readAll(open(), trace)).map((record) => record.record().tsUnixMs)
  assert.deepEqual(times, [startMs, startMs])
})

it('goes on with a clock that is a day behind: appends, seals, takeovers, merges and retention', async (t) => {
  const { open, clock } = createMemoryRepository(t)
  const [store, side] = [open(), id('side')]
  for (const stream of [trace, side]) {
    await store.create(stream, creation)
    await store.append(stream, [draft(`${stream} 0`)], local)
    await store.seal(stream)
  }
  clock.at -= 24 * 3_600_000
  await store.append(trace, [draft('late')], local)
  await store.seal(trace)
  const deed = { actor: null, reason: null }
  await store.acts.merge(trace, {
    ...({ into: 'existing', policy: 'interleave', preview: false, ...deed } as const),
    ...{ sources: [{ streamId: side }], labels: [], evidence: [], notes: [], rows: [] },
  })
  const other = open(cloneB)
  assert.equal((await other.acts.takeOver(trace, deed)).epoch.number, 2)
  await other.append(trace, [draft('later')], local)
  const policy = { maxAgeMs: 60_000, maxBytes: null, maxCount: null }
  const kept = await other.acts.retain(trace, { policy, compact: false, preview: false, ...deed })
  assert.equal(kept.dropped, 0, 'nothing is older than a minute by its own date')
  const texts = await textsOf(open(), trace)
  assert.deepEqual(texts, ['trace 0', 'late', 'side 0', 'later'])
  const times = (await readAll(open(), trace)).map((record) => record.record().tsUnixMs)
  assert.deepEqual(times, [startMs, startMs, startMs, startMs])
  for (const { problems } of await other.acts.verify(trace)) assert.deepEqual(problems, [])
})

it('seals by age, whatever the clock says', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { open, clock } = createMemoryRepository(t)
  const store = open()
  await store.create(trace, creation)
  await store.append(trace, [draft('a')], local)
  clock.at -= 24 * 3_600_000
  t.mock.timers.tick(10 * 60_000)
  t.mock.timers.reset()
  for (let turns = 0; turns < 500 && (await store.status(trace)).sealedOffset === 0; turns++) await sleep(5)
  assert.equal((await store.status(trace)).sealedOffset, 1)
})

it('of two that create a stream at once, one does', async (t) => {
  const { open } = createMemoryRepository(t)
  const made = await Promise.allSettled([open(), open()].map((store) => store.create(trace, creation)))
  assert.deepEqual(made.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected'])
  for (const result of made) assert.ok(result.status === 'fulfilled' || result.reason instanceof ConflictError)
  for (const store of [open(), open()]) await store.append(trace, [draft('a')], local)
  assert.deepEqual(await textsOf(open(), trace), ['a', 'a'])
})

it('a branch holds the records below its offset, and its own', async (t) => {
  const store = createMemoryRepository(t).open()
  await store.create(trace, creation)
  await store.append(
    trace,
    ['a', 'b', 'c'].map((text) => draft(text)),
    local,
  )
  const child = await store.branch(retry, trace, { ...branching, at: 2 })
  assert.deepEqual([child.kind, child.nextOffset, child.entries], ['branch', 2, 0])
  await store.append(retry, [draft('x')], local)
  await store.append(trace, [draft('d')], local)
  assert.deepEqual(await textsOf(store, retry), ['a', 'b', 'x'])
  assert.deepEqual(await textsOf(store, trace), ['a', 'b', 'c', 'd'])
  const origins = (await readAll(store, retry)).map(({ origin }) => origin && [origin.streamId, origin.offset])
  assert.deepEqual(origins, [[trace, 0], [trace, 1], null])
  const grandchild = id('trace/retry/again')
  await store.branch(grandchild, retry, { ...branching, at: 1 })
  await store.append(grandchild, [draft('y')], local)
  assert.deepEqual(await textsOf(store, grandchild), ['a', 'y'])
  const empty = id('trace/empty')
  await store.branch(empty, trace, { ...branching, at: 0 })
  assert.deepEqual(await textsOf(store, empty), [])
  await assert.rejects(store.branch(id('late'), trace, { ...branching, at: 5 }), InvalidArgsError)
  await assert.rejects(store.branch(retry, trace, branching), ConflictError)
})

it('lists streams with what their journals hold, by cache and without', async (t) => {
  const { open } = createMemoryRepository(t)
  const store = open()
  for (let at = 0; at < 20; at++) await store.create(id(`stream ${at}`), creation)
  await store.append(id('stream 7'), [draft('a')], local)
  const fresh = await open().list()
  assert.equal(fresh.length, 20)
  await store.append(id('stream 7'), [draft('b')], local)
  const cached = await open().list()
  assert.equal(cached.find(({ streamId }) => streamId === 'stream 7')?.nextOffset, 2)
  assert.deepEqual(cached, await store.list())
})

it('only the clone that owns a stream appends', async (t) => {
  const { open } = createMemoryRepository(t)
  await open().create(trace, creation)
  await assert.rejects(open(cloneB).append(trace, [draft('a')], local), (error) => {
    assert.ok(error instanceof ConflictError)
    assert.equal(error.details.reason, 'foreign-epoch')
    return true
  })
  await assert.rejects(open().append(id('none'), [draft('a')], local), NotFoundError)
  await assert.rejects(open().create(trace, creation), ConflictError)
})

it('appends go on after records that were lost in a closed journal', async (t) => {
  const { open, folder, damage } = createMemoryRepository(t)
  const store = open()
  await store.create(trace, creation)
  for (const text of ['a', 'b lost', 'c']) await store.append(trace, [draft(text)], local)
  const [journal = ''] = readdirSync(folder).filter((name) => name.endsWith('.journal'))
  const bytes = readFileSync(join(folder, journal))
  bytes.write('X', bytes.indexOf('lost'))
  writeFileSync(join(folder, journal), bytes)
  const later = open()
  const isLoss = (error: unknown): boolean => {
    assert.ok(error instanceof ConflictError)
    assert.deepEqual([error.details.offset, error.details.next_offset], [1, 2])
    return error.message.includes('lacks record 1 of')
  }
  await assert.rejects(later.seal(trace), isLoss)
  assert.equal((await later.append(trace, [draft('d')], local)).offset, 3)
  await assert.rejects(later.seal(trace), isLoss)
  const reader = open()
  assert.equal((await reader.append(trace, [draft('e')], local)).offset, 4, 'a new process appends, too')
  assert.equal(damage.length, 1, 'and reports the loss once')
  assert.match(damage[0]?.reason ?? '', /lacks record 1 of/)
  await assert.rejects(readAll(reader, trace), CorruptObjectError)
  const unread: unknown[] = []
  const texts = await textsOf(reader, trace, { onDamage: ({ offsets }) => unread.push(offsets) })
  assert.deepEqual([texts, unread], [['a', 'c', 'd', 'e'], [{ from: 1, to: 2 }]])
  assert.equal((await reader.status(trace)).sealedOffset, 1)
})

it('follows appends of this process and of others', async (t) => {
  const { open } = createMemoryRepository(t)
  const [store, other] = [open(), open()]
  await store.create(trace, creation)
  await store.append(trace, [draft('a')], local)
  const controller = new AbortController()
  const seen: string[] = []
  const writes = [() => other.append(trace, [draft('b')], local), () => store.append(trace, [draft('c')], local)]
  for await (const records of store.follow(trace, { from: 0, signal: controller.signal })) {
    seen.push(...records.map((record) => Buffer.from(record.record().payload).toString()))
    const write = writes.shift()
    if (write === undefined) controller.abort()
    else await write()
  }
  assert.deepEqual(seen, ['a', 'b', 'c'])
})

it('a follower gets what its own process appends without reading it', async (t) => {
  const { open, git } = createMemoryRepository(t)
  const store = open()
  await store.create(trace, creation)
  await store.append(trace, [draft('first')], local)
  let refReads = 0
  const { readRef } = git
  Object.assign(git, {
    readRef: (...words: Parameters<typeof readRef>) => {
      refReads++
      return readRef(...words)
    },
  })
  const controller = new AbortController()
  t.after(() => controller.abort())
  const batches = store.follow(trace, { from: 0, signal: controller.signal })
  const next = async () => (await batches.next()).value?.map(({ offset }: { offset: number }) => offset)
  assert.deepEqual(await next(), [0])
  const before = refReads
  for (let offset = 1; offset < 10; offset++) {
    await store.append(trace, [draft(`${offset}`)], local)
    assert.deepEqual(await next(), [offset])
  }
  // An append may look at the ref.
  assert.ok(refReads - before <= 2, `${refReads - before}`)
  await store.append(trace, [draft('unflushed')], { durability: 'memory' })
  assert.deepEqual(await next(), [10])
  assert.ok(refReads > before, 'only what is flushed is handed over')
})

it('an act is made after everything before it is sealed, and appends go on', async (t) => {
  const { open, refs } = createMemoryRepository(t)
  const store = open()
  await store.create(trace, creation)
  await store.append(trace, [draft('a')], local)
  let after: ReturnType<typeof store.append> | undefined
  const acted = store.act(trace, async ({ manifest }) => {
    after = store.append(trace, [draft('b')], local)
    assert.equal(manifest.firstOffset + manifest.count, 1)
    const act = {
      name: 'checkpoint',
      ts: startMs,
      actor: null,
      reason: null,
      kind: 'test',
      key: null,
      signature: null,
    } as const
    const { commitCount } = manifest
    const next = { ...manifest, commitCount: commitCount + 1, firstOffset: 1, count: 0, content: null, act }
    return { commit: { manifest: next, segment: null, tsUnixMs: startMs } }
  })
  const head = await acted
  assert.equal(head.manifest.act?.name, 'checkpoint')
  assert.equal((await after)?.offset, 1)
  assert.equal([...refs.values()].includes(head.commit), true)
  assert.deepEqual(await textsOf(open(), trace), ['a', 'b'])
  assert.equal((await store.seal(trace)).sealedOffset, 2)
  assert.deepEqual(await textsOf(open(), trace), ['a', 'b'])
})

it('finishes appends under way when it closes, and when another process seals', async (t) => {
  const { open } = createMemoryRepository(t)
  const [store, other] = [open(), open()]
  await store.create(trace, creation)
  const offsets: number[] = []
  const append = async (writer: typeof store, text: string): Promise<void> => {
    offsets.push((await writer.append(trace, [draft(text)], local)).offset)
  }
  for (let round = 0; round < 4; round++) {
    const appends = Array.from({ length: 50 }, (_, at) => append(store, `${round}.${at}`))
    await Promise.all([other.seal(trace), append(other, `other ${round}`), ...appends])
  }
  const last = Array.from({ length: 50 }, (_, at) => append(store, `last ${at}`))
  await store.close()
  await Promise.all(last)
  assert.deepEqual(
    offsets.toSorted((left, right) => left - right),
    [...Array(254).keys()],
  )
  assert.equal((await textsOf(open(), trace)).length, 254)
})
