import assert from 'node:assert/strict'
import { describe, it, test } from 'node:test'
import type { Oid, RefName } from '../../../../src/git/index.ts'
import {
  deletedPrefix,
  deletedRef,
  planSnapshotRefs,
  refOfDeletion,
  type SnapshotRefsOnBothSides,
  type SnapshotRefsPlan,
  snapshotRef,
  trackingRef,
} from '../../../../src/wal/index.ts'
import { deletionOf, snapshotTimeOf } from '../../../../src/wal/ref-names.ts'

const ref = snapshotRef(1)
const [one, other] = ['1'.repeat(40), '2'.repeat(40)] as [Oid, Oid]
const is = (oid: Oid) => new Map([[ref, oid]])
const none = new Map<RefName, Oid>()
const nothing = { local: none, trackedBefore: none, trackedNow: none, intents: none }

type Does = Partial<Record<keyof SnapshotRefsPlan, Oid>>
const cases: readonly (readonly [title: string, sides: Partial<SnapshotRefsOnBothSides>, does: Does])[] = [
  ['a snapshot on neither side needs no step', {}, {}],
  ['a snapshot on both sides needs no step', { local: is(one), trackedBefore: is(one), trackedNow: is(one) }, {}],
  ['1. a local-only snapshot is pushed', { local: is(one) }, { push: one }],
  ['2. a remote-only snapshot is adopted', { trackedNow: is(one) }, { adopt: one }],
  [
    '3. a snapshot deleted here is deleted remotely, not adopted',
    { trackedBefore: is(one), trackedNow: is(one), intents: is(one) },
    { deleteRemotely: one },
  ],
  [
    '4. a snapshot deleted here by another tool is adopted again',
    { trackedBefore: is(one), trackedNow: is(one) },
    { adopt: one },
  ],
  [
    '5. an unchanged snapshot deleted remotely is dropped',
    { local: is(one), trackedBefore: is(one) },
    { dropLocally: one },
  ],
  [
    '5. a different local snapshot is pushed after a remote deletion',
    { local: is(other), trackedBefore: is(one) },
    { push: other },
  ],
  [
    '6. a snapshot restored before its deletion is deleted on both sides',
    { local: is(one), trackedBefore: is(one), trackedNow: is(one), intents: is(one) },
    { deleteRemotely: one, dropLocally: one },
  ],
  [
    '7. a deletion already done remotely is forgotten',
    { trackedBefore: is(one), intents: is(one) },
    { forgetIntents: one },
  ],
  [
    '7. a different remote snapshot is adopted and the deletion forgotten',
    { trackedBefore: is(one), trackedNow: is(other), intents: is(one) },
    { forgetIntents: one, adopt: other },
  ],
  ['8. two snapshots of one name both stay', { local: is(one), trackedNow: is(other) }, { clashing: one }],
  [
    '8. a name clash is reported while the deleted one is removed',
    { local: is(one), trackedBefore: is(other), trackedNow: is(other), intents: is(other) },
    { deleteRemotely: other, clashing: one },
  ],
  [
    '9. a snapshot is pushed again to a remote that lost its log',
    { local: is(one), trackedBefore: is(one), lostItsLog: true },
    { push: one },
  ],
]

describe('syncing snapshots', () => {
  for (const [title, sides, does] of cases) {
    it(title, () => {
      const plan = planSnapshotRefs({ ...nothing, ...sides })
      const done = Object.entries(plan).flatMap(([list, rows]) => rows.map((row: { oid: Oid }) => [list, row.oid]))
      assert.deepEqual(Object.fromEntries(done), does)
    })
  }
})

test('a deletion ref encodes remote and snapshot', () => {
  const place = 'refs/grite-remotes/og5hhvmaolrg1vaee3ofe2ikd27corpd/'
  assert.equal(deletedPrefix('origin'), `${place}deleted/`)
  assert.equal(deletedRef('origin', snapshotRef(12)), `${place}deleted/snapshots/12`)
  assert.equal(refOfDeletion('origin', deletedRef('origin', snapshotRef(12))), snapshotRef(12))
  assert.deepEqual(deletionOf(trackingRef('origin', snapshotRef(12))), {
    ref: snapshotRef(12),
    deletion: deletedRef('origin', snapshotRef(12)),
  })
  assert.equal(deletionOf(trackingRef('origin', 'refs/grite/wal')), undefined)
  assert.equal(deletionOf(deletedRef('origin', snapshotRef(12))), undefined)
})

test('a snapshot name parses as a plain number of milliseconds', () => {
  const names = ['1700000000000', '0', '7', '007', '1e3', 'x', '1/2', '12345678901234567', '-1', '']
  assert.deepEqual(
    names.map((name) => snapshotTimeOf(`refs/grite/snapshots/${name}` as RefName)),
    [1_700_000_000_000, 0, 7, 0, 0, 0, 0, 0, 0, 0],
  )
})
