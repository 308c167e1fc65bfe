import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { RefName } from '../../../src/git/index.ts'
import { ConflictError, NotFoundError } from '../../../src/model/index.ts'
import { deletedPrefix, deletedRef, snapshotRef, trackingRef, walRef } from '../../../src/wal/index.ts'
import {
  type CreatedSnapshot,
  createSnapshotRepository,
  type ListedSnapshots,
  startMs,
} from '../../support/snapshot-repository.ts'
import { strangeLog, writeLog, writeSnapshotFiles } from '../../support/snapshots.ts'

describe('broken snapshot refs', () => {
  it('an empty snapshot ref does not hide the others from any command', async (t) => {
    const { append, create, run, path, refs } = createSnapshotRepository(t)
    await append(2)
    const made = await create()
    const [broken, tracking] = ['refs/grite/snapshots/1600000000000', trackingRef('origin', walRef)]
    for (const ref of [broken, tracking]) {
      mkdirSync(join(path, '.git', ref, '..'), { recursive: true })
      writeFileSync(join(path, '.git', ref), '')
    }
    const { snapshots } = (await run('snapshot list')) as ListedSnapshots
    assert.deepEqual(
      snapshots.map(({ ref_name, problem }) => [ref_name, problem]),
      [
        [broken, 'does not hold an object id'],
        [made.snapshot_ref, null],
      ],
    )
    assert.equal(((await run('db stats')) as { snapshot_count: number }).snapshot_count, 1)
    assert.equal(((await run('snapshot gc', { keep: 0 })) as { deleted: number }).deleted, 1)
    assert.equal(refs('refs/grite/snapshots'), '')
    assert.equal(((await run('rebuild', { fromSnapshot: true })) as { event_count: number }).event_count, 2)
    const { checks } = (await run('doctor')) as { checks: { id: string; status: string }[] }
    assert.equal(checks.find(({ id }) => id === 'snapshots')?.status, 'warn')
  })
})

describe('snapshot create', { concurrency: 2 }, () => {
  it('snapshot create covers the local log when there is no remote', async (t) => {
    const { append, run, git, path, takeWarnings } = createSnapshotRepository(t)
    const head = await append(3)
    for (const [command, ms] of [
      ['snapshot', startMs],
      ['snapshot create', startMs + 1],
    ] as const) {
      const data = (await run(command)) as CreatedSnapshot
      assert.equal(data.oid, git(path, 'rev-parse', data.snapshot_ref))
      const { snapshot_ref, created_ts, wal_head, event_count, local_wal_head } = data
      assert.deepEqual([snapshot_ref, created_ts], [snapshotRef(ms), ms])
      assert.deepEqual([wal_head, event_count, local_wal_head], [head, 3, head])
    }
    assert.deepEqual(takeWarnings(), [])
  })

  it('snapshot create covers the pushed log and warns about unpushed events', async (t) => {
    const { append, create, git, path, track, takeWarnings } = createSnapshotRepository(t)
    const pushed = await append(2)
    git(path, 'remote', 'add', 'origin', '/nowhere')
    track('origin', walRef, pushed)
    assert.equal((await create()).wal_head, pushed)
    assert.deepEqual(takeWarnings(), [])
    const local = await append(2)
    const behind = await create()
    assert.deepEqual([behind.wal_head, behind.event_count, behind.local_wal_head], [pushed, 2, local])
    assert.deepEqual(takeWarnings(), ['snapshot-behind'])
    assert.equal((await create({ local: true })).wal_head, local)
    assert.deepEqual(takeWarnings(), [])
  })

  it('snapshot create uses the configured home remote', async (t) => {
    const { append, create, git, path, track, configure } = createSnapshotRepository(t)
    const pushed = await append(2)
    for (const name of ['origin', 'upstream', 'third']) git(path, 'remote', 'add', name, '/nowhere')
    track('upstream', walRef, pushed)
    await append(1)
    await assert.rejects(create(), /the remote 'origin' is not known to have any part of the log/)
    configure('[sync]\nremote = "upstream"\n')
    assert.equal((await create()).wal_head, pushed)
    configure('[sync]\nremote = "gone"\n')
    await assert.rejects(
      create(),
      (error) => error instanceof NotFoundError && /upstream, third|third, upstream/.test(error.message),
    )
  })

  it('snapshot create fails when no part of the log was pushed', async (t) => {
    const { append, create, git, path, track } = createSnapshotRepository(t)
    await assert.rejects(create(), NotFoundError)
    await assert.rejects(create({ local: true }), NotFoundError)
    const first = await append(2)
    git(path, 'remote', 'add', 'origin', '/nowhere')
    await assert.rejects(create(), (error) => error instanceof NotFoundError && error.hints.join().includes('--local'))
    const ahead = await append(1)
    git(path, 'update-ref', walRef, first)
    track('origin', walRef, ahead)
    await assert.rejects(create(), ConflictError)
    await create({ local: true })
  })
})

