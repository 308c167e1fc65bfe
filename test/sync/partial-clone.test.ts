/** Partial and shallow clones, as on build machines. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readFailure } from '../contract/grite-process.ts'
import { createLineClones, type ProcessClones, titlesIn } from './process-clones.ts'

const asUrl = (origin: string): string => `file://${origin}`

function clonesWithLog(t: Parameters<typeof createLineClones>[0]): ProcessClones {
  const setup = createLineClones(t, asUrl)
  for (const key of ['uploadpack.allowFilter', 'uploadpack.allowAnySHA1InWant']) setup.inOrigin('config', key, 'true')
  const ann = setup.clone('ann')
  for (const title of ['one', 'two', 'three']) ann.create(title)
  ann.data('sync')
  return setup
}

const fetchLog = ['fetch', '-q', 'origin', 'refs/grite/*:refs/grite/*']

test('a blobless clone fetches the log’s blobs at once', (t) => {
  const setup = clonesWithLog(t)
  const partial = setup.clone('partial', '--filter=blob:none')
  partial.git(partial.path, ...fetchLog)
  const missing = () => partial.git(partial.path, 'rev-list', '--objects', '--missing=print', 'refs/grite/wal')
  assert.match(missing(), /^\?/m)
  assert.deepEqual(titlesIn(partial), ['one', 'three', 'two'])
  assert.doesNotMatch(missing(), /^\?/m)
  assert.equal(partial.data('rebuild').event_count, 3)
})

test('a blobless clone restores events it has not fetched yet', (t) => {
  const setup = clonesWithLog(t)
  const partial = setup.clone('partial', '--filter=blob:none')
  partial.create('own')
  const own = partial.head() as string
  partial.git(partial.path, 'fetch', '-q', 'origin', '+refs/grite/*:refs/grite/*')
  partial.git(partial.path, 'update-ref', 'refs/grite/wal', own)
  const { stderr } = partial.grite('issue', 'list')
  assert.match(stderr, /restored 3 events/)
  assert.doesNotMatch(stderr, /could not restore/)
  assert.deepEqual(titlesIn(partial), ['one', 'own', 'three', 'two'])
})

test('a blobless clone without its remote fails and hides nothing', (t) => {
  const setup = clonesWithLog(t)
  const partial = setup.clone('partial', '--filter=blob:none')
  partial.git(partial.path, ...fetchLog)
  const address = partial.git(partial.path, 'remote', 'get-url', 'origin')
  partial.git(partial.path, 'remote', 'set-url', 'origin', 'https://nowhere.invalid/x.git')
  const failure = readFailure(partial.grite('issue', 'list', '--json'))
  assert.deepEqual([failure.status, failure.code], [5, 'remote_error'])
  partial.git(partial.path, 'remote', 'set-url', 'origin', address)
  assert.deepEqual(titlesIn(partial), ['one', 'three', 'two'])
})

for (const options of [
  ['--filter=blob:none'],
  ['--filter=tree:0'],
  ['--depth=1'],
  ['--depth=1', '--filter=blob:none'],
]) {
  test(`a clone with ${options.join(' ')} syncs both ways`, (t) => {
    const setup = clonesWithLog(t)
    const [ann, partial] = [setup.clone('bo'), setup.clone('partial', ...options)]
    assert.equal(partial.data('sync').pull_events, 3)
    ann.data('sync')
    ann.create('of ann')
    partial.create('of partial')
    ann.data('sync')
    assert.equal(partial.data('sync').events_rebased, 1)
    assert.equal(partial.head(), setup.originHead())
    ann.data('sync')
    assert.deepEqual(titlesIn(ann), titlesIn(partial))
    assert.equal(titlesIn(partial).length, 5)
  })
}
