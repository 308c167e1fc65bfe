/** Two clones create a stream of one id, and one of them has merged the other's: so git takes its head for the newer one. */
import assert from 'node:assert/strict'
import { it, type TestContext } from 'node:test'
import type { ConflictError } from '../../../src/model/index.ts'
import type { StreamStore } from '../../../src/wal/streams/index.ts'
import { type Clone, createClones, rescueAll } from './clones-setup.ts'
import { creation, draft, id, local, textsOf } from './store-setup.ts'

const [s, m] = [id('s'), id('m')]
const facts = { actor: null, reason: null }

async function mergeAsNew(store: StreamStore, target: typeof s, source: typeof s): Promise<void> {
  await store.acts.merge(target, {
    ...{ policy: 'recursive', into: 'new', sources: [{ streamId: source, below: 1 }], rows: [], preview: false },
    ...{ labels: [], evidence: [], notes: [], ...facts },
  })
}

/** `theirs` has s; `ours` has another s, which contains it by way of m. */
async function createBoth(t: TestContext) {
  const { clones, remote } = createClones(t, 2)
  const [ours, theirs] = clones as [Clone, Clone]
  await theirs.store.create(s, creation)
  await theirs.store.append(s, [draft('theirs')], local)
  await theirs.store.seal(s)
  await mergeAsNew(theirs.store, m, s)
  await theirs.publish(m)
  await ours.fetch(m)
  await mergeAsNew(ours.store, s, m)
  await ours.store.append(s, [draft('ours')], local)
  await ours.store.seal(s)
  return { ours, theirs, remote }
}

const isDiverged = (error: ConflictError): boolean => error.details.reason === 'diverged'

for (const isKnown of [false, true]) {
  it(`a publish does not replace the stream of another clone${isKnown ? ' that was fetched' : ''}`, async (t) => {
    const { ours, theirs, remote } = await createBoth(t)
    await theirs.publish(s)
    if (isKnown) assert.equal((await ours.fetch(s)).streams[0]?.outcome, 'diverged')
    const ref = ours.store.refOf(s, 0)
    await assert.rejects(ours.publish(s), isDiverged)
    assert.equal(remote.get(ref), theirs.refs.get(ref))
    const [rescued] = await rescueAll(ours.store, ours.place, s)
    const branch = rescued?.branch?.manifest.streamId ?? assert.fail()
    assert.deepEqual(await textsOf(ours.store, branch), ['theirs', 'ours'])
    assert.deepEqual(await textsOf(ours.store, s), ['theirs'])
    assert.equal((await ours.fetch(s)).streams[0]?.outcome, 'unchanged')
  })
}

it('a fetch does not replace the stream of this clone', async (t) => {
  const { ours, theirs } = await createBoth(t)
  await ours.publish(s)
  assert.equal((await theirs.fetch(s)).streams[0]?.outcome, 'diverged')
  await theirs.store.append(s, [draft('more')], local)
  assert.deepEqual(await textsOf(theirs.store, s), ['theirs', 'more'])
  await theirs.store.seal(s)
  await assert.rejects(theirs.publish(s), isDiverged)
})
