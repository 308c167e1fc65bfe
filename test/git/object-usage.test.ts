import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { countObjects, type Oid, openRepository, reachableBytes } from '../../src/git/index.ts'
import { whyGitLacks } from './git-features.ts'
import { createTempRepository, type RepositoryKind } from './temp-repository.ts'

const skip = whyGitLacks('rev-list --disk-usage')

async function setUp(t: Parameters<typeof createTempRepository>[0], kind: RepositoryKind = 'plain') {
  const { layout, environment, path, run } = await createTempRepository(t, kind)
  const git = openRepository(layout, { environment })
  t.after(() => git.close())
  return { git, path, run, head: run('rev-parse', 'HEAD') as Oid }
}

for (const kind of ['plain', 'sha256', 'linked work tree'] as const) {
  test(`counts loose objects and packs separately: ${kind}`, async (t) => {
    const { git, run } = await setUp(t, kind)
    const loose = await countObjects(git)
    assert.deepEqual([loose.looseObjects, loose.packs, loose.packBytes], [3, 0, 0])
    assert.ok(loose.looseBytes > 0)
    run('repack', '-adq')
    const packed = await countObjects(git)
    assert.deepEqual([packed.looseObjects, packed.looseBytes, packed.packs], [0, 0, 1])
    assert.ok(packed.packBytes > 0)
  })
}

test('sums the objects reachable only from the given commits', { skip }, async (t) => {
  const { git, run, head } = await setUp(t)
  run('commit', '-q', '--allow-empty', '-m', 'second')
  const second = run('rev-parse', 'HEAD') as Oid
  const [both, first, rest] = [
    await reachableBytes(git, [second]),
    await reachableBytes(git, [head]),
    await reachableBytes(git, [second], [head]),
  ]
  assert.ok(first !== null && rest !== null && first > 0 && rest > 0)
  assert.equal(both, first + rest)
  assert.equal(await reachableBytes(git, []), 0)
})

test('the size of a log with missing objects is unknown', { skip }, async (t) => {
  const { git, path, run, head } = await setUp(t)
  assert.notEqual(await reachableBytes(git, [head]), null)
  const blob = run('rev-parse', 'HEAD:README')
  rmSync(join(path, '.git/objects', blob.slice(0, 2), blob.slice(2)))
  assert.equal(await reachableBytes(git, [head]), null)
})

test('the size is unknown where git lacks --disk-usage', async (t) => {
  const { git, head } = await setUp(t)
  assert.equal((await reachableBytes(git, [head])) === null, skip !== false)
})
