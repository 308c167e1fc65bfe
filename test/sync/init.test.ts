/** A new clone joins the others with `grite init`. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLineClones, titlesIn } from './process-clones.ts'

test('init fetches the log of the remote', (t) => {
  const setup = createLineClones(t)
  const [ann, bo] = [setup.clone('ann'), setup.clone('bo')]
  for (const title of ['one', 'two']) ann.create(title)
  ann.data('sync')
  assert.deepEqual(bo.data('init').adopted, { remote: 'origin', events: 2 })
  assert.deepEqual(titlesIn(bo), ['one', 'two'])
  assert.equal(bo.head(), ann.head())
  // The initial events do not count towards a rebuild.
  assert.equal(bo.data('db', 'stats').events_since_rebuild, 0)
  assert.equal(bo.data('init').adopted, null)
})

test('init joins earlier local events with the remote log', (t) => {
  const setup = createLineClones(t)
  const [ann, bo] = [setup.clone('ann'), setup.clone('bo')]
  ann.create('of ann')
  ann.data('sync')
  bo.create('of bo')
  assert.equal(bo.data('init').adopted.events, 1)
  assert.deepEqual(titlesIn(bo), ['of ann', 'of bo'])
  bo.git(bo.path, 'merge-base', '--is-ancestor', setup.originHead(), 'refs/grite/wal')
  assert.equal(setup.originHead(), ann.head())
})

test('init works without a remote or with --no-fetch', (t) => {
  const setup = createLineClones(t)
  const [ann, bo] = [setup.clone('ann'), setup.clone('bo')]
  ann.create('one')
  ann.data('sync')
  assert.equal(bo.data('init', '--no-fetch').adopted, null)
  const { data, warnings } = JSON.parse(bo.grite('issue', 'list', '--json').stdout)
  assert.deepEqual([data.issues, warnings[0].code], [[], 'no-log'])
  bo.git(bo.path, 'remote', 'remove', 'origin')
  assert.equal(bo.data('init').adopted, null)
})

test('init without a network creates the actor and warns', (t) => {
  const setup = createLineClones(t)
  const ann = setup.clone('ann')
  ann.git(ann.path, 'remote', 'set-url', 'origin', 'https://nowhere.invalid/x.git')
  const { status, stdout } = ann.grite('init', '--json')
  const { data, warnings } = JSON.parse(stdout)
  assert.deepEqual([status, data.action, data.adopted, warnings[0].code], [0, 'created', null, 'not-adopted'])
})
