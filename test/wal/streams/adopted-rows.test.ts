import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { Oid } from '../../../src/git/index.ts'
import {
  type AdoptedRow,
  countOfRow,
  encodeRow,
  leafOfRow,
  nextOffsetOf,
  PeakList,
  rootOfManifest,
} from '../../../src/model/streams/index.ts'
import type { ActCommit, StreamHead, StreamStore } from '../../../src/wal/streams/index.ts'
import { createMemoryRepository, creation, draft, id, local, readAll, startMs, textsOf } from './store-setup.ts'

const [target, left, right] = [id('target'), id('left'), id('right')]

/** Adopts rows of other streams' heads, as a merge does. */
async function adopt(store: StreamStore, sources: readonly StreamHead[], rows: readonly AdoptedRow[]): Promise<void> {
  await store.act(target, async ({ commit, manifest }): Promise<ActCommit> => {
    const roots = [rootOfManifest(manifest), ...sources.map((source) => rootOfManifest(source.manifest))]
    const peaks = PeakList.of(manifest.entries, manifest.peaks)
    for (const row of rows) {
      const ranges = row.kind === 'range' ? [row] : row.ranges
      peaks.append(
        leafOfRow(
          encodeRow(row),
          ranges.map(({ source }) => roots[source] as Uint8Array),
        ),
      )
    }
    const act = {
      ...({ name: 'merge', ts: startMs, actor: null, reason: null, policy: 'custom:test' } as const),
      ...{ offsets: sources.map(({ manifest }) => nextOffsetOf(manifest)), bases: [], evidence: [], notes: [] },
    }
    const next = {
      ...manifest,
      ...{ commitCount: manifest.commitCount + 1, firstOffset: nextOffsetOf(manifest), act },
      count: rows.reduce((count, row) => count + countOfRow(row), 0),
      content: { kind: 'rows', rows } as const,
      ...{ entries: peaks.entries, peaks: peaks.peaks },
    }
    const parents = (head: Oid) => [head, ...sources.map((source) => source.commit)]
    assert.equal(commit.length, 40)
    return { commit: { manifest: next, segment: null, tsUnixMs: startMs }, parents }
  })
}

async function fill(store: StreamStore, clock: { at: number }, name: typeof left, texts: readonly string[]) {
  await store.create(name, creation)
  for (const text of texts) {
    clock.at += 10
    await store.append(name, [draft(text)], local)
  }
  await store.seal(name)
  return await store.head(name)
}

it('reads adopted ranges with their origins, and goes on after them', async (t) => {
  const { open, clock } = createMemoryRepository(t)
  const store = open()
  await fill(store, clock, target, ['t0'])
  const source = await fill(store, clock, left, ['a', 'b', 'c'])
  await adopt(
    store,
    [source],
    [
      { kind: 'range', source: 1, from: 1, to: 3 },
      { kind: 'range', source: 1, from: 0, to: 1 },
    ],
  )
  await store.append(target, [draft('t1')], local)
  assert.deepEqual(await textsOf(open(), target), ['t0', 'b', 'c', 'a', 't1'])
  assert.deepEqual(await textsOf(store, target, { from: 2, to: 4 }), ['c', 'a'])
  const origins = (await readAll(store, target)).map(({ offset, origin }) => [offset, origin?.streamId, origin?.offset])
  assert.deepEqual(origins[1], [1, left, 1])
  assert.deepEqual(origins[3], [3, left, 0])
  assert.deepEqual(origins[4], [4, undefined, undefined])
})

it('interleaves ranges by time, then by stream id', async (t) => {
  const { open, clock } = createMemoryRepository(t)
  const store = open()
  await fill(store, clock, target, [])
  const sources = [await fill(store, clock, right, ['r1', 'r2']), await fill(store, clock, left, ['l1'])]
  clock.at += 5
  await store.append(left, [draft('same l')], local)
  await store.append(right, [draft('same r')], local)
  for (const name of [left, right]) await store.seal(name)
  const heads = [await store.head(right), await store.head(left)]
  assert.notEqual(heads[0]?.commit, sources[0]?.commit)
  const ranges = [
    { source: 1, from: 0, to: 3 },
    { source: 2, from: 0, to: 2 },
  ]
  await adopt(store, heads, [{ kind: 'interleave', ranges, marks: [] }])
  assert.deepEqual(await textsOf(store, target), ['r1', 'r2', 'l1', 'same l', 'same r'])
  assert.deepEqual(await textsOf(open(), target, { from: 2, to: 4 }), ['l1', 'same l'])
})

