/** Which hash a rebuild from a snapshot uses. Loading one affects the whole process, so it has a file. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hasBulkHasher } from '../../src/model/index.ts'
import { createSnapshotRepository } from '../support/snapshot-repository.ts'

test('only a rebuild from a large snapshot loads the hash for bulk work', async (t) => {
  const { append, create, pass, withRepository } = createSnapshotRepository(t)
  const rebuild = () =>
    withRepository(async (repository) => (await repository.rebuildFromSnapshot()).snapshot?.eventCount)
  await append(10)
  await create({ local: true })
  assert.deepEqual([await rebuild(), hasBulkHasher()], [10, false])
  await append(600)
  pass(1)
  await create({ local: true })
  assert.deepEqual([await rebuild(), hasBulkHasher()], [609, true])
})