describe('snapshot list and gc', { concurrency: 2 }, () => {
  it('snapshot list shows the newest first and why a snapshot is broken', async (t) => {
    const { append, create, run, git, path, names, pass, withRepository } = createSnapshotRepository(t)
    const head = await append(2)
    await create()
    pass(5)
    const { oid } = await create()
    for (const name of ['soon', String(startMs + 1)]) git(path, 'update-ref', `refs/grite/snapshots/${name}`, head)
    await withRepository(({ git: port }) =>
      writeSnapshotFiles(port, 3, new Map([['snapshot.json', Buffer.from('{}')]])),
    )
    assert.deepEqual(await names(), [5, 1, 0, 3 - startMs, -startMs])
    const { snapshots, total } = (await run('snapshot list')) as ListedSnapshots
    assert.equal(total, 5)
    assert.deepEqual(snapshots[0], {
      oid,
      timestamp: startMs + 5,
      ref_name: snapshotRef(startMs + 5),
      event_count: 2,
      chunk_count: 1,
      wal_head: head,
      verdict: 'own',
      problem: null,
    })
    assert.deepEqual(
      snapshots.map(({ problem }) => problem),
      [null, 'it has no snapshot.json', null, 'snapshot.json has no schema_version', 'it has no snapshot.json'],
    )
  })

  it('snapshot gc keeps the newest readable snapshots', async (t) => {
    const { append, create, run, git, path, names, pass } = createSnapshotRepository(t)
    const head = await append(2)
    for (let turn = 0; turn < 7; turn++) {
      await create()
      pass(1)
    }
    for (const name of [startMs + 50, startMs - 50]) git(path, 'update-ref', snapshotRef(name), head)
    const first = await run('snapshot gc')
    assert.deepEqual(await names(), [50, 6, 5, 4, 3, 2])
    assert.deepEqual(first, {
      deleted: 3,
      kept: 5,
      remaining: 6,
      deleted_refs: [1, 0, -50].map((ms) => snapshotRef(startMs + ms)),
      owed_remote_deletions: 0,
    })
    assert.equal(((await run('snapshot gc', { keep: 5 })) as { deleted: number }).deleted, 0)
    await run('snapshot gc', { keep: 1 })
    assert.deepEqual(await names(), [50, 6])
    await run('snapshot gc', { keep: 0 })
    assert.deepEqual(await names(), [])
    assert.deepEqual(await run('snapshot gc'), {
      deleted: 0,
      kept: 5,
      remaining: 0,
      deleted_refs: [],
      owed_remote_deletions: 0,
    })
  })

  it('snapshot gc records the deletions owed to each remote', async (t) => {
    const { append, create, run, git, path, track, refs, names } = createSnapshotRepository(t)
    const head = await append(2)
    const made = [await create({ local: true }), await create({ local: true }), await create({ local: true })]
    const [one, two, three] = made as [CreatedSnapshot, CreatedSnapshot, CreatedSnapshot]
    for (const { snapshot_ref, oid } of made) track('origin', snapshot_ref, oid)
    track('https://elsewhere.example/x', one.snapshot_ref, one.oid)
    // This remote has a foreign snapshot under that name.
    track('other', one.snapshot_ref, two.oid)
    // An earlier record, of a snapshot that no longer exists.
    git(path, 'update-ref', deletedRef('origin', one.snapshot_ref as RefName), head)
    const { owed_remote_deletions } = (await run('snapshot gc', { keep: 1 })) as { owed_remote_deletions: number }
    assert.equal(owed_remote_deletions, 3)
    assert.deepEqual(await names(), [three.created_ts - startMs])
    const expected = [
      ['origin', one],
      ['origin', two],
      ['https://elsewhere.example/x', one],
    ] as const
    for (const remote of ['origin', 'https://elsewhere.example/x', 'other']) {
      const own = expected.filter(([name]) => name === remote)
      assert.deepEqual(
        refs(deletedPrefix(remote)).split('\n').filter(Boolean),
        own.map(([, { snapshot_ref, oid }]) => `${deletedRef(remote, snapshot_ref as RefName)} ${oid}`),
      )
    }
  })
})

