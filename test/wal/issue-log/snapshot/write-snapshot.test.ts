/** The bytes of snapshots, checked with git and an independent decoder. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { blake2b } from '@noble/hashes/blake2.js'
import { type Oid, openRepository } from '../../../../src/git/index.ts'
import {
  type ActorId,
  CorruptObjectError,
  decodeRecords,
  encodeChunk,
  encodeRecords,
  formatHex,
  IncompleteLogError,
  type IssueId,
  identifyEvent,
  limits,
} from '../../../../src/model/index.ts'
import { writeSnapshot } from '../../../../src/wal/index.ts'
import { createTempRepository } from '../../../git/temp-repository.ts'
import { withWrongId } from '../../../support/damage.ts'
import { batchOf, comment, creation, issueId, recordOf } from '../../../support/log.ts'
import { content, contentSha, strangeLog, writeLog } from '../../../support/snapshots.ts'

const now = 1_700_000_000_123
const a = issueId('a0')

async function setUp(t: TestContext) {
  const repository = await createTempRepository(t)
  const git = openRepository(repository.layout, { environment: repository.environment })
  t.after(() => git.close())
  const { run, path, environment } = repository
  const bytesOf = (spec: string) =>
    execFileSync('git', ['cat-file', 'blob', spec], { cwd: path, env: environment, maxBuffer: 1 << 28 })
  return { git, run, path, bytesOf, filesOf: (oid: string) => run('ls-tree', '-r', '--name-only', oid).split('\n') }
}

/** Event ids of a chunk: the first element of each record, found by walking the CBOR. */
function idsOfChunk(bytes: Buffer): string[] {
  assert.equal(bytes.subarray(0, 18).toString('latin1'), 'GRITECNK\u0001\u0000\u0007cbor-v1')
  return idsOfArray(bytes.subarray(18))
}

function idsOfArray(bytes: Buffer): string[] {
  const array = headAt(bytes, 0)
  assert.equal(array.major, 4)
  const ids: string[] = []
  let position = array.end
  for (let index = 0; index < array.argument; index++) {
    assert.equal(bytes.toString('hex', position, position + 3), '885820')
    ids.push(bytes.toString('hex', position + 3, position + 35))
    position = endOf(bytes, position)
  }
  assert.equal(position, bytes.length)
  return ids
}

function endOf(bytes: Buffer, start: number): number {
  const { major, argument, end } = headAt(bytes, start)
  if (major === 2 || major === 3) return end + argument
  let position = end
  if (major === 4) for (let index = 0; index < argument; index++) position = endOf(bytes, position)
  return position
}

function headAt(bytes: Buffer, start: number) {
  const initial = bytes[start] as number
  const [major, info] = [initial >> 5, initial & 31]
  if (info < 24 || major === 7) return { major, argument: info, end: start + 1 }
  const width = 1 << (info - 24)
  const argument = Number(`0x${bytes.toString('hex', start + 1, start + 1 + width)}`)
  return { major, argument, end: start + 1 + width }
}

const hashOf = (bytes: Buffer) => formatHex(blake2b(bytes, { dkLen: 32 }))

