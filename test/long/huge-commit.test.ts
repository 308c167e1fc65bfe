/** A commit with a message too large to load, at the head of a log and below it. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { walRef } from '../../src/wal/index.ts'
import { createClones } from '../sync/clones.ts'

test('clones read, write and sync a log with a 68 MB commit message', async (t) => {
  const setup = createClones(t)
  const [ann, bo] = [setup.clone('ann'), setup.clone('bo')]
  await ann.create('below')
  await ann.sync()
  await bo.sync()
  const message = join(setup.dir, 'message')
  writeFileSync(message, Buffer.alloc(68_000_000, 'x'))
  const huge = setup.inOrigin('commit-tree', '-p', walRef, '-F', message, `${walRef}^{tree}`)
  setup.inOrigin('update-ref', walRef, huge)

  // A clone without unpushed events moves to that commit and appends to it.
  assert.equal((await bo.sync()).success, true)
  assert.equal(bo.head(), huge)
  assert.deepEqual(await bo.titles(), ['below'])
  await bo.create('above')
  for (const name of ['rebuild', 'doctor', 'db check']) await bo.outcome(name)
  assert.equal((await bo.sync()).push_changed, true)

  // Another clone wrote concurrently.
  await ann.create('beside')
  assert.equal((await ann.sync()).push_success, true)
  await bo.sync()
  const fresh = setup.clone('fresh')
  await fresh.sync()
  for (const clone of [ann, bo, fresh]) {
    assert.deepEqual(await clone.titles(), ['above', 'below', 'beside'])
    assert.equal(clone.takeWarnings().includes('ref-moved'), false)
  }
})
