import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { type Oid, openRepository, type RefName } from '../../../../src/git/index.ts'
import { encodeChunk, encodeRecords, hashChunk, limits, UnusableSnapshotError } from '../../../../src/model/index.ts'
import {
  findSnapshotFault,
  isSnapshotOf,
  listSnapshots,
  openSnapshot,
  readSnapshot,
  type SnapshotRef,
  snapshotRef,
  writeSnapshot,
} from '../../../../src/wal/index.ts'
import { createTempRepository } from '../../../git/temp-repository.ts'
import { strangeRecord, withWrongId } from '../../../support/damage.ts'
import { batchOf, comment, creation, issueId, makeEvent, recordOf } from '../../../support/log.ts'
import { content, contentSha, strangeLog, writeLog, writeSnapshotFiles } from '../../../support/snapshots.ts'

const now = 1_700_000_000_123
const a = issueId('a0')

async function setUp(t: TestContext) {
  const repository = await createTempRepository(t)
  const git = openRepository(repository.layout, { environment: repository.environment })
  t.after(() => git.close())
  const readAll = async (row: SnapshotRef) => {
    const segments = []
    for await (const some of readSnapshot(git, await openSnapshot(git, row))) segments.push(...some)
    return segments
  }
  return { ...repository, git, readAll }
}

const records = [creation(a), comment(a, 'one'), comment(a, 'two')].map(recordOf)
const chunk = encodeChunk(records)
const head = '4'.repeat(40)
const row = { path: 'events/0000.bin', chunk_hash: hashChunk(chunk), event_count: 3 }
const facts = { schema_version: 1, created_ts: now, wal_head: head, event_count: 3, chunks: [row] }
const report = {
  schema_version: 1,
  orphan_count: 0,
  attachment_count: 0,
  has_repeats: false,
  problem_count: 0,
  problems: [],
}

const json = (value: unknown) => Buffer.from(JSON.stringify(value))
const files = (more: Readonly<Record<string, unknown>> = {}, bytes = chunk) =>
  new Map<string, Uint8Array>([
    ['snapshot.json', json({ ...facts, ...more })],
    ['events/0000.bin', bytes],
  ])
const withChunk = (bytes: Uint8Array, count = 3) =>
  files({ event_count: count, chunks: [{ ...row, chunk_hash: hashChunk(bytes), event_count: count }] }, bytes)
const extended = (more: Readonly<Record<string, unknown>>, others: readonly (readonly [string, Uint8Array])[] = []) =>
  new Map([...files(), ['ext/report.json', json({ ...report, ...more })], ...others] as const)
const attachment = makeEvent(a, { type: 'AttachmentAdded', name: 'x', sha256: contentSha, mime: 'a/b' })
const problem = { commit: head, object_id: null, event_id: null, severity: 'damaged', reason: 'r' }

const tooMany = Buffer.from(`[${'0,'.repeat(limits.snapshotFactsValuesMax)}0]`)
const tooLarge = Buffer.concat([json({}), Buffer.alloc(limits.snapshotFactsBytesMax, ' ')])

