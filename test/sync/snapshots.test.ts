/** Snapshots and their deletions travel with a sync. */
import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { GriteSandbox } from '../contract/grite-process.ts'
import { createLineClones } from './process-clones.ts'

const snapshotsOf = ({ git }: GriteSandbox, path: string): string[] =>
  git(path, 'for-each-ref', '--format=%(refname)', 'refs/grite/snapshots').split('\n').filter(Boolean)

function snapshotClones(t: Parameters<typeof createLineClones>[0]) {
  const setup = createLineClones(t)
  const [ann, bo] = [setup.clone('ann'), setup.clone('bo')]
  ann.create('one')
  ann.data('sync')
  const { snapshot_ref } = ann.data('snapshot')
  return { ...setup, ann, bo, snapshot_ref: snapshot_ref as string }
}

test('a snapshot of one clone reaches the others', (t) => {
  const { ann, bo, origin, snapshot_ref } = snapshotClones(t)
  assert.equal(ann.data('sync').snapshots.pushed, 1)
  assert.deepEqual(snapshotsOf(ann, origin), [snapshot_ref])
  assert.equal(bo.data('sync').snapshots.adopted, 1)
  assert.equal(bo.data('rebuild', '--from-snapshot').from_snapshot, snapshot_ref)
  assert.deepEqual(ann.data('sync').snapshots, { adopted: 0, dropped: 0, pushed: 0, deleted: 0, refused: 0 })
})

test('a deleted snapshot is deleted everywhere and does not return', (t) => {
  const { ann, bo, origin } = snapshotClones(t)
  ann.data('sync')
  bo.data('sync')
  ann.data('snapshot', 'gc', '--keep=0')
  assert.deepEqual(snapshotsOf(ann, ann.path), [])
  assert.equal(ann.data('sync', '--pull').snapshots.adopted, 0)
  assert.equal(ann.data('sync').snapshots.deleted, 1)
  assert.deepEqual(snapshotsOf(ann, origin), [])
  assert.equal(bo.data('sync').snapshots.dropped, 1)
  for (const clone of [ann, bo]) {
    clone.data('sync')
    assert.deepEqual(snapshotsOf(clone, clone.path), [])
  }
  assert.deepEqual(snapshotsOf(ann, origin), [])
})

test('an invalid remote snapshot is reported once and not adopted', (t) => {
  const { ann, bo, inOrigin, originHead } = snapshotClones(t)
  inOrigin('update-ref', 'refs/grite/snapshots/1234', originHead())
  const { data, warnings } = JSON.parse(bo.grite('sync', '--json').stdout)
  assert.deepEqual([data.snapshots.adopted, data.pull_events, warnings[0].code], [0, 1, 'snapshot-refused'])
  assert.deepEqual(snapshotsOf(bo, bo.path), [])
  assert.equal(bo.data('sync').snapshots.adopted, 0)
  assert.equal(JSON.parse(ann.grite('sync', '--json').stdout).data.snapshots.pushed, 1)
})

test('a refused snapshot does not stop the log', (t) => {
  const { ann, bo, origin } = snapshotClones(t)
  mkdirSync(join(origin, 'hooks'), { recursive: true })
  writeFileSync(join(origin, 'hooks/update'), '#!/bin/sh\ncase "$1" in refs/grite/snapshots/*) exit 1;; esac\n')
  chmodSync(join(origin, 'hooks/update'), 0o755)
  ann.create('two')
  const { status, stdout } = ann.grite('sync', '--json')
  const { data, warnings } = JSON.parse(stdout)
  assert.deepEqual([status, data.push_success, data.snapshots.refused], [0, true, 1])
  assert.equal(warnings[0].code, 'ref-refused')
  assert.equal(bo.data('sync').pull_events, 2)
})

test('a remote that lost everything gets log and snapshots again', (t) => {
  const { ann, origin, inOrigin, snapshot_ref } = snapshotClones(t)
  ann.data('sync')
  for (const ref of ['refs/grite/wal', snapshot_ref]) inOrigin('update-ref', '-d', ref)
  const { data } = JSON.parse(ann.grite('sync', '--json').stdout)
  assert.deepEqual([data.push_changed, data.snapshots.pushed], [true, 1])
  assert.deepEqual(snapshotsOf(ann, origin), [snapshot_ref])
})

test('a push makes and sends a snapshot that is due', (t) => {
  const setup = createLineClones(t)
  const ann = setup.clone('ann')
  ann.data('init')
  writeFileSync(join(ann.path, '.git/grite/config.toml'), '[snapshot]\nmax_events = 3\n')
  for (const title of ['one', 'two']) ann.create(title)
  assert.equal(ann.data('sync').snapshots.pushed, 0)
  ann.create('three')
  assert.equal(ann.data('sync').snapshots.pushed, 1)
  assert.equal(snapshotsOf(ann, setup.origin).length, 1)
  ann.create('four')
  assert.equal(ann.data('sync').snapshots.pushed, 0)
})
