/** A copy of a clone ends a generation that the clone still appends to: what the clone has acknowledged becomes a branch. */
import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import type { RefName } from '../../../src/git/index.ts'
import type { ConflictError } from '../../../src/model/index.ts'
import type { CloneId } from '../../../src/model/streams/index.ts'
import type { StreamStore } from '../../../src/wal/streams/index.ts'
import { type Clone, createClones, rescueAll } from './clones-setup.ts'
import { createMemoryRepository, creation, draft, id, local, textsOf } from './store-setup.ts'

const s = id('s')
const facts = { actor: null, reason: null }

const endings = {
  'a deletion': (store: StreamStore) => store.acts.delete(s, facts),
  'a retention': (store: StreamStore) =>
    store.acts.retain(s, {
      ...{ policy: { maxAgeMs: null, maxBytes: null, maxCount: 1 }, compact: false, preview: false },
      ...facts,
    }),
}

/** Both hold a and b, sealed. The original has not sealed c, and has not fetched that the copy has ended the generation. */
async function endedElsewhere(t: TestContext, end: (store: StreamStore) => Promise<unknown>) {
  const { clones } = createClones(t, 2, undefined, () => 'aa'.repeat(16) as CloneId)
  const [original, copy] = clones as [Clone, Clone]
  await original.store.create(s, creation)
  for (const text of ['a', 'b']) {
    await original.store.append(s, [draft(text)], local)
    await original.store.seal(s)
  }
  await original.publish(s)
  await copy.fetch()
  await original.store.append(s, [draft('c')], local)
  await end(copy.store)
  await copy.publish(s)
  return original
}

describe('records that the end of a generation left out', () => {
  for (const [name, end] of Object.entries(endings)) {
    it(`are diverged after ${name} in a copy of the clone, and are rescued`, async (t) => {
      const original = await endedElsewhere(t, end)
      const fetched = await original.fetch()
      assert.equal(fetched.streams[0]?.outcome, 'diverged')
      assert.match(fetched.streams[0]?.reason ?? '', /left out/)
      assert.deepEqual(await textsOf(original.store, s), ['a', 'b', 'c'])
      const rescued = await original.rescue(s)
      assert.equal(rescued?.recordCount, 1)
      const branch = rescued.branch?.manifest.streamId ?? assert.fail()
      assert.deepEqual(await textsOf(original.restart(), branch), ['a', 'b', 'c'])
      assert.deepEqual(
        (await original.fetch()).streams.map(({ outcome }) => outcome).filter((outcome) => outcome === 'diverged'),
        [],
      )
    })
  }
})

describe('a generation that goes on from an end that only this clone has', () => {
  it('becomes a branch when the stream goes on from a head of the remote', async (t) => {
    const { clones } = createClones(t, 3, undefined, (index) => (index < 2 ? 'aa' : 'bb').repeat(16) as CloneId)
    const [original, copy, reader] = clones as [Clone, Clone, Clone]
    await original.store.create(s, creation)
    await appendSealed(original.store, 'a', 'b')
    await original.publish(s)
    await copy.fetch()
    await appendSealed(copy.store, 'x')
    await copy.publish(s)
    await endings['a retention'](original.store)
    await appendSealed(original.store, 'c')
    await original.store.append(s, [draft('d')], local)
    assert.equal((await original.fetch()).streams[0]?.outcome, 'diverged')
    await original.rescue(s)
    for (const store of [original.store, original.restart()]) {
      assert.deepEqual(await textsOf(store, s), ['a', 'b', 'x'])
      const branch = (await store.list()).find(({ streamId }) => streamId !== s) ?? assert.fail()
      assert.deepEqual(await textsOf(store, branch.streamId, { from: 1 }), ['b', 'c', 'd'])
      assert.deepEqual([branch.firstOffset, branch.nextOffset], [1, 4])
    }
    await appendSealed(original.store, 'y')
    await endings['a retention'](original.store)
    const ids = new Set((await original.store.list()).map(({ streamId }) => streamId))
    assert.equal(ids.size, 2)
    await original.publish(...ids)
    await reader.fetch()
    for (const streamId of ids)
      for (const { problems } of await reader.store.acts.verify(streamId)) assert.deepEqual(problems, [])
    assert.deepEqual(await textsOf(reader.store, s, { from: 3 }), ['y'])
  })
})

