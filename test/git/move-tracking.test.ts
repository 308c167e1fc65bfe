import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Oid, RefName } from '../../src/git/index.ts'
import { moveTracking } from '../../src/git/native/move-tracking.ts'
import { createMemoryWorld, type MemoryRefs } from '../support/memory-git.ts'

const oid = (digit: string) => digit.repeat(40) as Oid
const patterns = [{ left: 'refs/there/', right: 'refs/here/' }]

function setUp(...names: readonly string[]) {
  const refs: MemoryRefs = new Map(names.map((name) => [`refs/here/${name}` as RefName, oid('a')]))
  const git = createMemoryWorld().openGit(refs)
  return {
    names: () => [...refs.keys()].map((ref) => ref.slice('refs/here/'.length)).sort(),
    move: (countMax: number, ...found: readonly string[]) =>
      moveTracking(git, {
        patterns,
        before: new Map([...refs].map(([ref, at]) => [ref as RefName, at])),
        found: new Map(found.map((name) => [`refs/there/${name}` as RefName, oid('a')])),
        refused: new Set(),
        refsMax: (left) => (left === 'refs/there/' ? countMax : 0),
      }),
  }
}

test('over the limit, tracked refs stay and the highest numbers follow', async () => {
  const { move, names } = setUp('5', '7')
  assert.deepEqual(await move(4, '5', '7', '6', '900', '1000', '99'), [
    { prefix: 'refs/there/', foundCount: 6, followedCount: 4 },
  ])
  assert.deepEqual(names(), ['1000', '5', '7', '900'])
})

test('a ref deleted on the remote makes room for another', async () => {
  const { move, names } = setUp('5', '7')
  await move(2, '7', '8', '9')
  assert.deepEqual(names(), ['7', '9'])
})

test('all refs are tracked when they are within the limit', async () => {
  const { move, names } = setUp('5')
  assert.deepEqual(await move(3, '5', '6', '7'), [])
  assert.deepEqual(names(), ['5', '6', '7'])
})
