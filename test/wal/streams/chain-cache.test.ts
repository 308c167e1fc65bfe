import assert from 'node:assert/strict'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { it, type TestContext } from 'node:test'
import { type Oid, privatePermissions } from '../../../src/git/index.ts'
import { ManifestReader } from '../../../src/wal/streams/commit-reader.ts'
import { Layout } from '../../../src/wal/streams/layout.ts'
import type { StreamStore } from '../../../src/wal/streams/stream-store.ts'
import { branching, createMemoryRepository, creation, draft, id, local, textsOf } from './store-setup.ts'

const [log, child] = [id('log'), id('child')]
const merging = {
  ...({ policy: 'recursive', into: 'existing', actor: null, reason: null, preview: false } as const),
  ...{ labels: [], evidence: [], notes: [], rows: [] },
}

async function sealEach(store: StreamStore, count: number, streamId = log): Promise<void> {
  for (let index = 0; index < count; index++) {
    await store.append(streamId, [draft('a'), draft('b')], local)
    await store.seal(streamId)
  }
}

async function setUp(t: TestContext, seals: number) {
  const repository = createMemoryRepository(t)
  const { open, git, folder } = repository
  const store = open()
  await store.create(log, creation)
  await sealEach(store, seals)
  let reads = 0
  const { readObject, listCommits } = git
  Object.assign(git, {
    readObject: (...words: Parameters<typeof readObject>) => {
      reads++
      return readObject(...words)
    },
    // Git has to be started for it.
    listCommits: (options: Parameters<typeof listCommits>[0]) => {
      reads += 100
      return listCommits(options)
    },
  })
  const places = { cached: { folder, permissions: privatePermissions }, plain: null }
  /** A layout as a new process makes it. */
  const layoutOf = (head: Oid, how: keyof typeof places) => new Layout(git, new ManifestReader(git), head, places[how])
  const readsOf = async (work: () => Promise<unknown>): Promise<number> => {
    const before = reads
    await work()
    return reads - before
  }
  const chainFiles = () => readdirSync(folder).filter((name) => name.endsWith('.chain'))
  const headOf = async (streamId = log) => (await open().head(streamId)).commit
  return { ...repository, store, layoutOf, readsOf, chainFiles, headOf }
}

it('finds the oldest commit of a long chain without a walk, once one was made', async (t) => {
  const { store, layoutOf, readsOf, chainFiles, headOf } = await setUp(t, 80)
  const head = await headOf()
  const first = await layoutOf(head, 'cached').containingCommit(0)
  assert.equal(chainFiles().length, 1)
  const again = layoutOf(head, 'cached')
  assert.ok((await readsOf(() => again.containingCommit(0))) < 10)
  assert.equal(await again.containingCommit(0), first)
  assert.equal(await layoutOf(head, 'plain').containingCommit(0), first)
  await sealEach(store, 3)
  const later = layoutOf(await headOf(), 'cached')
  assert.ok((await readsOf(() => later.containingCommit(0))) < 20)
  assert.deepEqual(await later.spansOf(0, 200), await layoutOf(await headOf(), 'plain').spansOf(0, 200))
})

it('gives the same spans as a walk, whatever was read before', async (t) => {
  const { store, open, layoutOf, headOf, folder } = await setUp(t, 70)
  await store.branch(child, log, { ...branching, at: 100 })
  await sealEach(store, 2, child)
  await store.acts.merge(log, { ...merging, sources: [{ streamId: child }] })
  await sealEach(store, 70)
  await sealEach(store, 66, child)
  const whole = { [log]: await headOf(log), [child]: await headOf(child) }
  for (const froms of [[270, 200, 0], [40], [150, 10, 0]]) {
    for (const from of froms)
      for (const head of Object.values(whole)) {
        const expected = await layoutOf(head, 'plain').spansOf(from, 400)
        assert.deepEqual(await layoutOf(head, 'cached').spansOf(from, 400), expected)
        const stepwise = layoutOf(head, 'cached')
        await stepwise.spansOf(300, 400)
        assert.deepEqual(await stepwise.spansOf(from, 400), expected)
      }
    for (const name of readdirSync(folder)) if (name.endsWith('.chain')) rmSync(join(folder, name))
  }
  assert.equal((await textsOf(open(), child)).length, 236)
})

it('ignores a damaged file and one of another incarnation', async (t) => {
  const { folder, layoutOf, chainFiles, headOf } = await setUp(t, 70)
  const head = await headOf()
  const expected = await layoutOf(head, 'plain').spansOf(0, 140)
  await layoutOf(head, 'cached').spansOf(0, 140)
  const path = join(folder, chainFiles()[0] ?? '')
  const sound = readFileSync(path)
  const flip = (at: number) => {
    const bytes = Buffer.from(sound)
    bytes[at] = (bytes[at] as number) ^ 1
    return bytes
  }
  for (const damaged of [flip(5), flip(60), flip(sound.length - 1), sound.subarray(0, -40), sound.subarray(0, 20)]) {
    writeFileSync(path, damaged)
    assert.deepEqual(await layoutOf(head, 'cached').spansOf(0, 140), expected)
    assert.deepEqual(readFileSync(path), sound, 'the walk has written it again')
  }
})
