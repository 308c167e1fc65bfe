import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RenderView } from '../../../src/cli/render/renderer.ts'
import {
  renderSnapshotCreate as exactSnapshotCreate,
  renderSnapshotGc as exactSnapshotGc,
  renderSnapshotList as exactSnapshotList,
} from '../../../src/cli/render/snapshots.ts'
import { plainStyle } from '../../../src/cli/render/style.ts'
import { onParts } from './text-of.ts'

const renderSnapshotCreate = onParts(exactSnapshotCreate)
const renderSnapshotGc = onParts(exactSnapshotGc)
const renderSnapshotList = onParts(exactSnapshotList)

const nowUnixMs = Date.UTC(2026, 3, 5, 12, 0, 0)
const hourMs = 3_600_000

function view(width: number | null, other: Partial<RenderView> = {}): RenderView {
  return { width, style: plainStyle, nowUnixMs, quiet: false, ...other }
}

const row = {
  oid: '1'.repeat(40),
  timestamp: nowUnixMs - 3 * hourMs,
  ref_name: `refs/grite/snapshots/${nowUnixMs - 3 * hourMs}`,
  event_count: 12_345,
  wal_head: 'abcdef01'.padEnd(40, '0'),
  problem: null,
}
const broken = {
  ...row,
  timestamp: 0,
  ref_name: 'refs/grite/snapshots/so\u202eon',
  event_count: null,
  wal_head: null,
  problem: 'it has no snapshot.json',
}

test('snapshot list on a terminal is a table', async () => {
  assert.equal(
    await renderSnapshotList({ snapshots: [row, broken] }, view(100)),
    [
      'Snapshot       Made     Events  Log up to  Problem',
      '1775379600000  3 h ago  12,345  abcdef01',
      'so\\u202eon                                 it has no snapshot.json',
      '',
    ].join('\n'),
  )
})

test('snapshot list written to a pipe is tab-separated', async () => {
  assert.equal(
    await renderSnapshotList({ snapshots: [row, { ...row, timestamp: 9e15 }, broken] }, view(null)),
    [
      `1775379600000\t2026-04-05T09:00:00.000Z\t12345\t${row.wal_head}\t`,
      `1775379600000\t9000000000000000\t12345\t${row.wal_head}\t`,
      'so\\u202eon\t\t\t\tit has no snapshot.json',
      '',
    ].join('\n'),
  )
})

test('an empty snapshot list prints a hint only on a terminal', async () => {
  assert.match(await renderSnapshotList({ snapshots: [] }, view(80)), /^No snapshots yet\./)
  assert.equal(await renderSnapshotList({ snapshots: [] }, view(null)), '')
})

test('snapshot create prints one line', async () => {
  const data = { snapshot_ref: row.ref_name, wal_head: row.wal_head, event_count: 1 }
  assert.equal(
    await renderSnapshotCreate(data, view(80)),
    'Created snapshot 1775379600000: 1 event, the log up to abcdef01\n',
  )
  assert.equal(await renderSnapshotCreate(data, view(80, { quiet: true })), '')
})

test('snapshot gc says whether sync deletes on the remotes too', async () => {
  const data = { deleted: 2, remaining: 5, owed_remote_deletions: 0 }
  assert.equal(await renderSnapshotGc(data, view(80)), 'Deleted 2 snapshots, 5 left\n')
  assert.equal(
    await renderSnapshotGc({ ...data, owed_remote_deletions: 4 }, view(80)),
    'Deleted 2 snapshots, 5 left; the next sync deletes them on the remotes too\n',
  )
  assert.equal(await renderSnapshotGc({ ...data, deleted: 0 }, view(80)), 'Nothing to delete: 5 snapshots\n')
})
