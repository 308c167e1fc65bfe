import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { it } from 'node:test'
import { ConflictError, NotFoundError, RemoteError } from '../../../src/model/index.ts'
import { refOfStream } from '../../../src/wal/streams/stream-refs.ts'
import { type Clone, createClones } from './clones-setup.ts'
import { branching, creation, draft, id, local, textsOf } from './store-setup.ts'

const [log, child] = [id('log'), id('log/child')]

async function startLog(clone: Clone, ...texts: readonly string[]): Promise<void> {
  await clone.store.create(log, creation)
  for (const text of texts) await clone.store.append(log, [draft(text)], local)
  await clone.store.seal(log)
}

/** Both clones have `a`; then each writes on, as copies of one clone do. */
async function diverge(first: Clone, second: Clone): Promise<void> {
  await startLog(first, 'a')
  await first.publish(log)
  await second.fetch()
  const twin = second.open(first.cloneId)
  await twin.append(log, [draft('theirs')], local)
  await twin.seal(log)
  await second.publish(log)
  await first.store.append(log, [draft('b')], local)
  await first.store.seal(log)
  await first.store.append(log, [draft('c')], local)
}

it('publishes a stream, which an empty clone restores with what it inherits', async (t) => {
  const { clones, remote } = createClones(t, 2)
  const [first, second] = clones as [Clone, Clone]
  await startLog(first, 'a', 'b')
  await first.store.branch(child, log, { ...branching, at: 1 })
  await first.store.append(child, [draft('c')], local)
  await first.store.seal(child)
  const { streams, alongside } = await first.publish(child)
  assert.deepEqual([streams.map(({ outcome }) => outcome), alongside], [['published'], [log]])
  assert.deepEqual([...remote.keys()], [refOfStream(child, 0)])
  assert.deepEqual((await first.publish(child)).streams[0]?.outcome, 'unchanged')
  const fetched = await second.fetch(child)
  assert.deepEqual([fetched.streams[0]?.outcome, fetched.streams[0]?.remote.nextOffset], ['created', 2])
  assert.deepEqual(await textsOf(second.store, child), ['a', 'c'])
  assert.equal((await second.store.status(child)).owner, 'foreign')
  await assert.rejects(second.publish(log), NotFoundError)
})

it('a restored stream has the root and the checkpoints of the original, retained or not', async (t) => {
  const { clones } = createClones(t, 2)
  const [first, second] = clones as [Clone, Clone]
  await startLog(first, 'a', 'b')
  await first.store.acts.createCheckpoint(log, { kind: 'handoff', actor: null, reason: null, signer: null })
  await first.store.append(log, [draft('c')], local)
  await first.store.seal(log)
  const retention = { policy: { maxAgeMs: null, maxBytes: null, maxCount: 1 }, compact: false, preview: false }
  await first.store.acts.retain(log, { ...retention, actor: null, reason: null })
  await first.publish(log)
  await second.fetch()
  const [ours, theirs] = [await first.store.status(log), await second.store.status(log)]
  assert.deepEqual([theirs.root, theirs.firstOffset, theirs.nextOffset], [ours.root, 2, 3])
  assert.deepEqual(await textsOf(second.store, log, { from: 2 }), ['c'])
  assert.deepEqual(
    (await second.store.acts.verifyCheckpoints(log)).map(({ fault }) => fault),
    [null],
  )
})

it('appends go on while the stream is sealed and published', async (t) => {
  const { clones } = createClones(t, 2)
  const [first, second] = clones as [Clone, Clone]
  await startLog(first)
  const texts = Array.from({ length: 30 }, (_, index) => `r${index}`)
  const offsets: number[] = []
  const publishing = (async () => {
    for (let rounds = 0; rounds < 5; rounds++) {
      await first.store.seal(log)
      await first.publish(log)
    }
  })()
  for (const text of texts) offsets.push((await first.store.append(log, [draft(text)], local)).offset)
  await publishing
  assert.deepEqual(offsets, [...texts.keys()])
  await first.store.seal(log)
  await first.publish(log)
  await second.fetch()
  assert.deepEqual(await textsOf(second.store, log), texts)
})

it('moves a followed stream forward, and says what is ahead or behind', async (t) => {
  const { clones } = createClones(t, 2)
  const [first, second] = clones as [Clone, Clone]
  await startLog(first, 'a')
  await first.publish(log)
  await second.fetch()
  await first.store.append(log, [draft('b')], local)
  await first.store.seal(log)
  assert.equal((await first.fetch()).streams[0]?.outcome, 'ahead')
  await first.publish(log)
  assert.equal((await second.publish(log)).streams[0]?.outcome, 'behind')
  assert.equal((await second.fetch()).streams[0]?.outcome, 'moved')
  assert.equal((await second.fetch()).streams[0]?.outcome, 'unchanged')
  assert.deepEqual(await textsOf(second.store, log), ['a', 'b'])
})

