/** Commits whose header git accepts and grite cannot read, anywhere in a log and in its reflog. */
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

test('a damaged header in the middle of a log hides nothing and ends no command', async (t) => {
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

test('a damaged header that the reflog names does not end a rebuild', async (t) => {
  const crew = createCrew(t)
  const ann = crew.clone('ann')
  await ann.create('one')
  await ann.titles()
  const before = ann.head()
  // A commit of another tool, and a damaged one in its place: the reflog leads from the one to the other.
  const foreign = ann.git('commit-tree', '-p', before, '-m', 'x', `${before}^{tree}`)
  ann.git('update-ref', walRef, foreign)
  ann.git('update-ref', walRef, writeDamaged(crew, ann.path, foreign))
  await ann.run('rebuild')
  await ann.create('two')
  assert.deepEqual(await ann.titles(), ['one', 'two'])
})