it('reads branches and rows a thousand deep', async (t) => {
  const { open } = createMemoryRepository(t)
  const store = open()
  await store.create(id('0'), creation)
  await store.append(id('0'), [draft('root')], local)
  // At a sealed offset, a branch needs no journal of its parent.
  await store.seal(id('0'))
  const depth = 1000
  for (let at = 1; at <= depth; at++)
    await store.branch(id(`${at}`), id(`${at - 1}`), { actor: null, reason: null, labels: [], at: 1 })
  await store.append(id(`${depth}`), [draft('leaf')], local)
  assert.deepEqual(await textsOf(open(), id(`${depth}`)), ['root', 'leaf'])
})

it('skips an unreadable segment, reports it by its object id, and reads the rest', async (t) => {
  const { open, world } = createMemoryRepository(t)
  const store = open()
  await store.create(target, creation)
  for (const text of ['a', 'b', 'c']) {
    await store.append(target, [draft(text)], local)
    await store.seal(target)
  }
  const damaged = [...world.objects.values()].find(
    ({ type, content }) =>
      type === 'blob' &&
      Buffer.from(content).includes('b', 0) &&
      content.length < 20 &&
      Buffer.from(content).at(-1) === 98,
  )
  assert.ok(damaged)
  world.objects.delete(damaged.oid)
  const found: unknown[] = []
  const texts = await textsOf(open(), target, { onDamage: ({ objectId, offsets }) => found.push([objectId, offsets]) })
  assert.deepEqual([texts, found], [['a', 'c'], [[damaged.oid, { from: 1, to: 2 }]]])
  await assert.rejects(textsOf(open(), target), { name: 'DamagedStreamError' })
})

it('reads many small segments as one walk, on both sides of a fork', async (t) => {
  const { open } = createMemoryRepository(t)
  const store = open()
  const child = id('child')
  const texts = Array.from({ length: 40 }, (_, at) => `r${at}`)
  await store.create(target, creation)
  for (const text of texts) {
    await store.append(target, [draft(text)], local)
    await store.seal(target)
  }
  await store.branch(child, target, { actor: null, reason: null, labels: [], at: 35 })
  await store.append(child, [draft('own')], local)
  assert.deepEqual(await textsOf(open(), target), texts)
  assert.deepEqual(await textsOf(open(), target, { from: 3, to: 38 }), texts.slice(3, 38))
  const inherited = await readAll(open(), child)
  assert.deepEqual(
    inherited.map(({ offset }) => offset),
    [...Array(36).keys()],
  )
  assert.deepEqual([inherited[34]?.origin?.streamId, inherited[35]?.origin], [target, null])
})

async function sealEach(store: StreamStore, texts: readonly string[]): Promise<void> {
  for (const text of texts) {
    await store.append(target, [draft(text)], local)
    await store.seal(target)
  }
}

it('reads a long chain of small segments in one walk that finds its commits', async (t) => {
  const { open, git, world } = createMemoryRepository(t)
  const store = open()
  const texts = Array.from({ length: 70 }, (_, at) => `r${at}`)
  await store.create(target, creation)
  await sealEach(store, texts)
  const walks: string[] = []
  const { listCommits, readHistory } = git
  Object.assign(git, {
    listCommits: (options: Parameters<typeof listCommits>[0]) => {
      walks.push('list')
      return listCommits(options)
    },
    readHistory: (options: Parameters<typeof readHistory>[0]) => {
      walks.push('read')
      return readHistory(options)
    },
  })
  assert.deepEqual(await textsOf(open(), target), texts)
  assert.deepEqual(walks, ['read'])
  assert.deepEqual(await textsOf(open(), target, { to: 50 }), texts.slice(0, 50))
  assert.deepEqual(await textsOf(open(), target, { to: 50, limitRecords: 45 }), texts.slice(0, 45))
  const source = await fill(store, { at: 0 }, left, ['a', 'b'])
  await adopt(store, [source], [{ kind: 'range', source: 1, from: 0, to: 2 }])
  await sealEach(store, ['after'])
  const all = [...texts, 'a', 'b', 'after']
  assert.deepEqual(await textsOf(open(), target), all)
  for (const { oid, type, content } of world.objects.values())
    if (type === 'blob' && content.length < 30 && Buffer.from(content).includes('r33')) world.objects.delete(oid)
  const found: unknown[] = []
  const rest = await textsOf(open(), target, { onDamage: ({ offsets }) => found.push(offsets) })
  assert.deepEqual([rest, found], [all.filter((text) => text !== 'r33'), [{ from: 33, to: 34 }]])
})

it('gives the records of a large segment in small batches', async (t) => {
  const { open } = createMemoryRepository(t)
  const store = open()
  const texts = Array.from({ length: 1000 }, (_, at) => `r${at}`)
  await store.create(target, creation)
  await store.append(
    target,
    texts.map((text) => draft(text)),
    local,
  )
  await store.seal(target)
  assert.deepEqual(await textsOf(open(), target), texts)
  const sizes: number[] = []
  for await (const records of open().read(target, { from: 0, includeTail: true })) sizes.push(records.length)
  assert.deepEqual(sizes, [256, 256, 256, 232])
})
