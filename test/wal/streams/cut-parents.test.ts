/** What comes from a stream whose oldest records a retention dropped: it begins where that stream began, and is whole. */
import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { ConflictError, InvalidArgsError } from '../../../src/model/index.ts'
import type { MergePolicy, StreamId } from '../../../src/model/streams/index.ts'
import type { StreamStore } from '../../../src/wal/streams/index.ts'
import { createClones } from './clones-setup.ts'
import { branching, createMemoryRepository, creation, draft, id, local, textsOf } from './store-setup.ts'

const [root, other, child, grandchild, made] = [id('root'), id('other'), id('child'), id('grandchild'), id('made')]

/** `root` held a to d and holds c and d; `other` was forked before the cut and holds a, b and o. */
async function cutRoot(store: StreamStore): Promise<void> {
  await store.create(root, creation)
  await append(store, root, 'a', 'b')
  await store.branch(other, root, branching)
  await append(store, root, 'c', 'd')
  await append(store, other, 'o')
  await retain(store, root)
}

/** One segment each. */
async function append(store: StreamStore, streamId: StreamId, ...texts: string[]): Promise<void> {
  for (const text of texts) {
    await store.append(streamId, [draft(text)], local)
    await store.seal(streamId)
  }
}

async function retain(store: StreamStore, streamId: StreamId): Promise<void> {
  await store.acts.retain(streamId, {
    ...{ policy: { maxAgeMs: null, maxBytes: null, maxCount: 2 }, compact: false, preview: false },
    ...{ actor: null, reason: null },
  })
}

async function assertHolds(store: StreamStore, streamId: StreamId, firstOffset: number, texts: string[]) {
  const found = await store.status(streamId)
  assert.equal(found.firstOffset, firstOffset, streamId)
  assert.deepEqual(await textsOf(store, streamId, { from: firstOffset }), texts)
  const listed = (await store.list()).find((stream) => stream.streamId === streamId)
  assert.equal(listed?.firstOffset, firstOffset)
}

async function assertSound(store: StreamStore): Promise<void> {
  for (const { streamId } of await store.list())
    for (const { problems } of await store.acts.verify(streamId)) assert.deepEqual(problems, [], streamId)
}

async function repository(t: TestContext) {
  const { open, damage } = createMemoryRepository(t)
  const store = open()
  await cutRoot(store)
  return { store, open, damage }
}

describe('a branch of a stream that was cut', () => {
  it('begins where its parent begins, and so do its own branches', async (t) => {
    const { store, open, damage } = await repository(t)
    await store.branch(child, root, branching)
    await append(store, child, 'x')
    await store.branch(grandchild, child, { ...branching, at: 4 })
    await append(store, grandchild, 'y')
    for (const at of [store, open()]) {
      await assertHolds(at, root, 2, ['c', 'd'])
      await assertHolds(at, child, 2, ['c', 'd', 'x'])
      await assertHolds(at, grandchild, 2, ['c', 'd', 'y'])
      await assertHolds(at, other, 0, ['a', 'b', 'o'])
    }
    await assertSound(open())
    assert.deepEqual(damage, [])
  })

  it('may begin at the oldest offset of its parent, not below', async (t) => {
    const { store } = await repository(t)
    await store.branch(child, root, { ...branching, at: 2 })
    await append(store, child, 'x')
    await assertHolds(store, child, 2, ['x'])
    await assert.rejects(store.branch(grandchild, child, { ...branching, at: 1 }), InvalidArgsError)
    await assert.rejects(store.branch(grandchild, root, { ...branching, at: 1 }), InvalidArgsError)
  })

  it('keeps its beginning when its parent is cut again, and when it is cut itself', async (t) => {
    const { store, open } = await repository(t)
    await store.branch(child, root, branching)
    await append(store, root, 'e', 'f')
    await retain(store, root)
    await assertHolds(store, child, 2, ['c', 'd'])
    await append(store, child, 'x', 'y', 'z')
    await retain(store, child)
    await assertHolds(open(), child, 5, ['y', 'z'])
    await assertHolds(open(), root, 4, ['e', 'f'])
    await assertSound(open())
  })

  it('is whole in another clone', async (t) => {
    const { clones } = createClones(t, 2)
    const [writer, reader] = clones as [(typeof clones)[number], (typeof clones)[number]]
    await cutRoot(writer.store)
    await writer.store.branch(child, root, branching)
    await append(writer.store, child, 'x')
    await writer.publish(root, other, child)
    await reader.fetch()
    await assertHolds(reader.store, child, 2, ['c', 'd', 'x'])
    await assertSound(reader.store)
  })
})

