import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { type GitPort, type Oid, openRepository } from '../../../../src/git/index.ts'
import { type Event, encodeChunk, encodeRecords, hashChunk } from '../../../../src/model/index.ts'
import {
  checkSnapshot,
  openSnapshot,
  type SnapshotCheck,
  type SnapshotRef,
  writeSnapshot,
} from '../../../../src/wal/index.ts'
import { createTempRepository, type RepositoryKind } from '../../../git/temp-repository.ts'
import { strangeRecord, withWrongId } from '../../../support/damage.ts'
import { batchOf, comment, creation, filesOf, issueId, makeEvent, recordOf, writeCommit } from '../../../support/log.ts'
import { content, contentSha, strangeLog, writeLog, writeSnapshotFiles } from '../../../support/snapshots.ts'

const a = issueId('a0')
let lastTs = 1000

async function setUp(t: TestContext, kind: RepositoryKind = 'plain') {
  const repository = await createTempRepository(t, kind)
  const git = openRepository(repository.layout, { environment: repository.environment })
  t.after(() => git.close())
  return { ...repository, git }
}

const check = async (git: GitPort, row: SnapshotRef): Promise<SnapshotCheck> =>
  checkSnapshot({ git, snapshot: await openSnapshot(git, row) })

/** A snapshot of these records in the layout of the Rust tool, with a report when there are orphans or attachments. */
function snapshotOf(
  git: GitPort,
  walHead: Oid,
  records: readonly Uint8Array[],
  more: {
    readonly orphans?: readonly Uint8Array[]
    readonly attachments?: readonly (readonly [string, string])[]
  } = {},
) {
  const { orphans = [], attachments = [] } = more
  const chunks = []
  const files = new Map<string, Uint8Array | Oid>()
  for (let start = 0; start < records.length; start += 2) {
    const part = records.slice(start, start + 2)
    const path: string = `events/${String(chunks.length).padStart(4, '0')}.bin`
    const bytes = encodeChunk(part)
    chunks.push({ path, chunk_hash: hashChunk(bytes), event_count: part.length })
    files.set(path, bytes)
  }
  const createdTs = lastTs++
  const facts = { schema_version: 1, created_ts: createdTs, wal_head: walHead, event_count: records.length, chunks }
  files.set('snapshot.json', Buffer.from(JSON.stringify(facts)))
  if (orphans.length > 0) files.set('ext/orphans.cbor', encodeRecords(orphans))
  for (const [sha, bytes] of attachments) files.set(`attachments/${sha}`, Buffer.from(bytes))
  if (orphans.length + attachments.length > 0) {
    const counts = { orphan_count: orphans.length, attachment_count: attachments.length, problem_count: 0 }
    const report = { schema_version: 1, ...counts, has_repeats: false, problems: [] }
    files.set('ext/report.json', Buffer.from(JSON.stringify(report)))
  }
  return writeSnapshotFiles(git, createdTs, files)
}

const sound = (hasRepeats = false, isReportTrue = true): SnapshotCheck => ({
  outcome: 'sound',
  hasRepeats,
  isReportTrue,
})
const differs = (missing: number, added: number): SnapshotCheck => ({ outcome: 'differs', missing, added })

const events = [creation(a), comment(a, 'one'), comment(a, 'two'), comment(a, 'three')] as const
const [first, second, third, fourth] = events
const records = events.map(recordOf)

