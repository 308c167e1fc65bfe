/** Local locks beside a sync. */
import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { lockRefOf } from '../../src/wal/index.ts'
import { createClones, type Member } from './clones.ts'

function createPair(t: TestContext) {
  const setup = createClones(t)
  return { ...setup, ann: setup.clone('ann'), bo: setup.clone('bo') }
}

test('an unpushable lock does not stop events from being pushed', async (t) => {
  const { ann, originHead } = createPair(t)
  await ann.run('lock acquire', { resource: 'plain' })
  ann.git('push', '-q', 'origin', 'refs/grite/locks/*:refs/grite/locks/*')
  ann.git('update-ref', '-d', lockRefOf('plain'))
  rmSync(join(ann.path, '.git/grite'), { recursive: true })
  await ann.run('lock acquire', { resource: 'plain' })
  await ann.create('one')
  // As the Rust tool pushes: all refs or none.
  assert.throws(() => ann.git('push', '-q', '--atomic', 'origin', 'refs/grite/*:refs/grite/*'), /non-fast-forward/)
  assert.equal((await ann.sync()).push_success, true)
  assert.equal(originHead(), ann.head())
})

test('a deleted lock does not return with a sync', async (t) => {
  const setup = createClones(t)
  let now = Date.now()
  const [ann, bo] = ['ann', 'bo'].map((name) => setup.clone(name, { nowUnixMs: () => now })) as [Member, Member]
  const locks = 'refs/grite/locks'
  await ann.run('lock acquire', { resource: 'plain' })
  // As the Rust tool does with every push.
  ann.git('push', '-q', 'origin', `${locks}/*:${locks}/*`)
  await bo.sync()
  await ann.run('lock release', { resource: 'plain' })
  assert.equal(((await ann.run('lock gc')) as { removed: number }).removed, 1)
  for (const clone of [ann, bo]) {
    await clone.sync()
    assert.equal(clone.git('for-each-ref', locks), '')
  }
  now += 3_600_000
  assert.equal(((await ann.run('lock gc', { remote: 'origin' })) as { removed: number }).removed, 1)
  for (const clone of [bo, ann]) await clone.sync()
  assert.equal(setup.inOrigin('for-each-ref', locks), '')
})
