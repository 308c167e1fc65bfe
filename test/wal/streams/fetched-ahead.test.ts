/** A fetch brings a longer head to a generation that this clone writes, as from a copy of the clone: appends go on behind it. */
import assert from 'node:assert/strict'
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import type { GriteError } from '../../../src/model/index.ts'
import type { CloneId } from '../../../src/model/streams/index.ts'
import type { AppendOptions, RecordDraft, StreamStore } from '../../../src/wal/streams/index.ts'
import { type Clone, createClones, rescueAll } from './clones-setup.ts'
import { creation, draft, id, local, readAll, startMs, textsOf } from './store-setup.ts'

const s = id('s')
const facts = { actor: null, reason: null }
const memory = { durability: 'memory' } as const

/** Two copies of a clone, each with two processes, and both know the same head. */
async function createCopies(t: TestContext) {
  const { clones, remote } = createClones(t, 2, undefined, () => 'aa'.repeat(16) as CloneId)
  const [original, copy] = clones as [Clone, Clone]
  await original.store.create(s, creation)
  await appendSealed(original.store, 'shared')
  await original.publish(s)
  await copy.fetch()
  return { original, copy, remote, other: original.open(original.cloneId) }
}

async function appendSealed(store: StreamStore, ...texts: readonly string[]): Promise<void> {
  for (const text of texts) await append(store, text)
  await store.seal(s)
}

async function append(store: StreamStore, text: string, options: AppendOptions = local, more?: Partial<RecordDraft>) {
  return await store.append(s, [draft(text, more)], options)
}

/** What the copy has is published, and the original knows nothing of it yet. */
async function published(t: TestContext, ...texts: readonly string[]) {
  const copies = await createCopies(t)
  await appendSealed(copies.copy.store, ...texts)
  await copies.copy.publish(s)
  return copies
}

const opened: Readonly<Record<string, (copies: Awaited<ReturnType<typeof createCopies>>) => Promise<unknown>>> = {
  'no journal': async ({ original }) => {
    await original.store.close()
    for (const file of readdirSync(original.folder)) if (file.endsWith('.journal')) rmSync(join(original.folder, file))
    original.restart()
  },
  'the journal of a process that is gone': async ({ original }) => original.restart(),
  'a journal that nothing was appended to': ({ original }) => original.store.seal(s),
  'a journal open in another process': ({ other }) => other.seal(s),
  'a journal open in both processes': async ({ original, other }) => {
    await other.seal(s)
    await original.store.seal(s)
  },
}

describe('an append after a fetch of a longer head', () => {
  for (const [journal, open] of Object.entries(opened)) {
    for (const options of [local, memory]) {
      it(`goes on behind it, with ${journal}, at level ${options.durability}`, async (t) => {
        const copies = await published(t, 'x', 'y')
        const { original, copy, other } = copies
        await open(copies)
        assert.equal((await original.fetch()).streams[0]?.outcome, 'moved')
        const texts = ['shared', 'x', 'y']
        for (const [index, store] of [other, original.store, original.open(original.cloneId), other].entries()) {
          assert.equal((await append(store, `ours ${index}`, options)).offset, texts.length)
          texts.push(`ours ${index}`)
        }
        for (const store of [other, original.store]) assert.deepEqual(await textsOf(store, s), texts)
        assert.equal((await other.seal(s)).sealedOffset, texts.length)
        await original.publish(s)
        assert.equal((await copy.fetch()).streams[0]?.outcome, 'moved')
        assert.deepEqual(await textsOf(copy.store, s), texts)
        for (const { problems } of await original.restart().acts.verify(s)) assert.deepEqual(problems, [])
      })
    }
  }

  it('knows the newest sequence of a producer, and the newest time', async (t) => {
    const { original, copy, other } = await createCopies(t)
    copy.clock.at = startMs + 60_000
    await append(copy.store, 'x', local, { producer: { id: 'p', sequence: 3 } })
    await copy.store.seal(s)
    await copy.publish(s)
    await other.seal(s)
    await original.fetch()
    const { offset, repeated } = await append(other, 'x', local, { producer: { id: 'p', sequence: 3 } })
    assert.deepEqual([offset, repeated], [1, true])
    await append(other, 'y')
    const [record] = await readAll(other, s, { from: 2 })
    assert.equal(record?.record().tsUnixMs, startMs + 60_000)
  })

  it('goes on behind what is in the journal, too, when the head has no more records', async (t) => {
    const { original, copy, other } = await createCopies(t)
    await append(other, 'unsealed')
    await copy.store.acts.createCheckpoint(s, { ...facts, kind: 'test', signer: null })
    await copy.publish(s)
    assert.equal((await original.fetch()).streams[0]?.outcome, 'moved')
    assert.equal((await append(other, 'more')).offset, 2)
    assert.equal((await original.store.seal(s)).sealedOffset, 3)
    assert.deepEqual(await textsOf(other, s), ['shared', 'unsealed', 'more'])
  })

  it('is made by many processes at the same time', async (t) => {
    const { original, other } = await published(t, 'x', 'y')
    await other.seal(s)
    const appending = Array.from({ length: 40 }, async (_, index) => {
      for (let turn = 0; turn < index % 8; turn++) await new Promise(setImmediate)
      return await append(index % 2 === 0 ? other : original.store, `${index}`)
    })
    const [fetched, answers] = await Promise.all([original.fetch(), Promise.all(appending)])
    const isDiverged = fetched.streams[0]?.outcome === 'diverged'
    const from = isDiverged ? 1 : 3
    assert.deepEqual(
      answers.map(({ offset }) => offset).toSorted((left, right) => left - right),
      answers.map((_, index) => from + index),
    )
    assert.equal((await other.seal(s)).sealedOffset, from + answers.length)
  })
})