describe('checking a snapshot against the log', { concurrency: 3 }, () => {
  for (const kind of ['plain', 'sha256', 'packed'] as const) {
    it(`a snapshot of a strange log is sound in a ${kind} repository`, async (t) => {
      const { git } = await setUp(t, kind)
      const head = await writeLog(git, strangeLog().batches)
      assert.deepEqual(
        await check(git, { ...(await writeSnapshot({ git, head, nowUnixMs: 1 })), timestamp: 1 }),
        sound(true),
      )
    })
  }

  it('reversed chunks and copies of the Rust tool are sound', async (t) => {
    const { git } = await setUp(t)
    const head = await writeLog(git, [batchOf([first]), batchOf([second, third]), batchOf([fourth])])
    assert.deepEqual(await check(git, await snapshotOf(git, head, [...records].reverse())), sound())
    assert.deepEqual(await check(git, await snapshotOf(git, head, [...records, ...records.slice(1)])), sound())
  })

  it('a snapshot of an older head is sound', async (t) => {
    const { git } = await setUp(t)
    const head = await writeLog(git, [batchOf([first, second])])
    await writeLog(git, [batchOf([third])])
    assert.deepEqual(await check(git, await snapshotOf(git, head, records.slice(0, 2))), sound())
    assert.deepEqual(await check(git, await snapshotOf(git, head, records.slice(0, 3))), differs(0, 1))
  })

  it('a check counts missing and added records', async (t) => {
    const { git } = await setUp(t)
    const head = await writeLog(git, [batchOf([first]), batchOf([second, third]), batchOf([fourth])])
    const forged = comment(a, 'forged')
    const signed: Event = { ...second, sig: new Uint8Array(64) }
    for (const [wrong, missing, added] of [
      [records.slice(1), 1, 0],
      [[records[0], records[3]], 2, 0],
      [[], 4, 0],
      [[...records, recordOf(forged)], 0, 1],
      [[...records.slice(0, 3), recordOf(forged)], 1, 1],
      // A different signature makes a different record: it decides how a reader judges the event.
      [[records[0], recordOf(signed), records[2], records[3]], 1, 1],
    ] as const) {
      assert.deepEqual(await check(git, await snapshotOf(git, head, wrong as Uint8Array[])), differs(missing, added))
    }
  })

  it('a check compares orphans and attachment contents', async (t) => {
    const { git } = await setUp(t)
    const attached = makeEvent(a, { type: 'AttachmentAdded', name: 'x', sha256: contentSha, mime: 'text/plain' })
    const odd = strangeRecord(a, 15)
    const head = await writeLog(git, [
      batchOf([first, attached], { extras: new Map([[`attachments/${contentSha}`, content]]) }),
      batchOf([second], { records: [recordOf(second), odd] }),
    ])
    const all = [first, attached, second].map(recordOf)
    const attachments = [[contentSha, content.toString()]] as const
    const cases: readonly (readonly [Promise<SnapshotRef>, SnapshotCheck])[] = [
      [snapshotOf(git, head, all, { orphans: [odd], attachments }), sound()],
      [snapshotOf(git, head, all, { attachments }), differs(1, 0)],
      [snapshotOf(git, head, all, { orphans: [odd] }), differs(1, 0)],
      [snapshotOf(git, head, all, { orphans: [odd, strangeRecord(a, 16)], attachments }), differs(0, 1)],
      [
        snapshotOf(git, head, all, { orphans: [odd], attachments: [...attachments, ['0'.repeat(64), 'x']] }),
        differs(0, 1),
      ],
    ]
    for (const [row, expected] of cases) assert.deepEqual(await check(git, await row), expected)
  })

  it('a log record counts only when its id is true', async (t) => {
    const { git } = await setUp(t)
    const forged = comment(a, 'forged')
    const bad = withWrongId(recordOf(forged))
    const head = await writeLog(git, [batchOf([first]), batchOf([forged], { records: [bad] })])
    assert.deepEqual(await check(git, await snapshotOf(git, head, records.slice(0, 1))), sound())
    assert.deepEqual(
      await check(git, await snapshotOf(git, head, [records[0] as Uint8Array, recordOf(forged)])),
      differs(0, 1),
    )
  })

  it('a check reads chunks at any path and both merge sides', async (t) => {
    const { git } = await setUp(t)
    const root = await writeLog(git, [batchOf([first])])
    const left = await writeCommit(git, filesOf(batchOf([second]), root), [root])
    const files = filesOf(batchOf([third]), root)
    files.set('ext/copy.bin', encodeChunk([records[3] as Uint8Array]))
    files.set('ext/note.txt', Buffer.from('x'))
    const right = await writeCommit(git, files, [root])
    const head = await writeCommit(git, filesOf(batchOf([fourth]), left), [left, right])
    assert.deepEqual(await check(git, await snapshotOf(git, head, records)), sound(true))
    assert.deepEqual(await check(git, await snapshotOf(git, head, records.slice(0, 2))), differs(2, 0))
  })

  it('a check finds events in files not named as chunks', async (t) => {
    const { git } = await setUp(t)
    const hidden = encodeChunk([records[1] as Uint8Array])
    const root = await writeLog(git, [batchOf([first])])
    const middle = await writeCommit(git, filesOf(batchOf([second]), root), [root])
    const files = filesOf(batchOf([third]), middle)
    files.set('a.txt', hidden)
    const head = await writeCommit(git, files, [middle])
    assert.deepEqual(
      await check(git, await snapshotOf(git, head, [records[0], records[2]] as Uint8Array[])),
      differs(1, 0),
    )
  })

  it('a check reports unknown when part of the log is missing', async (t) => {
    const { git, path, run, environment, layout } = await setUp(t)
    const head = await writeLog(git, [batchOf([first]), batchOf([second, third]), batchOf([fourth])])
    const row = await snapshotOf(git, head, records)
    const reopened = async () => {
      const fresh = openRepository(layout, { environment })
      t.after(() => fresh.close())
      return check(fresh, row)
    }
    const remove = (oid: string) => rmSync(join(path, '.git/objects', oid.slice(0, 2), oid.slice(2)))
    const chunkOf = (commit: string) => run('ls-tree', '-r', commit).split('\n')[0]?.split(/\s/)[2] as string
    // A chunk of one record is known by its id.
    remove(chunkOf(head))
    assert.deepEqual(await reopened(), sound())
    writeFileSync(join(path, '.git/shallow'), `${run('rev-parse', `${head}~1`)}\n`)
    assert.deepEqual(await reopened(), { outcome: 'unknown', reason: 'the clone is shallow' })
    rmSync(join(path, '.git/shallow'))
    const lost = chunkOf(`${head}~1`)
    remove(lost)
    const unknown = await reopened()
    assert.ok(unknown.outcome === 'unknown')
    assert.match(unknown.reason, new RegExp(`object ${lost} in commit \\w+ is missing here`))
    remove(run('rev-parse', `${head}~2`))
    assert.equal((await reopened()).outcome, 'unknown')
  })

  it('a check refuses a snapshot without its chunks', async (t) => {
    const { git } = await setUp(t)
    const head = await writeLog(git, [batchOf([first])])
    const row = await snapshotOf(git, head, records.slice(0, 1))
    const snapshot = await openSnapshot(git, row)
    const chunks = snapshot.chunks.map((chunk) => ({ ...chunk, path: 'events/gone.bin' }))
    await assert.rejects(checkSnapshot({ git, snapshot: { ...snapshot, chunks } }), /events\/gone\.bin is missing/)
  })
})
