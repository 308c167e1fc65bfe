/** `grite sync` over paths, run as a program. */
import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import { readFailure } from '../contract/grite-process.ts'
import { checkBytes } from '../support/log.ts'
import { createLineClones, titlesIn } from './process-clones.ts'

test('diverged clones converge with each event once', (t) => {
  const setup = createLineClones(t)
  const [ann, bo] = [setup.clone('ann'), setup.clone('bo')]
  ann.create('base')
  assert.equal(ann.data('sync').push_changed, true)
  assert.equal(bo.data('sync').pull_events, 1)
  ann.create('of ann')
  bo.create('of bo')
  ann.data('sync')
  const joined = bo.data('sync')
  assert.deepEqual([joined.pull_events, joined.events_rebased, joined.rebased], [1, 1, true])
  assert.equal(ann.data('sync').pull_events, 1)
  for (const clone of [ann, bo]) {
    assert.deepEqual(titlesIn(clone), ['base', 'of ann', 'of bo'])
    assert.equal(clone.data('db', 'stats').event_count, 3)
    assert.equal(clone.head(), setup.originHead())
    checkBytes(clone.path)
  }
  assert.equal(setup.inOrigin('for-each-ref', '--format=%(refname)', 'refs/'), 'refs/grite/wal\nrefs/heads/main')
  // Each opening of LevelDB names a new manifest.
  const openings = () =>
    filesBelow(join(ann.path, '.git/grite/actors'), 'CURRENT').map((path) => readFileSync(path, 'utf8'))
  const before = openings()
  assert.equal(before.length, 1)
  assert.deepEqual([ann.data('sync').message, ann.data('sync').rounds], ['Already up to date', 1])
  assert.deepEqual(openings(), before)
})

function filesBelow(folder: string, name: string): string[] {
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  return paths.filter((path) => basename(path) === name).map((path) => join(folder, path))
}

test('--pull only fetches and --push only pushes', (t) => {
  const setup = createLineClones(t)
  const [ann, bo] = [setup.clone('ann'), setup.clone('bo')]
  ann.create('one')
  assert.equal(ann.data('sync', '--pull').pushed, false)
  assert.equal(setup.originHead(), '')
  assert.equal(ann.data('sync', '--push').push_success, true)
  assert.equal(bo.data('sync', '--push').message, 'Nothing to push')
  assert.equal(bo.head(), null)
  bo.create('two')
  const before = setup.originHead()
  assert.equal(bo.data('sync', '--pull').pull_events, 1)
  assert.equal(setup.originHead(), before)
  assert.deepEqual(titlesIn(bo), ['one', 'two'])
  assert.equal(bo.data('sync', '--pull', '--push').push_changed, true)
  assert.equal(bo.head(), setup.originHead())
})

test('logs with different roots are joined', (t) => {
  const setup = createLineClones(t)
  const [ann, bo] = [setup.clone('ann'), setup.clone('bo')]
  ann.create('of ann')
  bo.create('of bo')
  ann.data('sync')
  assert.equal(bo.data('sync').events_rebased, 1)
  ann.data('sync')
  assert.deepEqual(titlesIn(ann), ['of ann', 'of bo'])
  assert.equal(ann.head(), bo.head())
})

test('a remote that lost its log gets it again with a warning', (t) => {
  const setup = createLineClones(t)
  const ann = setup.clone('ann')
  ann.create('kept')
  ann.data('sync')
  setup.inOrigin('update-ref', '-d', 'refs/grite/wal')
  const { status, stdout } = ann.grite('sync', '--json')
  const { data, warnings } = JSON.parse(stdout)
  assert.deepEqual([status, data.push_changed, warnings[0].code], [0, true, 'remote-lost'])
  assert.equal(setup.originHead(), ann.head())
})

test('a rewound remote gets the missing events again', (t) => {
  const setup = createLineClones(t)
  const [ann, bo] = [setup.clone('ann'), setup.clone('bo')]
  for (const title of ['one', 'two']) ann.create(title)
  ann.data('sync')
  bo.data('sync')
  setup.inOrigin('update-ref', 'refs/grite/wal', `${setup.originHead()}~1`)
  bo.create('three')
  const { data, warnings } = JSON.parse(bo.grite('sync', '--json').stdout)
  assert.deepEqual([data.push_success, warnings[0].code], [true, 'remote-rewound'])
  ann.data('sync', '--pull')
  assert.deepEqual(titlesIn(ann), ['one', 'three', 'two'])
})

