/** A treeless clone reads the log like a blobless one. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { walRef } from '../../src/wal/index.ts'
import { createClones, memberIn } from '../sync/clones.ts'

async function partialClone(t: TestContext, filter: string) {
  const setup = createClones(t)
  setup.inOrigin('config', 'uploadpack.allowFilter', 'true')
  const ann = setup.clone('ann')
  for (const title of ['one', 'two', 'three']) await ann.create(title)
  await ann.sync()
  const path = join(setup.dir, 'partial')
  setup.git(setup.dir, 'clone', '-q', `--filter=${filter}`, `file://${setup.origin}`, path)
  const partial = memberIn(setup, path)
  partial.git('fetch', '-q', 'origin', `${walRef}:${walRef}`)
  const missing = () => partial.git('rev-list', '--objects', '--missing=print', walRef).match(/^\?/gm)?.length ?? 0
  return { ...setup, ann, partial, missing }
}

describe('treeless clones', { concurrency: 2 }, () => {
  for (const filter of ['tree:0', 'tree:1', 'blob:none']) {
    it(`the first command reads the whole log of a treeless clone (${filter})`, async (t) => {
      const { partial, missing } = await partialClone(t, filter)
      assert.ok(missing() > 0)
      assert.deepEqual(await partial.titles(), ['one', 'three', 'two'])
      assert.deepEqual([partial.takeWarnings(), missing()], [[], 0])
      assert.equal(partial.git('config', 'remote.origin.partialclonefilter'), filter)
    })
  }

  for (const command of ['sync', 'db check', 'rebuild', 'snapshot create']) {
    it(`${command} reads the whole log of a treeless clone`, async (t) => {
      const { partial } = await partialClone(t, 'tree:0')
      const { exitStatus = 0 } = await partial.outcome(command, command === 'snapshot create' ? { local: true } : {})
      assert.deepEqual([exitStatus, partial.takeWarnings()], [0, []])
      assert.deepEqual(await partial.titles(), ['one', 'three', 'two'])
      await partial.assertSound()
    })
  }

  it('a treeless clone syncs the changes of others', async (t) => {
    const { partial, ann } = await partialClone(t, 'tree:0')
    await partial.create('of partial')
    await ann.create('of ann')
    await ann.sync()
    await partial.sync()
    assert.deepEqual(await partial.titles(), ['of ann', 'of partial', 'one', 'three', 'two'])
    await partial.assertSound()
  })
})