it('refuses to publish a diverged stream, and names both positions', async (t) => {
  const { clones, remote } = createClones(t, 2)
  const [first, second] = clones as [Clone, Clone]
  await diverge(first, second)
  await first.store.create(child, creation)
  const before = [...remote]
  await assert.rejects(first.publish(child, log), (error) => {
    assert.ok(error instanceof ConflictError)
    const { reason, stream, local: here, remote: there } = error.details as Record<string, { next_offset: number }>
    assert.deepEqual([reason, stream, here?.next_offset, there?.next_offset], ['diverged', log, 2, 2])
    return true
  })
  assert.deepEqual([...remote], before, 'nothing was pushed')
  const [fetched] = (await first.fetch()).streams
  assert.deepEqual([fetched?.outcome, fetched?.local?.nextOffset], ['diverged', 2])
  assert.deepEqual(await textsOf(first.store, log), ['a', 'b', 'c'])
})

it('rescues a diverged tail, sealed and in the journal, as a branch', async (t) => {
  const { clones } = createClones(t, 2)
  const [first, second] = clones as [Clone, Clone]
  await diverge(first, second)
  await first.fetch()
  const { head: old } = await first.store.status(log)
  const rescued = await first.rescue(log)
  assert.deepEqual([rescued?.fromOffset, rescued?.recordCount], [1, 2])
  const branch = rescued?.branch?.manifest.streamId ?? log
  assert.match(branch, /^log\/rescue\/[0-9a-f]{16}$/)
  const { metadata, owner, parents } = await first.store.status(branch)
  assert.deepEqual([metadata.labels, owner, parents[0]?.offset], [[['rescue', old]], 'ours', 1])
  assert.deepEqual(await textsOf(first.store, branch), ['a', 'b', 'c'])
  assert.deepEqual(await textsOf(first.store, log), ['a', 'theirs'])
  assert.equal((await first.store.append(log, [draft('d')], local)).offset, 2)
  assert.equal((await first.store.append(branch, [draft('e')], local)).offset, 3)
  await first.store.seal(log)
  assert.deepEqual(
    (await first.publish(log, branch)).streams.map(({ outcome }) => outcome),
    ['published', 'published'],
  )
  assert.equal(await first.rescue(log), null, 'nothing is left to rescue')
})

it('finds the branch of a rescue that was killed before the stream moved', async (t) => {
  const { clones } = createClones(t, 2)
  const [first, second] = clones as [Clone, Clone]
  await diverge(first, second)
  await first.fetch()
  const ref = refOfStream(log, 0)
  const { publish } = first.git
  Object.assign(first.git, {
    publish: async (plan: Parameters<typeof publish>[0]) => {
      if (plan.updates[0]?.ref === ref) throw new Error('killed')
      await publish(plan)
    },
  })
  await assert.rejects(first.rescue(log), /killed/)
  Object.assign(first.git, { publish })
  first.restart()
  const rescued = await first.rescue(log)
  const streams = (await first.store.list()).map(({ streamId }) => streamId).sort()
  assert.deepEqual(streams, [log, rescued?.branch?.manifest.streamId])
  assert.deepEqual(await textsOf(first.store, streams[1] ?? log), ['a', 'b', 'c'])
})

it('notices a ref that another program moved under a journal', async (t) => {
  const { clones, remote } = createClones(t, 2)
  const [first, second] = clones as [Clone, Clone]
  await diverge(first, second)
  // As `git fetch +refs/grite/*:refs/grite/*` or the pull of grite 0.5 does it.
  const ref = refOfStream(log, 0)
  first.refs.set(ref, remote.get(ref) ?? assert.fail())
  first.restart()
  await assert.rejects(first.store.append(log, [draft('d')], local), (error) => {
    assert.ok(error instanceof ConflictError)
    assert.equal(error.details.reason, 'diverged')
    return true
  })
  const rescued = await first.rescue(log)
  assert.deepEqual(await textsOf(first.store, rescued?.branch?.manifest.streamId ?? log), ['a', 'b', 'c'])
  assert.deepEqual(await textsOf(first.store, log), ['a', 'theirs'])
  assert.deepEqual(readdirSync(first.folder).filter((name) => name.includes('journal')).length, 0)
})