describe('writing a snapshot', { concurrency: 2 }, () => {
  it('a snapshot is a commit with the bytes of the Rust tool', async (t) => {
    const { git, run, bytesOf, filesOf } = await setUp(t)
    const events = [creation(a), comment(a, 'one'), comment(a, 'two')]
    const head = await writeLog(git, [batchOf(events.slice(0, 2)), batchOf(events.slice(2))])
    const written = await writeSnapshot({ git, head, nowUnixMs: now })

    assert.equal(run('rev-parse', `refs/grite/snapshots/${now}`), written.oid)
    const commit = execFileSync('git', ['cat-file', 'commit', written.oid], {
      cwd: git.layout.gitDir,
      encoding: 'utf8',
    })
    const [tree, author, committer, blank, ...message] = commit.split('\n')
    assert.match(String(tree), /^tree [0-9a-f]{40}$/)
    assert.match(String(author), /^author grite <grit@local> 1700000000 [+-]\d{4}$/)
    assert.equal(String(committer), String(author).replace('author', 'committer'))
    assert.deepEqual([blank, message], ['', [`Snapshot: 3 events at ${now}`]])

    assert.deepEqual(filesOf(written.oid), ['events/0000.bin', 'snapshot.json'])
    const chunk = bytesOf(`${written.oid}:events/0000.bin`)
    assert.deepEqual(
      idsOfChunk(chunk),
      events.map(({ eventId }) => eventId),
    )
    const json = `{
  "schema_version": 1,
  "created_ts": ${now},
  "wal_head": "${head}",
  "event_count": 3,
  "chunks": [
    {
      "path": "events/0000.bin",
      "chunk_hash": "${hashOf(chunk)}",
      "event_count": 3
    }
  ]
}`
    assert.equal(bytesOf(`${written.oid}:snapshot.json`).toString('utf8'), json)
    run('fsck', '--strict', '--no-dangling')
  })

  it('a snapshot chunk holds up to a thousand events, fewer large ones', async (t) => {
    const { git, bytesOf } = await setUp(t)
    const small = [creation(a), ...Array.from({ length: 2099 }, (_, index) => comment(a, `${index}`))]
    const large = Array.from({ length: 6 }, (_, index) => comment(a, `${index}`.repeat(900_000)))
    const head = await writeLog(git, [batchOf(small.slice(0, 1500)), batchOf(small.slice(1500)), batchOf(large)])
    const { oid, chunks, eventCount } = await writeSnapshot({ git, head, nowUnixMs: now })
    assert.deepEqual(
      chunks.map(({ path, eventCount: count }) => [path, count]),
      [
        ['events/0000.bin', 1000],
        ['events/0001.bin', 1000],
        ['events/0002.bin', 104],
        ['events/0003.bin', 2],
      ],
    )
    for (const { path } of chunks) assert.ok(bytesOf(`${oid}:${path}`).length < limits.segmentBytesMax)
    assert.equal(eventCount, 2106)
    const ids = chunks.flatMap(({ path }) => idsOfChunk(bytesOf(`${oid}:${path}`)))
    assert.deepEqual(
      ids,
      [...small, ...large].map(({ eventId }) => eventId),
    )
  })

  it('a snapshot keeps orphans, attachments and its report in extensions', async (t) => {
    const { git, bytesOf, filesOf } = await setUp(t)
    const { batches, events, orphans } = strangeLog()
    const head = await writeLog(git, batches)
    const { oid, report } = await writeSnapshot({ git, head, nowUnixMs: now })
    assert.deepEqual(filesOf(oid), [
      `attachments/${contentSha}`,
      'events/0000.bin',
      'ext/orphans.cbor',
      'ext/report.json',
      'snapshot.json',
    ])
    assert.deepEqual(
      idsOfChunk(bytesOf(`${oid}:events/0000.bin`)),
      events.map(({ eventId }) => eventId),
    )
    const kept = bytesOf(`${oid}:ext/orphans.cbor`)
    assert.deepEqual(kept, Buffer.concat([Buffer.from([0x80 | orphans.length]), ...orphans]))
    assert.deepEqual(bytesOf(`${oid}:attachments/${contentSha}`), content)
    const { problems, ...counts } = JSON.parse(bytesOf(`${oid}:ext/report.json`).toString('utf8'))
    assert.deepEqual(counts, {
      schema_version: 1,
      orphan_count: 5,
      attachment_count: 1,
      has_repeats: true,
      problem_count: 3,
    })
    assert.deepEqual(
      problems.map(({ commit, severity, reason }: Record<string, string>) => [commit, severity, reason]),
      [
        [head, 'damaged', 'unknown kind tag 15'],
        [head, 'damaged', 'unknown kind tag 15'],
        [head, 'damaged', 'event_id does not match its content'],
      ],
    )
    assert.equal(report.problemCount, 3)
  })

  it('the orphans file matches the example in docs/format.md', () => {
    const page = readFileSync(new URL('../../../../docs/format.md', import.meta.url), 'utf8')
    const shown = /that was never created:\n\n```text\n([0-9a-f\n]+)```/.exec(page)?.[1]
    const event = identifyEvent({
      issueId: '000102030405060708090a0b0c0d0e0f' as IssueId,
      actor: '101112131415161718191a1b1c1d1e1f' as ActorId,
      tsUnixMs: 1_700_000_000_000,
      parent: null,
      body: { type: 'LabelAdded', label: 'late' },
    })
    assert.equal(formatHex(encodeRecords([recordOf(event)])), shown?.replaceAll('\n', ''))
    assert.deepEqual(decodeRecords(encodeRecords([recordOf(event)])).events[0]?.event, event)
    assert.deepEqual(encodeChunk([recordOf(event)]).subarray(18), encodeRecords([recordOf(event)]))
  })

  it('a snapshot takes the next free millisecond as its name', async (t) => {
    const { git, run, bytesOf } = await setUp(t)
    const head = await writeLog(git, [batchOf([creation(a)])])
    const refs = []
    for (let turn = 0; turn < 3; turn++) refs.push((await writeSnapshot({ git, head, nowUnixMs: now })).ref)
    assert.deepEqual(
      refs,
      [now, now + 1, now + 2].map((ms) => `refs/grite/snapshots/${ms}`),
    )
    const { created_ts } = JSON.parse(bytesOf(`${refs[2]}:snapshot.json`).toString('utf8'))
    assert.equal(created_ts, now + 2)
    assert.equal(run('log', '-1', '--format=%B', refs[2] as string).trim(), `Snapshot: 1 events at ${now + 2}`)
  })

  it('no snapshot is written of a log with missing objects', async (t) => {
    const { git, path, run } = await setUp(t)
    const { batches } = strangeLog()
    const head = await writeLog(git, batches)
    await writeSnapshot({ git, head, nowUnixMs: now })
    const pieces = [
      run('rev-parse', `${head}~2:attachments/${contentSha}`),
      run('rev-parse', `${head}~1^{tree}`),
      run('rev-parse', `${head}~3`),
    ]
    for (const piece of pieces) {
      const file = join(path, '.git/objects', piece.slice(0, 2), piece.slice(2))
      const bytes = readFileSync(file)
      rmSync(file)
      const fresh = openRepository(git.layout, { environment: git.environment })
      await assert.rejects(writeSnapshot({ git: fresh, head, nowUnixMs: now + 9 }), IncompleteLogError)
      await fresh.close()
      writeFileSync(file, bytes)
    }
    const tree = run('rev-parse', `${head}^{tree}`) as Oid
    await assert.rejects(writeSnapshot({ git, head: tree, nowUnixMs: now + 9 }), CorruptObjectError)
    const nowhere = 'd'.repeat(40) as Oid
    await assert.rejects(writeSnapshot({ git, head: nowhere, nowUnixMs: now + 9 }), IncompleteLogError)
    assert.equal((await git.listRefs('refs/grite/snapshots/')).length, 1)
    await writeSnapshot({ git, head, nowUnixMs: now + 9 })
  })

  it('a snapshot is written of a log with damaged records', async (t) => {
    const { git } = await setUp(t)
    const head = await writeLog(git, [
      batchOf([creation(a)]),
      batchOf([comment(a, 'x')], { records: [withWrongId(recordOf(comment(a, 'x')))] }),
    ])
    const { eventCount, report } = await writeSnapshot({ git, head, nowUnixMs: now })
    assert.deepEqual([eventCount, report.problemCount, report.hasRepeats], [1, 1, false])
  })
})