it('a chain that was cut in a copy of the clone, too, becomes a branch of itself', async (t) => {
  const { clones } = createClones(t, 2, undefined, () => 'aa'.repeat(16) as CloneId)
  const [original, copy] = clones as [Clone, Clone]
  await original.store.create(s, creation)
  await appendSealed(original.store, 'a', 'b')
  await original.publish(s)
  await copy.fetch()
  await appendSealed(copy.store, 'x', 'y')
  await endings['a retention'](copy.store)
  await copy.publish(s)
  await endings['a retention'](original.store)
  await appendSealed(original.store, 'c')
  await original.store.append(s, [draft('d')], local)
  await original.fetch()
  await original.rescue(s)
  assert.deepEqual(await textsOf(original.store, s, { from: 3 }), ['y'])
  const branches = (await original.restart().list()).filter(({ streamId }) => streamId !== s)
  const texts = []
  for (const { streamId, firstOffset } of branches)
    texts.push(await textsOf(original.store, streamId, { from: firstOffset }))
  assert.ok(texts.some((held) => held.join() === 'b,c,d'))
  for (const { streamId } of await original.store.list())
    for (const { problems } of await original.store.acts.verify(streamId)) assert.deepEqual(problems, [], streamId)
})

for (const process of ['same', 'next'] as const) {
  it(`the lost ref of a later generation is restored by the ${process} process`, async (t) => {
    const { clones } = createClones(t, 1)
    const [clone] = clones as [Clone]
    await clone.store.create(s, creation)
    await appendSealed(clone.store, 'a', 'b')
    await endings['a retention'](clone.store)
    await appendSealed(clone.store, 'c')
    await clone.store.append(s, [draft('d')], local)
    assert.ok(clone.refs.delete(clone.store.refOf(s, 1)))
    const store = process === 'same' ? clone.store : clone.restart()
    assert.deepEqual(await textsOf(store, s, { from: 1 }), ['b', 'c', 'd'])
    assert.equal((await store.append(s, [draft('e')], local)).offset, 4)
    assert.match(clone.damage[0]?.reason ?? '', /was restored to/)
  })
}

it('the lost ref of a generation that nobody has appended to is restored', async (t) => {
  const { clones } = createClones(t, 1)
  const [clone] = clones as [Clone]
  await clone.store.create(s, creation)
  await appendSealed(clone.store, 'a', 'b')
  await endings['a retention'](clone.store)
  assert.ok(clone.refs.delete(clone.store.refOf(s, 1)))
  assert.deepEqual(await textsOf(clone.restart(), s, { from: 1 }), ['b'])
})

async function appendSealed(store: StreamStore, ...texts: readonly string[]): Promise<void> {
  for (const text of texts) {
    await store.append(s, [draft(text)], local)
    await store.seal(s)
  }
}

describe('a purge of an ended generation', () => {
  async function retained(t: TestContext) {
    const { clones } = createClones(t, 2)
    const [clone, other] = clones as [Clone, Clone]
    await clone.store.create(s, creation)
    for (const text of ['a', 'b']) {
      await clone.store.append(s, [draft(text)], local)
      await clone.store.seal(s)
    }
    await clone.publish(s)
    await endings['a retention'](clone.store)
    return { clone, other }
  }

  it('waits until each remote that has it knows its end', async (t) => {
    const { clone, other } = await retained(t)
    const purge = (despiteDependants = false) => clone.store.acts.purge(s, { despiteDependants, preview: false })
    for (const isForced of [false, true]) {
      await assert.rejects(purge(isForced), (error: ConflictError) => {
        assert.equal(error.details.reason, 'dependants')
        assert.match(error.message, /needed by a remote$/)
        return true
      })
    }
    await clone.publish(s)
    assert.equal((await purge()).removed.length, 1)
    await other.fetch()
    assert.deepEqual(await textsOf(other.store, s, { from: 1 }), ['b'])
  })

  it('is not undone by a fetch', async (t) => {
    const { clone } = await retained(t)
    await clone.publish(s)
    await clone.store.acts.purge(s, { despiteDependants: false, preview: false })
    assert.deepEqual(
      (await clone.fetch()).streams.map(({ generation, outcome }) => [generation, outcome]),
      [
        [0, 'ahead'],
        [1, 'unchanged'],
      ],
    )
    const after = clone.restart()
    assert.equal((await after.status(s)).generation, 1)
    assert.deepEqual(await textsOf(after, s, { from: 1 }), ['b'])
  })
})

/** The original has opened its journal; then another program has moved the ref to what the copy has sealed at the same offset. */
async function broughtByAnother(t: TestContext) {
  const { clones, remote } = createClones(t, 2, undefined, () => 'aa'.repeat(16) as CloneId)
  const [original, copy] = clones as [Clone, Clone]
  await original.store.create(s, creation)
  await original.publish(s)
  await copy.fetch()
  await copy.store.append(s, [draft('theirs')], local)
  await copy.store.seal(s)
  await original.store.seal(s)
  await copy.publish(s)
  const ref = original.store.refOf(s, 0)
  original.refs.set(ref, remote.get(ref) ?? assert.fail())
  return { original, copy }
}