const wrong: readonly (readonly [what: string, files: Map<string, Uint8Array>, reason: RegExp])[] = [
  ['no snapshot.json', new Map([['x', chunk]]), /it has no snapshot\.json/],
  ['no JSON', new Map([['snapshot.json', Buffer.from('{')]]), /snapshot\.json is not JSON/],
  ['a list', new Map([['snapshot.json', json([])]]), /snapshot\.json must be an object, got a list/],
  ['more values than a snapshot can have', new Map([['snapshot.json', tooMany]]), /snapshot\.json .*1000000/],
  ['more bytes than a snapshot can have', new Map([['snapshot.json', tooLarge]]), /the limit is 16777216$/],
  ['another version', files({ schema_version: 2 }), /unknown schema_version 2$/],
  ['no time', files({ created_ts: '1' }), /created_ts must be a time, got "1"/],
  ['a short wal_head', files({ wal_head: 'abc' }), /wal_head must be a commit id, got "abc"/],
  ['a wal_head of another kind of repository', files({ wal_head: '4'.repeat(64) }), /wal_head is not a commit id/],
  ['a count that is none', files({ event_count: -1 }), /event_count must be a count, got -1/],
  ['a wrong sum', files({ event_count: 4 }), /event_count is 4, the chunks have 3/],
  ['no chunks', files({ chunks: null }), /chunks must be a list, got null/],
  ['a row that is none', files({ chunks: [null] }), /chunks\[0\] must be an object, got null/],
  ['a row without a name', files({ chunks: [{ ...row, path: 'events/' }] }), /row 0 of chunks is malformed/],
  ['a name of two levels', files({ chunks: [{ ...row, path: 'events/a/b.bin' }] }), /row 0 of chunks is malformed/],
  ['a chunk named twice', files({ chunks: [row, { ...row, path: '0000.bin' }], event_count: 6 }), /is listed twice/],
  ['a chunk that is not there', files({ chunks: [{ ...row, path: 'events/1.bin' }] }), /events\/1\.bin is missing/],
  ['another chunk hash', files({ chunks: [{ ...row, chunk_hash: 'f'.repeat(64) }] }), /does not match its chunk_hash/],
  ['no chunk', withChunk(Buffer.from('GRITECNK')), /0000\.bin: chunk is shorter/],
  ['a cut chunk', withChunk(chunk.subarray(0, -9)), /0000\.bin: .*ends/],
  ['bytes after the records', withChunk(Buffer.concat([chunk, chunk])), /bytes after the array/],
  ['a wrong event id', withChunk(encodeChunk(records.map(withWrongId))), /event_id does not match/],
  ['an unknown kind', withChunk(encodeChunk([strangeRecord(a, 15)]), 1), /unknown kind tag 15/],
  ['another count', withChunk(encodeChunk(records.slice(1))), /has 2 events, not 3/],
  [
    'attachments and no report',
    withChunk(encodeChunk([recordOf(attachment)]), 1),
    /does not store attachment contents/,
  ],
  ['contents and no report', new Map([...files(), [`attachments/${contentSha}`, content]]), /it has no report\.json/],
  ['a report that is none', new Map([...files(), ['ext/report.json', json({})]]), /report\.json has no schema_version/],
  ['a report without counts', extended({ orphan_count: null }), /orphan_count must be a count, got null/],
  ['a report without repeats', extended({ has_repeats: 'no' }), /has_repeats must be true or false, got "no"/],
  [
    'too many problems',
    extended({ problems: Array(1001).fill(problem) }),
    /problems must be a list of at most 1000 problems, got a list of 1001/,
  ],
  [
    'a problem that is none',
    extended({ problems: [{ ...problem, severity: 'mild' }] }),
    /problems\[0\]\.severity must be "damaged", "suspicious", got "mild"/,
  ],
  [
    'a problem of another place',
    extended({ problems: [{ ...problem, commit: '\u001b[31m' }] }),
    /problems\[0\]\.commit must be an object id, got/,
  ],
  ['fewer contents', extended({ attachment_count: 1 }), /attachments are missing/],
  [
    'another content',
    extended({ attachment_count: 1 }, [[`attachments/${'d'.repeat(64)}`, content]]),
    /attachments\/d+ has the SHA-256 /,
  ],
  [
    'fewer orphans',
    extended({ orphan_count: 2 }, [['ext/orphans.cbor', encodeRecords(records.slice(1, 2))]]),
    /orphans are missing/,
  ],
  ['orphans that are none', extended({ orphan_count: 1 }, [['ext/orphans.cbor', Buffer.from('x')]]), /orphans\.cbor: /],
  [
    'an orphan with a wrong id',
    extended({ orphan_count: 1 }, [['ext/orphans.cbor', encodeRecords([withWrongId(records[0] as Uint8Array)])]]),
    /orphans\.cbor: event_id does not match/,
  ],
]

