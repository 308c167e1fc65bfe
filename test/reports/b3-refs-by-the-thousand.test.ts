/** A remote with too many snapshots and locks: a clone follows some, and each sync reports that once. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { limits } from '../../src/model/index.ts'
import { lockRefOf, snapshotRef, trackingPrefix, walRef } from '../../src/wal/index.ts'
import { createClones } from '../sync/clones.ts'

test('thousands of foreign refs cost a bounded number of files', async (t) => {
  const setup = createClones(t)
  const [ann, bo] = [setup.clone('ann'), setup.clone('bo')]
  await ann.create('one')
  await ann.sync()
  const locks = Array.from({ length: limits.followedLocksMax + 20 }, (_, index) => lockRefOf(`${index}`))
  const snapshots = Array.from({ length: 90 }, (_, index) => snapshotRef(1_800_000_000_000 + index))
  // Refs with the prefix of the log ref, fetched with it.
  const alike = ['wa', 'wak', 'wall', 'waz'].map((name) => `refs/grite/${name}`)
  const head = ann.head()
  setup.feedOrigin(
    [...locks, ...snapshots, ...alike].map((ref) => `create ${ref} ${head}\n`).join(''),
    ...['update-ref', '--stdin'],
  )
  for (let turn = 0; turn < 2; turn++) {
    await bo.create(`mine ${turn}`)
    assert.equal((await bo.sync()).push_changed, true)
    const told = bo.warnings.splice(0).filter(({ code }) => code === 'remote-refs-left-out')
    assert.deepEqual(
      told.map(({ details }) => [details?.prefix, details?.count]),
      [
        ['refs/grite/snapshots/', 90],
        ['refs/grite/locks/', limits.followedLocksMax + 20],
      ],
    )
  }
  const tracked = bo.git('for-each-ref', '--format=%(refname)', trackingPrefix('origin')).split('\n')
  assert.equal(tracked.length, 1 + limits.followedLocksMax + limits.followedSnapshotsMax)
  assert.ok(tracked.includes(`${trackingPrefix('origin')}${walRef.slice('refs/'.length)}`))
  // The newest snapshots are followed.
  assert.ok(tracked.some((ref) => ref.endsWith(`/${1_800_000_000_089}`)))

  // After their deletion no tracking ref remains.
  setup.feedOrigin([...locks, ...snapshots, ...alike].map((ref) => `delete ${ref}\n`).join(''), 'update-ref', '--stdin')
  await bo.sync()
  assert.deepEqual(bo.warnings, [])
  assert.deepEqual(bo.git('for-each-ref', '--format=%(refname)', trackingPrefix('origin')).split('\n').length, 1)
  assert.deepEqual(await bo.titles(), ['mine 0', 'mine 1', 'one'])
})