it('what is appended where another program has brought other records is refused at its seal, and rescued', async (t) => {
  const { original } = await broughtByAnother(t)
  assert.equal((await original.store.append(s, [draft('ours')], local)).offset, 0)
  const isDiverged = (error: ConflictError) => error.details.reason === 'diverged'
  await assert.rejects(original.store.seal(s), isDiverged)
  await assert.rejects(original.store.append(s, [draft('more')], local), isDiverged)
  const rescued = await original.rescue(s)
  const branch = rescued?.branch?.manifest.streamId ?? assert.fail()
  const after = original.restart()
  assert.deepEqual(await textsOf(after, branch), ['ours'])
  assert.deepEqual(await textsOf(after, s), ['theirs'])
  await after.append(s, [draft('again')], local)
  assert.deepEqual(await textsOf(after, s), ['theirs', 'again'])
})

it('a rescue of what was merged is sound, though its times do not ascend', async (t) => {
  const { clones } = createClones(t, 2, undefined, () => 'aa'.repeat(16) as CloneId)
  const [original, copy] = clones as [Clone, Clone]
  await original.store.create(s, creation)
  await original.publish(s)
  await copy.fetch()
  await appendSealed(copy.store, 'theirs')
  await copy.publish(s)
  const m = id('m')
  await original.store.create(m, creation)
  await original.store.append(m, [draft('merged')], local)
  original.clock.at += 60_000
  await original.store.append(s, [draft('ours')], local)
  await original.store.acts.merge(s, {
    ...{ policy: 'recursive', into: 'existing', sources: [{ streamId: m, below: 1 }], rows: [], preview: false },
    ...{ labels: [], evidence: [], notes: [], ...facts },
  })
  await original.fetch()
  const branch = (await original.rescue(s))?.branch?.manifest.streamId ?? assert.fail()
  assert.deepEqual(await textsOf(original.store, branch), ['ours', 'merged'])
  for (const { problems } of await original.store.acts.verify(branch)) assert.deepEqual(problems, [])
})

it('a journal against the ref, and the ref against the remote, are rescued together', async (t) => {
  const { original, copy } = await broughtByAnother(t)
  await original.store.append(s, [draft('ours')], local)
  await copy.store.append(s, [draft('more of theirs')], local)
  await copy.store.seal(s)
  await copy.publish(s)
  const after = original.restart()
  await original.fetch()
  const rescued = await rescueAll(after, original.place, s)
  const branches = rescued.flatMap(({ branch }) => (branch === null ? [] : [branch.manifest.streamId]))
  assert.equal(branches.length, 1)
  assert.deepEqual(await textsOf(after, branches[0] as typeof s), ['ours'])
  await original.fetch()
  assert.deepEqual(await textsOf(after, s), ['theirs', 'more of theirs'])
})

it('a writer that opens while another process ends the generation appends to the next one', async (t) => {
  for (let reading = 1; reading <= 4; reading++) {
    const { open, git } = createMemoryRepository(t)
    const retaining = open()
    await retaining.create(s, creation)
    for (const text of ['a', 'b']) {
      await retaining.append(s, [draft(text)], local)
      await retaining.seal(s)
    }
    const appending = open()
    const { readRef } = git
    let reads = 0
    Object.assign(git, {
      readRef: async (ref: RefName) => {
        const found = await readRef(ref)
        if (++reads === reading) await endings['a retention'](retaining)
        return found
      },
    })
    assert.equal((await appending.append(s, [draft('c')], local)).offset, 2)
    assert.deepEqual(await textsOf(open(), s, { from: 1 }), ['b', 'c'], `read ${reading}`)
  }
})

it('a generation that goes on from another end than the clone has is named until the rescue', async (t) => {
  const original = await endedElsewhere(t, async (store) => {
    await appendSealed(store, 'x', 'y')
    await endings['a retention'](store)
  })
  await original.fetch()
  const problemsOf = async () => (await original.store.acts.verify(s)).flatMap(({ problems }) => problems)
  const [problem] = await problemsOf()
  assert.match(problem?.reason ?? '', /another end of generation 0 than this clone has: run `grite stream rescue`/)
  await original.rescue(s)
  assert.deepEqual(await problemsOf(), [])
  assert.deepEqual(await textsOf(original.store, s, { from: 3 }), ['y'])
})

it('a retention does not replace a generation that a copy of the clone has begun', async (t) => {
  const original = await endedElsewhere(t, async (store) => {
    await endings['a retention'](store)
    await appendSealed(store, 'x')
  })
  await original.fetch()
  const ref = original.store.refOf(s, 1)
  const fetched = original.refs.get(ref)
  await assert.rejects(endings['a retention'](original.store), (error: ConflictError) => {
    assert.deepEqual(error.details, { reason: 'generation-exists', stream: s, ref })
    return true
  })
  assert.equal(original.refs.get(ref), fetched)
})