describe('a fetch of a longer head', () => {
  it('moves nothing when records of this clone are at its offsets', async (t) => {
    const { original, other } = await published(t, 'x', 'y')
    await append(other, 'ours')
    assert.equal((await original.fetch()).streams[0]?.outcome, 'diverged')
    assert.equal((await append(other, 'more')).offset, 2)
    assert.equal((await append(original.store, 'and more')).offset, 3)
    assert.deepEqual(await textsOf(other, s), ['shared', 'ours', 'more', 'and more'])
    const [rescued] = await rescueAll(original.store, original.place, s)
    const branch = rescued?.branch?.manifest.streamId ?? assert.fail()
    for (const store of [other, original.store]) {
      assert.deepEqual(await textsOf(store, branch), ['shared', 'ours', 'more', 'and more'])
      assert.deepEqual(await textsOf(store, s), ['shared', 'x', 'y'])
    }
    assert.equal((await append(other, 'again')).offset, 3)
  })

  it('of another owner ends the appends of every process at once', async (t) => {
    const { clones } = createClones(t, 2)
    const [first, second] = clones as [Clone, Clone]
    await first.store.create(s, creation)
    await appendSealed(first.store, 'a')
    await first.publish(s)
    await second.fetch()
    await second.store.acts.takeOver(s, facts)
    await appendSealed(second.store, 'b')
    await second.publish(s)
    const other = first.open(first.cloneId)
    await other.seal(s)
    await first.fetch()
    for (const store of [first.store, other])
      await assert.rejects(append(store, 'c'), (error: GriteError) => error.details.reason === 'foreign-epoch')
    await first.store.acts.takeOver(s, facts)
    assert.deepEqual([(await append(other, 'c')).offset, (await append(first.store, 'd')).offset], [2, 3])
    assert.equal((await append(other, 'e')).epoch, 3)
    assert.deepEqual(await textsOf(first.restart(), s), ['a', 'b', 'c', 'd', 'e'])
  })

  it('of an ended generation ends the appends of every process at once', async (t) => {
    const { original, copy, other } = await createCopies(t)
    await other.seal(s)
    await copy.store.acts.delete(s, facts)
    await copy.publish(s)
    await original.fetch()
    for (const store of [original.store, other])
      await assert.rejects(append(store, 'ours'), (error: GriteError) => error.code === 'not_found')
  })

  it('of the end of a generation and the next one is followed by every process', async (t) => {
    const { original, copy, other } = await published(t, 'x')
    await other.seal(s)
    const policy = { maxAgeMs: null, maxBytes: null, maxCount: 1 }
    await copy.store.acts.retain(s, { ...facts, policy, compact: false, preview: false })
    await copy.publish(s)
    await original.fetch()
    for (const [index, store] of [other, original.store].entries())
      assert.equal((await append(store, `ours ${index}`)).offset, 2 + index)
    await other.seal(s)
    assert.deepEqual(await textsOf(original.store, s, { from: 1 }), ['x', 'ours 0', 'ours 1'])
  })
})

describe('a ref that another program has moved past an open journal', () => {
  for (const isSealedHere of [false, true]) {
    it(`is where the next process goes on, ${isSealedHere ? 'also after the same records' : 'after none'}`, async (t) => {
      const { original, copy, remote } = await createCopies(t)
      const texts = isSealedHere ? ['same'] : []
      for (const { store } of isSealedHere ? [original, copy] : []) await append(store, 'same')
      await original.store.status(s)
      if (!isSealedHere) await original.store.seal(s)
      await appendSealed(copy.store, 'x', 'y')
      await copy.publish(s)
      const ref = original.store.refOf(s, 0)
      original.refs.set(ref, remote.get(ref) ?? assert.fail())
      const next = original.restart()
      assert.equal((await append(next, 'ours')).offset, texts.length + 3)
      await next.seal(s)
      assert.deepEqual(await textsOf(original.restart(), s), ['shared', ...texts, 'x', 'y', 'ours'])
    })
  }
})

it('an append of another process behind a merge knows the newest time', async (t) => {
  const { original, other } = await createCopies(t)
  await append(other, 'before')
  await original.store.create(id('m'), creation)
  original.clock.at += 60_000
  await original.store.append(id('m'), [draft('merged')], local)
  original.clock.at -= 60_000
  const merging = { into: 'existing', rows: [], preview: false, labels: [], evidence: [], notes: [] } as const
  const sources = [{ streamId: id('m'), below: 1 }]
  await original.store.acts.merge(s, { ...facts, ...merging, policy: 'recursive', sources })
  assert.equal((await append(other, 'after')).offset, 3)
  const [merged, after] = (await readAll(other, s, { from: 2 })).map((each) => each.record().tsUnixMs)
  assert.deepEqual([merged, after], [startMs + 60_000, startMs + 60_000])
})