const fixture = fileURLToPath(new URL('../../../../shared/fixtures/snapshots/', import.meta.url))
const skip = existsSync(fixture) ? false : 'the snapshots of the Rust tool in ../shared are missing'

describe('snapshots of the Rust tool', { skip }, () => {
  it('lists and rebuilds from snapshots of the Rust tool', async (t) => {
    const expected = JSON.parse(readFileSync(join(fixture, 'expected.json'), 'utf8'))
    const { git, path, run, takeWarnings } = createSnapshotRepository(t)
    git(path, 'fetch', '-q', join(fixture, 'repo.bundle'), 'refs/grite/*:refs/grite/*')
    const { snapshots, total } = (await run('snapshot list')) as ListedSnapshots
    assert.deepEqual(
      snapshots.map(({ ref_name, timestamp, ...rest }) => ({
        oid: (rest as unknown as CreatedSnapshot).oid,
        timestamp,
        ref_name,
      })),
      expected.snapshots,
    )
    assert.equal(total, expected.snapshots.length)
    const newest = expected.snapshots[0].ref_name
    assert.deepEqual(await run('rebuild', { fromSnapshot: true }), {
      wal_head: expected.wal_head,
      event_count: expected.event_ids.length,
      issue_count: expected.issues.length,
      from_snapshot: newest,
      snapshot_events: expected.snapshot_json[newest].event_count,
    })
    const { issues } = (await run('issue list')) as { issues: Record<string, unknown>[] }
    const keys = Object.keys(expected.issues[0])
    assert.deepEqual(
      issues.map((issue) => Object.fromEntries(keys.map((key) => [key, issue[key]]))),
      expected.issues,
    )
    // A snapshot created afterwards has the same form.
    const made = (await run('snapshot create')) as CreatedSnapshot
    assert.equal(made.event_count, expected.event_ids.length)
    assert.equal(git(path, 'ls-tree', '-r', '--name-only', made.oid), 'events/0000.bin\nevents/0001.bin\nsnapshot.json')
    const again = (await run('rebuild', { fromSnapshot: true })) as { from_snapshot: string }
    assert.equal(again.from_snapshot, newest > made.snapshot_ref ? newest : made.snapshot_ref)
    assert.deepEqual(takeWarnings(), [])
  })
})

it('a snapshot of an irregular log counts orphans and problems', async (t) => {
  const { run, withRepository, takeWarnings } = createSnapshotRepository(t)
  const { batches, events, orphans } = strangeLog()
  const head = await withRepository(({ git }) => writeLog(git, batches))
  const { oid: _oid, ...data } = (await run('snapshot create')) as CreatedSnapshot
  assert.deepEqual(data, {
    snapshot_ref: snapshotRef(startMs),
    created_ts: startMs,
    wal_head: head,
    event_count: events.length,
    chunk_count: 1,
    orphan_count: orphans.length,
    attachment_count: 1,
    problem_count: 3,
    local_wal_head: head,
  })
  assert.deepEqual(takeWarnings(), [])
})
