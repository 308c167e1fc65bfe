import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { GriteError } from '../../src/model/index.ts'
import { createClones } from '../sync/clones.ts'

test('a lock left on the remote is named until its removal', async (t) => {
  const setup = createClones(t)
  const ann = setup.clone('ann')
  await ann.create('one')
  await ann.sync()
  await ann.create('two')
  const lock = join(setup.origin, 'refs/grite/wal.lock')
  writeFileSync(lock, '')
  await assert.rejects(ann.run('sync'), (error) => {
    assert.ok(error instanceof GriteError)
    assert.deepEqual([error.code, error.details.reason], ['remote_error', 'rejected'])
    assert.match(error.hints[0] ?? '', /left `refs\/grite\/wal\.lock` in that repository/, error.message)
    return true
  })
  rmSync(lock)
  await ann.sync()
  assert.equal(setup.originHead(), ann.head())
})