describe('reading a snapshot', { concurrency: 2 }, () => {
  it('reading a snapshot returns what was written', async (t) => {
    const { git, readAll } = await setUp(t)
    const { batches, events, orphans } = strangeLog()
    const walHead = await writeLog(git, batches)
    const written = await writeSnapshot({ git, head: walHead, nowUnixMs: now })
    const [listed] = await listSnapshots(git, assert.fail)
    assert.deepEqual(listed, { ref: snapshotRef(now), oid: written.oid, timestamp: now })
    const opened = await openSnapshot(git, listed as SnapshotRef)
    assert.deepEqual([opened.walHead, opened.eventCount, opened.createdTs], [walHead, events.length, now])
    assert.deepEqual(opened.report, written.report)

    const [besides, ...chunks] = await readAll(listed as SnapshotRef)
    assert.deepEqual(
      chunks.flatMap(({ items }) => items.map(({ event }) => event)),
      events,
    )
    // One of them has a kind unknown to this version.
    assert.equal(besides?.items.length, orphans.length - 1)
    assert.deepEqual([...(besides?.extras.keys() ?? [])], [`attachments/${contentSha}`])
    assert.deepEqual(besides?.problems, written.report.problems)
  })

  it('reading refuses an inconsistent snapshot with the reason', async (t) => {
    const { git, readAll } = await setUp(t)
    const good = [files(), withChunk(encodeChunk([...records].reverse())), extended({})]
    let name = now
    for (const each of good) assert.equal((await readAll(await writeSnapshotFiles(git, name++, each))).length, 2)
    for (const [what, each, reason] of wrong) {
      const written = await writeSnapshotFiles(git, name++, each)
      await assert.rejects(readAll(written), (error: Error) => {
        assert.ok(error instanceof UnusableSnapshotError, `${what}: ${error.stack}`)
        assert.match(error.message, reason, what)
        assert.ok(error.message.startsWith(`${written.ref}: `))
        return true
      })
    }
  })

  it('a ref that names no snapshot is refused with the reason', async (t) => {
    const { git, run, gitWith, path } = await setUp(t)
    const blob = gitWith('x', path, 'hash-object', '-w', '--stdin') as Oid
    const tree = run('rev-parse', 'main^{tree}') as Oid
    const commit = run('rev-parse', 'main') as Oid
    const cases: readonly (readonly [name: string, oid: Oid, fault: RegExp])[] = [
      ['1', blob, /is a blob, not a commit/],
      ['2', tree, /is a tree, not a commit/],
      ['3', commit, /it has no snapshot\.json/],
      ['4', 'd'.repeat(40) as Oid, /commit d+ is missing/],
      ['soon', commit, /its name is not a time/],
      ['007', commit, /its name is not a time/],
    ]
    for (const [name, oid, fault] of cases) {
      const ref = `refs/grite/snapshots/${name}` as RefName
      assert.match(String(await findSnapshotFault(git, { ref, oid })), fault)
    }
    const good = await writeSnapshotFiles(git, 5, files())
    assert.equal(await findSnapshotFault(git, good), null)
  })

  it('reading fails when an object of the snapshot is missing', async (t) => {
    const { git, path, run, readAll } = await setUp(t)
    const written = await writeSnapshotFiles(git, now, files())
    for (const piece of ['events/0000.bin', 'events', 'snapshot.json']) {
      const oid = run('rev-parse', `${written.oid}:${piece}`)
      rmSync(join(path, '.git/objects', oid.slice(0, 2), oid.slice(2)))
      await assert.rejects(readAll(written), /is missing/)
    }
  })

  it('a missing attachment is reported, and the rest is read', async (t) => {
    const { git, path, readAll } = await setUp(t)
    const written = await writeSnapshotFiles(
      git,
      now,
      extended({ attachment_count: 1 }, [[`attachments/${contentSha}`, content]]),
    )
    const [whole] = await readAll(written)
    assert.deepEqual([whole?.extras.size, whole?.problems], [1, []])
    const oid = whole?.extras.get(`attachments/${contentSha}`) as Oid
    rmSync(join(path, '.git/objects', oid.slice(0, 2), oid.slice(2)))
    const fresh = openRepository(git.layout, { environment: git.environment })
    t.after(() => fresh.close())
    const [besides] = await readAll(written)
    assert.equal(besides?.extras.size, 0)
    assert.deepEqual(
      besides?.problems.map(({ objectId, reason }) => [objectId, reason]),
      [[oid, `attachments/${contentSha} is missing`]],
    )
  })

  it('isSnapshotOf checks the snapshot’s head against the log', async (t) => {
    const { git } = await setUp(t)
    const old = await writeLog(git, [batchOf([creation(a)])])
    const made = await writeSnapshot({ git, head: old, nowUnixMs: now })
    const newer = await writeLog(git, [batchOf([comment(a, 'x')])])
    const later = await writeSnapshot({ git, head: newer, nowUnixMs: now })
    assert.equal(await isSnapshotOf(git, made, newer), true)
    assert.equal(await isSnapshotOf(git, made, old), true)
    assert.equal(await isSnapshotOf(git, later, old), false)
    assert.equal(await isSnapshotOf(git, await writeSnapshotFiles(git, 1, files()), newer), false)
  })
})