test('a second remote has the same events on its own chain', (t) => {
  const setup = createLineClones(t)
  const ann = setup.clone('ann')
  ann.create('one')
  ann.data('sync')
  ann.git(ann.dir, 'init', '-q', '--bare', 'backup.git')
  ann.git(ann.path, 'remote', 'add', 'backup', '../backup.git')
  const cy = setup.clone('cy')
  cy.git(cy.path, 'remote', 'set-url', 'origin', '../backup.git')
  cy.create('of cy')
  cy.data('sync')
  const head = ann.head()
  assert.equal(ann.data('sync', '--remote=backup').pull_events, 1)
  ann.git(ann.path, 'merge-base', '--is-ancestor', head ?? '', 'refs/grite/wal')
  cy.data('sync')
  assert.deepEqual(titlesIn(cy), ['of cy', 'one'])
  ann.data('sync')
  assert.deepEqual(titlesIn(ann), ['of cy', 'one'])
  assert.equal(ann.head(), setup.originHead())
  assert.equal(ann.data('sync', '--remote=backup').push_changed, false)
})

test('plain git fetch and push of the refs work as well', (t) => {
  const setup = createLineClones(t)
  const [ann, bo] = [setup.clone('ann'), setup.clone('bo')]
  ann.create('one')
  ann.git(ann.path, 'push', '-q', 'origin', 'refs/grite/*')
  bo.git(bo.path, 'fetch', '-q', 'origin', 'refs/grite/*:refs/grite/*')
  assert.deepEqual(titlesIn(bo), ['one'])
  bo.create('two')
  bo.git(bo.path, 'push', '-q', 'origin', 'refs/grite/*')
  assert.equal(ann.data('sync').pull_events, 1)
})

test('a rejected push is an error that keeps pulled events', (t) => {
  const setup = createLineClones(t)
  const [ann, bo] = [setup.clone('ann'), setup.clone('bo')]
  ann.create('of ann')
  ann.data('sync')
  mkdirSync(join(setup.origin, 'hooks'), { recursive: true })
  writeFileSync(join(setup.origin, 'hooks/pre-receive'), '#!/bin/sh\necho "only branches here" >&2\nexit 1\n')
  chmodSync(join(setup.origin, 'hooks/pre-receive'), 0o755)
  bo.create('of bo')
  const failure = readFailure(bo.grite('sync', '--json'))
  assert.deepEqual([failure.status, failure.code, failure.details.reason], [5, 'remote_error', 'rejected'])
  assert.deepEqual([failure.details.push_success, failure.details.pull_events], [false, 1])
  assert.match(failure.message, /pre-receive hook declined/)
  assert.deepEqual(titlesIn(bo), ['of ann', 'of bo'])
  assert.equal(bo.data('sync', '--pull').success, true)
})

test('a sync without a network fails and changes nothing', (t) => {
  const setup = createLineClones(t)
  const ann = setup.clone('ann')
  ann.create('one')
  ann.data('sync')
  const refs = () => ann.git(ann.path, 'for-each-ref')
  const before = refs()
  ann.git(ann.path, 'remote', 'set-url', 'origin', 'https://nowhere.invalid/x.git')
  const failure = readFailure(ann.grite('sync', '--json'))
  assert.deepEqual([failure.status, failure.code, failure.details.reason], [5, 'remote_error', 'unreachable'])
  assert.equal(refs(), before)
})

test('a sync without the remote names the existing ones', (t) => {
  const setup = createLineClones(t)
  const ann = setup.clone('ann')
  assert.equal(ann.data('sync').success, true)
  ann.git(ann.path, 'remote', 'rename', 'origin', 'upstream')
  assert.equal(ann.data('sync').remote, 'upstream')
  ann.git(ann.path, 'remote', 'add', 'fork', '../fork.git')
  const several = readFailure(ann.grite('sync', '--json'))
  assert.match(several.message, /no remote 'origin'; known remotes: (fork, upstream|upstream, fork)/)
  for (const name of ['fork', 'upstream']) ann.git(ann.path, 'remote', 'remove', name)
  const none = readFailure(ann.grite('sync', '--json'))
  assert.deepEqual([none.status, none.code], [3, 'not_found'])
})
