import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { ConflictError, InvalidArgsError } from '../../../src/model/index.ts'
import { rootOfManifest } from '../../../src/model/streams/index.ts'
import { commitOfAct } from '../../../src/wal/streams/acts/act-manifest.ts'
import type { MergeStreams, StreamStore } from '../../../src/wal/streams/index.ts'
import { branching, createMemoryRepository, creation, draft, id, local, readAll, textsOf } from './store-setup.ts'

const [target, left, right, made] = [id('target'), id('left'), id('right'), id('made')]
const merging = {
  ...({ into: 'existing', actor: null, reason: null, preview: false } as const),
  ...{ labels: [], evidence: [], notes: [], rows: [] },
}

/** A stream with two records, and a branch with two and one with three more; times differ by ten. */
async function fork(t: TestContext) {
  const { open, clock, damage } = createMemoryRepository(t)
  const store = open()
  const append = async (stream: typeof left, ...texts: string[]) => {
    for (const text of texts) {
      clock.at += 10
      await store.append(stream, [draft(text)], local)
    }
  }
  await store.create(target, creation)
  await append(target, 'a', 'b')
  for (const name of [left, right]) await store.branch(name, target, branching)
  await append(left, 'l1')
  await append(right, 'r1')
  await append(left, 'l2')
  await append(right, 'r2', 'r3')
  return { store, open, append, clock, damage }
}

const merge = (store: StreamStore, request: Partial<MergeStreams>) =>
  store.acts.merge(target, { ...merging, sources: [{ streamId: left }], policy: 'recursive', ...request })

