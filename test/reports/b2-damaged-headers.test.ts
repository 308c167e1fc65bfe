/** Commits with a header that git accepts and grite cannot read, in a log and its reflog. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { walRef } from '../../src/wal/index.ts'
import { createClones } from '../sync/clones.ts'

/** A commit on top of another, without an author. */
function writeDamaged(setup: ReturnType<typeof createClones>, path: string, parent: string): string {
  const tree = setup.git(path, 'rev-parse', `${parent}^{tree}`)
  const header = `tree ${tree}\nparent ${parent}\n\nno author\n`
  return setup.gitWith(header, path, 'hash-object', '-t', 'commit', '-w', '--literally', '--stdin')
}

test('a damaged commit header in the log hides nothing', async (t) => {
  const setup = createClones(t)
  const [ann, bo] = [setup.clone('ann'), setup.clone('bo')]
  await ann.create('below')
  const damaged = writeDamaged(setup, ann.path, ann.head())
  ann.git('update-ref', walRef, damaged)
  await ann.create('above')
  ann.git('push', '-q', 'origin', walRef)
  assert.equal((await bo.sync()).success, true)
  await bo.create('mine')
  for (const name of ['rebuild', 'doctor', 'db check', 'snapshot create']) await bo.outcome(name)
  assert.equal((await bo.sync()).push_changed, true)
  await ann.sync()
  for (const clone of [ann, bo]) assert.deepEqual(await clone.titles(), ['above', 'below', 'mine'])
  const told = bo.warnings.filter(({ code }) => code === 'log-problem')
  assert.ok(told.some(({ details }) => details?.objectId === damaged))
})

test('a rebuild survives a damaged header in the reflog', async (t) => {
  const setup = createClones(t)
  const ann = setup.clone('ann')
  await ann.create('one')
  await ann.titles()
  const before = ann.head()
  // A commit of another tool, then a damaged one: the reflog leads from one to the other.
  const foreign = ann.git('commit-tree', '-p', before, '-m', 'x', `${before}^{tree}`)
  ann.git('update-ref', walRef, foreign)
  ann.git('update-ref', walRef, writeDamaged(setup, ann.path, foreign))
  await ann.run('rebuild')
  await ann.create('two')
  assert.deepEqual(await ann.titles(), ['one', 'two'])
})
