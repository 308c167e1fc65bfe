/** Commits with a header that git accepts and grite cannot read, in a log and its reflog. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { walRef } from '../../src/wal/index.ts'
import { createCrew } from '../sync/crew.ts'

/** A commit on top of another, without an author. */
function writeDamaged(crew: ReturnType<typeof createCrew>, path: string, parent: string): string {
  const tree = crew.git(path, 'rev-parse', `${parent}^{tree}`)
  const header = `tree ${tree}\nparent ${parent}\n\nno author\n`
  return crew.gitWith(header, path, 'hash-object', '-t', 'commit', '-w', '--literally', '--stdin')
}

test('a damaged commit header in the log hides nothing', async (t) => {
  const crew = createCrew(t)
  const [ann, bo] = [crew.clone('ann'), crew.clone('bo')]
  await ann.create('below')
  const damaged = writeDamaged(crew, ann.path, ann.head())
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
  const crew = createCrew(t)
  const ann = crew.clone('ann')
  await ann.create('one')
  await ann.titles()
  const before = ann.head()
  // A commit of another tool, then a damaged one: the reflog leads from one to the other.
  const foreign = ann.git('commit-tree', '-p', before, '-m', 'x', `${before}^{tree}`)
  ann.git('update-ref', walRef, foreign)
  ann.git('update-ref', walRef, writeDamaged(crew, ann.path, foreign))
  await ann.run('rebuild')
  await ann.create('two')
  assert.deepEqual(await ann.titles(), ['one', 'two'])
})