describe('a merge into an existing stream', () => {
  it('fast-forwards a stream without records of its own, again and again', async (t) => {
    const { store, append, open } = await fork(t)
    const first = await merge(store, { policy: 'fast-forward', reason: 'it won' })
    assert.equal(first.firstOffset, 2)
    assert.equal(first.records, 2)
    assert.deepEqual(first.rows, [{ kind: 'range', records: 2, ranges: [{ streamId: left, from: 2, to: 4 }] }])
    await append(left, 'l3')
    await merge(store, { policy: 'fast-forward' })
    assert.deepEqual(await textsOf(open(), target), ['a', 'b', 'l1', 'l2', 'l3'])
    assert.deepEqual(
      (await readAll(store, target)).map(({ origin }) => origin?.streamId ?? null),
      [null, null, left, left, left],
    )
    await append(target, 'own')
    await append(left, 'l4')
    await assert.rejects(merge(store, { policy: 'fast-forward' }), (error: ConflictError) => {
      assert.ok(error instanceof ConflictError)
      assert.equal(error.details?.reason, 'target-has-records')
      return true
    })
    await append(target, 'more')
    assert.deepEqual((await textsOf(open(), target)).slice(-2), ['own', 'more'])
  })

  it('is followed by records that are not older than the last one it adds', async (t) => {
    const { store, append, clock } = await fork(t)
    await append(target, 'own')
    await append(left, 'l3')
    const newest = clock.at
    clock.at -= 1000
    await merge(store, {})
    await store.append(target, [draft('later')], local)
    const times = (await readAll(store, target)).map((read) => read.record().tsUnixMs)
    assert.deepEqual(times.slice(-2), [newest, newest])
  })

  it('is followed by a seal of another process, which did not know of it', async (t) => {
    const { store, append, open } = await fork(t)
    await append(target, 'own')
    await store.seal(target)
    const other = open()
    await merge(other, {})
    await other.append(target, [draft('more')], local)
    await store.seal(target)
    assert.deepEqual(await textsOf(open(), target), ['a', 'b', 'own', 'l1', 'l2', 'more'])
    assert.equal((await open().status(target)).sealedOffset, 6)
  })

  it('adds the records of each source that it does not have, source by source', async (t) => {
    const { store, append, open } = await fork(t)
    await append(target, 'own')
    const { bases, sources } = await merge(store, { sources: [{ streamId: right, below: 4 }, { streamId: left }] })
    assert.deepEqual(
      bases.map(({ streamId, offset }) => [streamId, offset]),
      [[target, 2]],
    )
    assert.deepEqual(
      sources.map(({ offset, base }) => [offset, base]),
      [
        [4, 2],
        [4, 2],
      ],
    )
    assert.deepEqual(await textsOf(open(), target), ['a', 'b', 'own', 'r1', 'r2', 'l1', 'l2'])
    await append(right, 'r4')
    await merge(store, { sources: [{ streamId: right }] })
    assert.deepEqual((await textsOf(store, target)).slice(7), ['r3', 'r4'])
  })

  it('interleaves by time', async (t) => {
    const { store, open } = await fork(t)
    await merge(store, { policy: 'interleave', sources: [{ streamId: left }, { streamId: right }] })
    assert.deepEqual(await textsOf(open(), target), ['a', 'b', 'l1', 'r1', 'l2', 'r2', 'r3'])
    assert.deepEqual(await textsOf(open(), target, { from: 4, to: 6 }), ['l2', 'r2'])
  })

  it('adds nothing by `ours`, and knows the source afterwards', async (t) => {
    const { store, open, append } = await fork(t)
    const done = await merge(store, { policy: 'ours', sources: [{ streamId: left, below: 3 }], notes: ['lost'] })
    assert.equal(done.records, 0)
    assert.notEqual(done.commit, null)
    assert.deepEqual(await textsOf(open(), target), ['a', 'b'])
    await append(left, 'l3')
    await merge(store, {})
    assert.deepEqual(await textsOf(open(), target), ['a', 'b', 'l2', 'l3'])
  })

  it('takes the rows of the caller', async (t) => {
    const { store, open } = await fork(t)
    const sources = [{ streamId: left }, { streamId: right }]
    const both = [
      { streamId: left, from: 2, to: 4 },
      { streamId: right, from: 2, to: 3 },
    ]
    const rows = [{ streamId: right, from: 3, to: 5 }, { interleave: both }]
    await merge(store, { policy: 'custom:judge', sources, rows, evidence: [['score', '0.9']] })
    assert.deepEqual(await textsOf(open(), target), ['a', 'b', 'r2', 'r3', 'l1', 'r1', 'l2'])
    for (const bad of [
      [{ streamId: made, from: 0, to: 1 }],
      [{ streamId: left, from: 3, to: 3 }],
      [{ streamId: left, from: 3, to: 9 }],
      [{ interleave: [] }],
    ])
      await assert.rejects(merge(store, { policy: 'custom:judge', sources, rows: bad }), InvalidArgsError)
  })

  it('previews without a write, also what is not sealed', async (t) => {
    const { store } = await fork(t)
    const before = await store.status(target)
    const preview = await merge(store, { policy: 'interleave', preview: true })
    assert.equal(preview.commit, null)
    assert.equal(preview.records, 2)
    assert.deepEqual(await store.status(target), before)
    const real = await merge(store, { policy: 'interleave' })
    assert.deepEqual({ ...preview, stream: null, commit: null }, { ...real, stream: null, commit: null })
  })

  it('makes another process wait that appends meanwhile', async (t) => {
    const { store, open } = await fork(t)
    const other = open()
    let appending: Promise<unknown> | undefined
    let isAppended = false
    await store.act(target, async () => {
      appending = other.append(target, [draft('after')], local).then(() => (isAppended = true))
      await Promise.race([appending, sleep(50)])
      assert.equal(isAppended, false)
      return null
    })
    await merge(store, { policy: 'recursive' })
    await appending
    assert.deepEqual((await textsOf(open(), target)).toSorted(), ['a', 'after', 'b', 'l1', 'l2'])
    assert.equal((await store.status(target)).divergence, null)
  })

  it('names all best bases after crossing merges', async (t) => {
    const { store } = await fork(t)
    const options = { ...merging, policy: 'recursive', into: 'existing' } as const
    await store.acts.merge(left, { ...options, sources: [{ streamId: right, below: 4 }] })
    await store.acts.merge(right, { ...options, sources: [{ streamId: left, below: 4 }] })
    const { bases, records } = await store.acts.merge(left, { ...options, sources: [{ streamId: right }] })
    assert.deepEqual(
      bases.map(({ streamId, offset }) => [streamId, offset]),
      [
        [left, 4],
        [right, 4],
      ],
    )
    assert.equal(records, 1)
    assert.deepEqual(await textsOf(store, left), ['a', 'b', 'l1', 'l2', 'r1', 'r2', 'r3'])
  })
})