it('keeps records of the journal when the remote has gone on without them', async (t) => {
  const { clones } = createClones(t, 2)
  const [first, second] = clones as [Clone, Clone]
  await startLog(first, 'a')
  await first.publish(log)
  await second.fetch()
  const twin = second.open(first.cloneId)
  await twin.append(log, [draft('theirs')], local)
  await twin.seal(log)
  await second.publish(log)
  await first.store.append(log, [draft('b')], local)
  assert.equal((await first.fetch()).streams[0]?.outcome, 'diverged')
  assert.deepEqual(await textsOf(first.store, log), ['a', 'b'])
  const rescued = await first.rescue(log)
  assert.deepEqual(await textsOf(first.store, rescued?.branch?.manifest.streamId ?? log), ['a', 'b'])
  assert.deepEqual(await textsOf(first.store, log), ['a', 'theirs'])
})

it('rescues what only the journal holds, below the commits of another clone', async (t) => {
  const { clones, remote } = createClones(t, 2)
  const [first, second] = clones as [Clone, Clone]
  await startLog(first, 'a')
  await first.publish(log)
  await second.fetch()
  const twin = second.open(first.cloneId)
  for (const text of ['theirs', 'more']) await twin.append(log, [draft(text)], local)
  await twin.seal(log)
  await second.publish(log)
  await first.store.append(log, [draft('b')], local)
  const ref = refOfStream(log, 0)
  first.refs.set(ref, remote.get(ref) ?? assert.fail())
  first.restart()
  const rescued = await first.rescue(log)
  assert.deepEqual(await textsOf(first.store, rescued?.branch?.manifest.streamId ?? log), ['a', 'b'])
  assert.deepEqual(await textsOf(first.store, log), ['a', 'theirs', 'more'])
})

it('pushes parents first where the remote cannot push several at once', async (t) => {
  const pushed: string[] = []
  const { clones } = createClones(t, 1, (remotes) => ({
    ...remotes,
    async push(request) {
      if (request.atomic) throw new RemoteError('no atomic pushes', { details: { reason: 'no-atomic' } })
      pushed.push(...request.updates.map(({ ref }) => ref))
      return await remotes.push(request)
    },
  }))
  const [first] = clones as [Clone]
  await startLog(first, 'a')
  await first.store.branch(child, log, branching)
  const { isAtomic } = await first.publish(child, log)
  assert.deepEqual([isAtomic, pushed], [false, [refOfStream(log, 0), refOfStream(child, 0)]])
})

it('a publish that is refused as stale again and again names both causes', async (t) => {
  const { clones } = createClones(t, 1, (remotes) => ({
    ...remotes,
    push: async ({ updates }) =>
      updates.map(({ ref }) => ({ ref, outcome: 'stale' as const, reason: 'non-fast-forward' })),
  }))
  const [first] = clones as [Clone]
  await first.store.create(log, creation)
  await assert.rejects(first.publish(log), (error: ConflictError) => {
    assert.equal(error.details.reason, 'contended')
    assert.match(error.hints.join(), /objects may be missing here: `grite stream verify/)
    return true
  })
})

it('reports a ref of the remote that is no stream, and fetches the others', async (t) => {
  const { clones, remote } = createClones(t, 2)
  const [first, second] = clones as [Clone, Clone]
  await startLog(first, 'a')
  await first.publish(log)
  const head = remote.get(refOfStream(log, 0)) ?? assert.fail()
  remote.set(refOfStream(child, 0), head)
  const { streams } = await second.fetch()
  assert.deepEqual(
    streams.map(({ streamId, outcome }) => [streamId, outcome]),
    [[log, 'created']],
  )
  assert.deepEqual(
    second.damage.map(({ objectId }) => objectId),
    [head],
  )
})

it('restores a ref that another program deleted or moved back', async (t) => {
  const { clones } = createClones(t, 1)
  const [first] = clones as [Clone]
  await startLog(first, 'a')
  const ref = refOfStream(log, 0)
  const old = first.refs.get(ref) ?? assert.fail()
  await first.store.append(log, [draft('b')], local)
  await first.store.seal(log)
  await first.store.append(log, [draft('c')], local)
  for (const moved of [null, old]) {
    if (moved === null) first.refs.delete(ref)
    else first.refs.set(ref, moved)
    const store = first.restart()
    assert.equal((await store.append(log, [draft('d')], local)).repeated, false)
    assert.deepEqual((await textsOf(store, log)).slice(0, 4), ['a', 'b', 'c', 'd'])
  }
  first.refs.delete(ref)
  await assert.rejects(first.restart().create(log, creation), ConflictError, 'it still exists')
  assert.deepEqual(await textsOf(first.store, log), ['a', 'b', 'c', 'd', 'd'])
})
