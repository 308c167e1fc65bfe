/** No snapshot is made of a part of the log: other clones would rebuild from it and miss the rest. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { snapshotPrefix, walRef } from '../../src/wal/index.ts'
import { createClones, memberIn } from '../sync/clones.ts'

/** A clone with a cut-off log. */
async function cutClone(t: TestContext) {
  const setup = createClones(t)
  const ann = setup.clone('ann')
  for (const title of ['one', 'two', 'three']) await ann.create(title)
  await ann.sync()
  const path = join(setup.dir, 'ci')
  setup.git(setup.dir, 'init', '-q', path)
  setup.git(path, 'remote', 'add', 'origin', `file://${setup.origin}`)
  setup.git(path, 'fetch', '-q', '--depth=1', 'origin', `${walRef}:${walRef}`)
  return { ...setup, ann, ci: memberIn(setup, path) }
}

for (const input of [{ local: true }, {}]) {
  test(`no snapshot is made of a cut-off log (${JSON.stringify(input)})`, async (t) => {
    const { ci } = await cutClone(t)
    ci.git('fetch', '-q', 'origin', '+refs/grite/wal:refs/grite-remotes/og5hhvmaolrg1vaee3ofe2ikd27corpd/grite/wal')
    await assert.rejects(ci.run('snapshot create', input), (error: { code?: string; message?: string }) => {
      assert.equal(error.code, 'io_error')
      assert.match(error.message ?? '', /cut off before commit [0-9a-f]{12}.*no snapshot was made/)
      return true
    })
    assert.equal(ci.git('for-each-ref', snapshotPrefix), '')
  })
}

test('a sync warns instead of making a snapshot of a cut-off log', async (t) => {
  const { ci, dir, git } = await cutClone(t)
  // A remote with no more of the log, so that it stays cut off.
  git(dir, 'clone', '-q', '--bare', '--depth=1', `file://${join(dir, 'origin.git')}`, 'cut.git')
  git(join(dir, 'cut.git'), 'fetch', '-q', '--depth=1', 'origin', `+${walRef}:${walRef}`)
  ci.git('remote', 'set-url', 'origin', `file://${join(dir, 'cut.git')}`)
  await ci.create('of ci')
  writeFileSync(join(ci.path, '.git/grite/config.toml'), '\n[snapshot]\nmax_events = 1\n', { flag: 'a' })
  await ci.sync()
  assert.deepEqual(ci.takeWarnings().sort(), [
    'log-incomplete',
    'log-incomplete',
    'log-not-completed',
    'snapshot-failed',
  ])
  assert.equal(ci.git('for-each-ref', snapshotPrefix), '')
})

test('a snapshot after the completing sync holds the whole log', async (t) => {
  const { ci, ann } = await cutClone(t)
  await ci.create('of ci')
  await ci.sync()
  assert.equal(((await ci.run('snapshot create')) as { event_count: number }).event_count, 4)
  await ci.sync()
  await ann.sync()
  await ann.run('rebuild', { fromSnapshot: true })
  assert.deepEqual(await ann.titles(), ['of ci', 'one', 'three', 'two'])
})