describe('a merge into a new stream', () => {
  it('holds what each policy says, and keeps its sources as parents', async (t) => {
    const { store, open } = await fork(t)
    const sources = [{ streamId: left }, { streamId: right, below: 4 }]
    const expected = [
      ['recursive', ['a', 'b', 'l1', 'l2', 'r1', 'r2']],
      ['interleave', ['a', 'b', 'l1', 'r1', 'l2', 'r2']],
      ['ours', ['a', 'b', 'l1', 'l2']],
    ] as const
    for (const [policy, texts] of expected) {
      const stream = id(policy)
      const { stream: summary } = await store.acts.merge(stream, { ...merging, into: 'new', sources, policy })
      assert.equal(summary?.kind, 'merge')
      assert.deepEqual(
        summary?.parents.map(({ streamId, offset }) => [streamId, offset]),
        [
          [left, 4],
          [right, 4],
        ],
      )
      await store.append(stream, [draft('own')], local)
      assert.deepEqual(await textsOf(open(), stream), [...texts, 'own'])
    }
  })

  it('refuses what cannot be meant', async (t) => {
    const { store } = await fork(t)
    const options = { ...merging, into: 'new', policy: 'recursive' } as const
    const sources = [{ streamId: left }]
    await assert.rejects(store.acts.merge(target, { ...options, sources: [{ streamId: right }] }), ConflictError)
    for (const bad of [
      { ...options, sources: [] },
      { ...options, sources: [...sources, ...sources] },
      { ...options, sources: [{ streamId: made }] },
      { ...options, sources: [{ streamId: left, below: 99 }] },
      { ...options, sources, rows: [{ streamId: left, from: 0, to: 1 }] },
    ])
      await assert.rejects(store.acts.merge(made, bad), InvalidArgsError)
  })
})

describe('a merge both ways', () => {
  const texts = async (store: StreamStore, stream: typeof left) => (await textsOf(store, stream)).toSorted()
  const assertSound = async (store: StreamStore) => {
    for (const { streamId } of await store.list())
      for (const { problems } of await store.acts.verify(streamId)) assert.deepEqual(problems, [], streamId)
  }
  const mergeInto = (store: StreamStore, into: typeof left, from: typeof left, policy: MergeStreams['policy']) =>
    store.acts.merge(into, { ...merging, sources: [{ streamId: from }], policy })

  for (const policy of ['recursive', 'interleave'] as const) {
    it(`adds no record twice: ${policy}`, async (t) => {
      const { store, open, append } = await fork(t)
      await mergeInto(store, left, right, policy)
      await mergeInto(store, right, left, policy)
      const all = ['a', 'b', 'l1', 'l2', 'r1', 'r2', 'r3']
      assert.deepEqual(await texts(open(), left), all)
      assert.deepEqual(await texts(open(), right), all)
      await append(left, 'l3')
      await append(right, 'r4')
      await mergeInto(store, left, right, policy)
      await mergeInto(store, right, left, policy)
      await mergeInto(store, target, left, policy)
      await mergeInto(store, target, right, policy)
      for (const stream of [left, right, target])
        assert.deepEqual(await texts(open(), stream), ['a', 'b', 'l1', 'l2', 'l3', 'r1', 'r2', 'r3', 'r4'], stream)
      await assertSound(open())
    })
  }

  it('is also sound as it was made at first, with records twice', async (t) => {
    const { store, open } = await fork(t)
    await mergeInto(store, left, right, 'recursive')
    await store.seal(right)
    const { head: source } = await store.status(left)
    await store.act(right, async ({ commit, manifest }) => {
      const { manifest: merged } = await store.reader.manifests.read(source)
      const { streamId, incarnation } = manifest
      const act = {
        ...({ name: 'merge', ts: 1, actor: null, reason: null, policy: 'recursive', offsets: [7] } as const),
        ...{ bases: [{ streamId, incarnation, offset: 5 }], evidence: [], notes: [] },
      }
      const roots = [manifest, merged].map(rootOfManifest)
      const rows = [{ kind: 'range', source: 1, from: 2, to: 7 } as const]
      return { commit: commitOfAct(manifest, act, rows, roots), parents: () => [commit, source] }
    })
    const texts = ['a', 'b', 'r1', 'r2', 'r3', 'l1', 'l2', 'r1', 'r2', 'r3']
    assert.deepEqual(await textsOf(open(), right), texts)
    await assertSound(open())
  })

  it('adds no record twice of a stream that both have merged', async (t) => {
    const { store, open } = await fork(t)
    await store.create(made, creation)
    await store.append(made, [draft('m')], local)
    await mergeInto(store, left, made, 'recursive')
    await mergeInto(store, right, made, 'recursive')
    await mergeInto(store, left, right, 'recursive')
    assert.deepEqual(await texts(open(), left), ['a', 'b', 'l1', 'l2', 'm', 'r1', 'r2', 'r3'])
    const both = {
      ...merging,
      into: 'new',
      policy: 'recursive',
      sources: [{ streamId: left }, { streamId: right }],
    } as const
    await store.acts.merge(id('joined'), both)
    assert.deepEqual(await texts(open(), id('joined')), ['a', 'b', 'l1', 'l2', 'm', 'r1', 'r2', 'r3'])
    await assertSound(open())
  })
})