describe('a merge of a stream that was cut', () => {
  const merging = {
    ...{ actor: null, reason: null, preview: false, labels: [], evidence: [], notes: [], rows: [] },
  }
  const asNew: readonly (readonly [policy: MergePolicy, sources: readonly StreamId[], texts: string[]])[] = [
    ['fast-forward', [root], ['c', 'd']],
    ['ours', [root, other], ['c', 'd']],
    ['recursive', [root, other], ['c', 'd', 'o']],
    ['recursive', [other, root], ['a', 'b', 'o', 'c', 'd']],
    ['interleave', [root, other], ['c', 'd', 'o']],
    ['recursive', [child, other], ['c', 'd', 'x', 'o']],
  ]
  for (const [policy, sources, texts] of asNew) {
    it(`${policy} of ${sources.join(' and ')}, as a new stream, adopts what they hold`, async (t) => {
      const { store, open, damage } = await repository(t)
      await store.branch(child, root, branching)
      await append(store, child, 'x')
      await store.acts.merge(made, {
        ...{ ...merging, into: 'new', policy, sources: sources.map((streamId) => ({ streamId })) },
      })
      assert.deepEqual((await textsOf(open(), made)).sort(), [...texts].sort())
      if (policy !== 'interleave') assert.deepEqual(await textsOf(open(), made), texts)
      await assertSound(open())
      assert.deepEqual(damage, [])
    })
  }

  it('into an existing stream, adopts what the source holds', async (t) => {
    const { store, open } = await repository(t)
    await store.create(made, creation)
    await append(store, made, 'm')
    const into = { ...merging, into: 'existing', policy: 'recursive' } as const
    await store.acts.merge(made, { ...into, sources: [{ streamId: root }] })
    assert.deepEqual(await textsOf(open(), made), ['m', 'c', 'd'])
    await assertSound(open())
  })

  it('is no fast-forward where the source no longer has what would follow', async (t) => {
    const { store } = await repository(t)
    await store.branch(child, other, { ...branching, at: 2 })
    await append(store, root, 'e')
    await retain(store, root)
    await store.branch(made, other, { ...branching, at: 2 })
    const into = { ...merging, into: 'existing', policy: 'fast-forward' } as const
    await assert.rejects(store.acts.merge(made, { ...into, sources: [{ streamId: root }] }), (error: ConflictError) => {
      assert.ok(error instanceof ConflictError)
      assert.equal(error.details?.reason, 'source-was-cut')
      return true
    })
  })
})

it('a merge of a stream whose retention dropped an earlier merge is sound', async (t) => {
  const { open } = createMemoryRepository(t)
  const store = open()
  const [left, right] = [id('left'), id('right')]
  for (const stream of [left, right, made]) {
    await store.create(stream, creation)
    await append(store, stream, `${stream}1`)
  }
  const into = {
    ...({ into: 'existing', policy: 'recursive', actor: null, reason: null, preview: false } as const),
    ...{ labels: [], evidence: [], notes: [], rows: [] },
  }
  await store.acts.merge(left, { ...into, sources: [{ streamId: made }] })
  await store.acts.merge(right, { ...into, sources: [{ streamId: made }] })
  await append(store, left, 'l2', 'l3', 'l4')
  await retain(store, left)
  await store.acts.merge(right, { ...into, sources: [{ streamId: left }] })
  assert.deepEqual(await textsOf(store, right), ['right1', 'made1', 'l3', 'l4'])
  await assertSound(open())
})
