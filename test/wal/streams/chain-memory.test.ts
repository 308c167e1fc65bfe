import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it, type TestContext } from 'node:test'
import { type Oid, privatePermissions } from '../../../src/git/index.ts'
import { encodeStreamId, type Incarnation } from '../../../src/model/streams/index.ts'
import { type ChainRow, readKnownChain } from '../../../src/wal/streams/chain-cache.ts'
import { ChainMemory } from '../../../src/wal/streams/chain-memory.ts'
import { id } from './store-setup.ts'

const owner = { streamId: id('log'), incarnation: '0123456789abcdef' as Incarnation }
const oid = (chain: number, at: number) => `${chain}${`${at}`.padStart(39, '0')}` as Oid

/** Commits of a chain from its newest to its oldest, numbered from the beginning of the stream. */
const rows = (chain: number, newest: number, oldest: number): readonly ChainRow[] =>
  Array.from({ length: newest - oldest + 1 }, (_, index) => {
    const at = newest - index
    return { commit: oid(chain, at), firstOffset: at, end: at + 1, kind: 'segment' as const }
  })

function setUp(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'grite-chain-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const place = { folder, permissions: privatePermissions }
  /** @returns the commits that the walk had to read */
  const walk = async (commits: readonly ChainRow[], { isOver = false } = {}): Promise<readonly Oid[]> => {
    const memory = new ChainMemory(place)
    const read: Oid[] = []
    const nextOf = (commit: Oid) => ({ commit, below: 0, owner, generation: 0 })
    for (const [index, row] of commits.entries()) {
      const parent = commits[index + 1]?.commit ?? oid(0, row.firstOffset - 1)
      const taken = await memory.take(nextOf(row.commit))
      if (taken === null) {
        read.push(row.commit)
        memory.note(row, parent)
      } else assert.deepEqual(taken, { row, parent })
    }
    await memory.save(isOver ? null : nextOf(oid(0, (commits.at(-1)?.firstOffset ?? 1) - 1)))
    return read
  }
  const known = async () => {
    const name = { ...owner, encodedId: encodeStreamId(owner.streamId), generation: 0 }
    const chain = await readKnownChain(place, name, 20)
    return chain === null ? null : Array.from({ length: chain.count }, (_, at) => chain.row(chain.count - 1 - at))
  }
  return { walk, known }
}

it('grows at both ends', async (t) => {
  const { walk, known } = setUp(t)
  assert.equal((await walk(rows(1, 199, 190))).length, 10)
  assert.equal(await known(), null, 'a few commits make no file')
  await walk(rows(1, 199, 100))
  assert.deepEqual(await known(), rows(1, 199, 100))
  const below = rows(0, 99, 10).map((row) => row)
  assert.equal((await walk([...rows(1, 150, 100), ...below])).length, 90)
  assert.deepEqual(await known(), [...rows(1, 199, 100), ...below])
  assert.equal((await walk([...rows(1, 300, 100), ...below])).length, 101)
  assert.deepEqual(await known(), [...rows(1, 300, 100), ...below])
})

it('a walk that ends above what is known does not replace it', async (t) => {
  const { walk, known } = setUp(t)
  await walk(rows(1, 199, 100))
  await walk(rows(1, 400, 300))
  assert.deepEqual(await known(), rows(1, 199, 100))
})

it('follows a head that was moved aside', async (t) => {
  const { walk, known } = setUp(t)
  const shared = rows(1, 149, 100)
  await walk(rows(1, 199, 100))
  await walk([...rows(2, 230, 150), ...shared])
  assert.deepEqual(await known(), rows(1, 199, 100), 'the walk has not met it where it looks')
  await walk([...rows(2, 230, 150), ...shared, ...rows(0, 99, 1)], { isOver: true })
  assert.deepEqual(await known(), [...rows(2, 230, 150), ...shared, ...rows(0, 99, 1)])
})

it('takes another chain on the same commit for another chain', async (t) => {
  const { walk, known } = setUp(t)
  await walk(rows(1, 199, 100))
  const other = [...rows(2, 210, 100), ...rows(0, 99, 50)]
  assert.equal((await walk(other)).length, other.length)
  assert.deepEqual(await known(), other)
})
