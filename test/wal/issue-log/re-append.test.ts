import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it } from 'node:test'
import { type Oid, openRepository } from '../../../src/git/index.ts'
import { decodeChunk, limits } from '../../../src/model/index.ts'
import {
  batchesOfMissing,
  type IssueBatch,
  issueCodec,
  issueLog,
  publishBatch,
  recordIdsOf,
  walRef,
} from '../../../src/wal/index.ts'
import { createTempRepository } from '../../git/temp-repository.ts'
import { statedId, strangeRecord, withWrongId } from '../../support/damage.ts'
import {
  actors,
  batchOf,
  comment,
  creation,
  issueId,
  makeEvent,
  recordOf,
  segmentOf,
  segmentsOf,
} from '../../support/log.ts'

const now = 1_700_000_000_000
const a = issueId('a0')
const all = () => true

function oidOf(number: number): string {
  return number.toString(16).padStart(40, '0')
}

const idsOf = (batches: readonly IssueBatch[]) => batches.map(({ records }) => records.map(statedId))

describe('re-appending missing events', () => {
  it('missing events form one batch, oldest first, without repeats', () => {
    const events = [creation(a), comment(a, 'one'), comment(a, 'two')] as const
    const segments = [
      segmentOf(batchOf([events[0]]), oidOf(1)),
      segmentOf(batchOf([events[1], events[0]]), oidOf(2), [oidOf(1)]),
      segmentOf(batchOf([events[2]]), oidOf(3), [oidOf(2)]),
    ]
    assert.deepEqual(idsOf(batchesOfMissing(segments, all, now)), [events.map(({ eventId }) => eventId)])
    const [batch] = batchesOfMissing(segments, (id) => id !== events[0].eventId, now)
    assert.deepEqual(batch?.records.map(statedId), [events[1].eventId, events[2].eventId])
    assert.deepEqual(
      batchesOfMissing(segments, () => false, now),
      [],
    )
  })

  it('a re-append notes which commit each event came from, so that undo tells commands apart', () => {
    const [first, second, third] = [creation(a), comment(a, 'one'), comment(a, 'two')] as const
    const alone = segmentOf(batchOf([first]), oidOf(1))
    const pair = segmentOf(batchOf([second, third]), oidOf(2), [oidOf(1)])
    const [joined] = batchesOfMissing([alone, pair], all, now)
    assert.deepEqual(joined?.meta, {
      requests: [
        { key: null, events: [first.eventId] },
        { key: null, events: [second.eventId, third.eventId] },
      ],
    })
    assert.deepEqual(batchesOfMissing([pair], all, now)[0]?.meta, {})
  })

  it('a re-append keeps record bytes, signatures and unknown kinds', () => {
    const signed = { ...comment(a, 'signed'), sig: new Uint8Array([1, 2, 3]) }
    const records = [recordOf(creation(a)), recordOf(signed), strangeRecord(a, 15), strangeRecord(a, 3, ['x', 'y'])]
    const segment = segmentOf(
      batchOf([creation(a)], { records: [...records, withWrongId(recordOf(comment(a, 'x')))] }),
      oidOf(1),
    )
    assert.equal(segment.opaqueRecords.length, 2)
    assert.deepEqual(recordIdsOf(segment), records.map(statedId))
    const [batch] = batchesOfMissing([segment], all, now)
    assert.deepEqual(
      batch?.records.map((record) => Buffer.from(record)),
      records.map((record) => Buffer.from(record)),
    )
  })

  it('a re-appended batch has actor and day of its first event', () => {
    const first = makeEvent(a, { type: 'CommentAdded', body: 'x' }, { actor: actors[1], ts: 1_600_000_000_000 })
    const [batch] = batchesOfMissing([segmentOf(batchOf([first, creation(a)]), oidOf(1))], all, now)
    assert.equal(batch?.actor, actors[1])
    assert.equal(batch?.firstTsUnixMs, 1_600_000_000_000)
    for (const tsUnixMs of [5, 200, 60_000, 1_700_000_000_123]) {
      const record = strangeRecord(a, 15, ['x'], { actor: actors[1], tsUnixMs })
      const strange = segmentOf(batchOf([creation(a)], { records: [record] }), oidOf(2))
      const [carrying] = batchesOfMissing([strange], all, now)
      assert.equal(carrying?.actor, actors[1])
      assert.equal(carrying?.firstTsUnixMs, tsUnixMs)
    }
  })

  it('re-appended batches are filled to the event limit', () => {
    const records = Array.from({ length: 1500 }, (_, index) => strangeRecord(a, 15, [`${index}`]))
    const segments = [0, 1, 2, 3].map((number) =>
      segmentOf(
        batchOf([creation(a)], { records: records.slice(number * 375, (number + 1) * 375) }),
        oidOf(number + 1),
      ),
    )
    assert.deepEqual(
      batchesOfMissing(segments, all, now).map(({ records }) => records.length),
      [1500],
    )
    const many = [0, 1, 2].map((number) =>
      segmentOf(
        batchOf([creation(a)], {
          records: Array.from({ length: 2000 }, (_, index) => strangeRecord(a, 15, [`${number} ${index}`])),
        }),
        oidOf(number + 1),
      ),
    )
    assert.deepEqual(
      batchesOfMissing(many, all, now).map(({ records }) => records.length),
      [4000, 2000],
    )
    assert.ok(4000 <= limits.batchEventsMax)
  })

  it('re-appended batches are filled to the byte limit', () => {
    const big = (index: number) => comment(a, `${index}`.repeat(limits.bodyBytesMax))
    const segments = Array.from({ length: 10 }, (_, index) => segmentOf(batchOf([big(index)]), oidOf(index + 1)))
    const batches = batchesOfMissing(segments, all, now)
    assert.deepEqual(
      batches.map(({ records }) => records.length),
      [7, 3],
    )
    for (const { records } of batches) {
      assert.ok(records.reduce((sum, record) => sum + record.length, 0) <= limits.batchBytesMax)
    }
  })

  it('an oversized segment is split, and its files go with each part', () => {
    const records = Array.from({ length: limits.batchEventsMax + 10 }, (_, index) => strangeRecord(a, 15, [`${index}`]))
    const segment = segmentOf(
      batchOf([creation(a)], { records, extras: new Map([['ext/note', Buffer.from('n')]]), meta: { host: 'there' } }),
      oidOf(1),
    )
    const batches = batchesOfMissing([segment], all, now)
    assert.deepEqual(
      batches.map(({ records }) => records.length),
      [limits.batchEventsMax, 10],
    )
    for (const { extras, meta } of batches) {
      assert.deepEqual(
        [...(extras ?? [])].map(([path]) => path),
        ['ext/note'],
      )
      assert.deepEqual(meta?.carried, { host: 'there' })
    }
  })

  it('a re-append carries files, requests and unknown meta.json keys', () => {
    const content = Buffer.from('attached')
    const path = `attachments/${createHash('sha256').update(content).digest('hex')}`
    const first = segmentOf(
      batchOf([creation(a)], {
        extras: new Map([
          [path, content],
          ['ext/deep/note', Buffer.from('n')],
        ]),
        meta: { requests: ['r1', 'r2'], future: { deep: [1] }, carried: { older: true } },
      }),
      oidOf(1),
    )
    const second = segmentOf(batchOf([comment(a, 'x')], { meta: { requests: ['r3'], other: null } }), oidOf(2), [
      oidOf(1),
    ])
    const [batch, ...rest] = batchesOfMissing([first, second], all, now)
    assert.deepEqual(rest, [])
    assert.deepEqual([...(batch?.extras?.keys() ?? [])].sort(), [path, 'ext/deep/note'])
    assert.deepEqual(batch?.meta, {
      requests: ['r1', 'r2', 'r3'],
      carried: { older: true, future: { deep: [1] }, other: null },
    })
  })

  it('re-appended batches are filled to the file and file byte limits', () => {
    const files = (start: number, count: number, bytes: number) =>
      new Map(Array.from({ length: count }, (_, at) => [`ext/${start + at}`, Buffer.alloc(bytes)]))
    const split = (extras: readonly Map<string, Buffer>[]) =>
      batchesOfMissing(
        extras.map((each, at) => segmentOf(batchOf([comment(a, `${at}`)], { extras: each }), oidOf(at + 1))),
        all,
        now,
      ).map((batch) => batch.extras?.size)
    const { carriedFilesMax: most, carriedFilesBytesMax: bytes } = limits
    assert.deepEqual(split([files(0, most - 1, 1), files(most, 1, 1)]), [most])
    assert.deepEqual(split([files(0, most - 1, 1), files(most, 2, 1)]), [most - 1, 2])
    assert.deepEqual(split([files(0, 1, bytes / 2), files(1, 1, bytes / 2)]), [2])
    assert.deepEqual(split([files(0, 1, bytes / 2), files(1, 1, bytes / 2 + 1)]), [1, 1])
  })

  it('commits with conflicting keys or files get separate batches', () => {
    const one = segmentOf(batchOf([creation(a)], { meta: { merged: { fork: 'x' } } }), oidOf(1))
    const same = segmentOf(batchOf([comment(a, 'x')], { meta: { merged: { fork: 'x' } } }), oidOf(2), [oidOf(1)])
    const other = segmentOf(batchOf([comment(a, 'y')], { meta: { merged: { fork: 'y' } } }), oidOf(3), [oidOf(2)])
    const batches = batchesOfMissing([one, same, other], all, now)
    assert.deepEqual(
      batches.map(({ meta }) => meta?.carried),
      [{ merged: { fork: 'x' } }, { merged: { fork: 'y' } }],
    )
    const file = (text: string) => new Map([['ext/note', Buffer.from(text)]])
    const files = ['1', '2'].map((text, index) =>
      segmentOf(batchOf([comment(a, text)], { extras: file(text) }), oidOf(index + 1)),
    )
    assert.equal(batchesOfMissing(files, all, now).length, 2)
  })

  it('a re-append drops files that clash with its own', async (t) => {
    const { layout, environment, run } = await createTempRepository(t)
    const git = openRepository(layout, { environment })
    t.after(() => git.close())
    const blob = run('hash-object', '-w', 'README')
    const good = segmentOf(batchOf([creation(a)]), oidOf(1))
    const hostile = [
      'events',
      'events/2023',
      'meta.json/x',
      'x/../y',
      '.git/config',
      'a//b',
      'ext/a',
      'ext/a/b',
      'events/readme',
    ]
    const segment = { ...good, extras: new Map(hostile.map((path) => [path, blob as Oid])) }
    const [batch] = batchesOfMissing([segment], all, now)
    assert.deepEqual([...(batch?.extras?.keys() ?? [])], ['ext/a', 'events/readme'])
    await publishBatch({ git, stream: issueLog }, batch as IssueBatch, null)
    run('fsck', '--strict', '--no-dangling')
    assert.equal((await segmentsOf(git, (await git.readRef(walRef)) as Oid))[0]?.items.length, 1)
  })

  it('a re-appended batch decodes to the original events', () => {
    const events = [creation(a), comment(a, 'one')]
    const [batch] = batchesOfMissing([segmentOf(batchOf(events), oidOf(1))], all, now)
    const files = issueCodec.encode(batch as IssueBatch, []).files
    const chunk = [...files].find(([path]) => path.endsWith('.bin'))?.[1] as Uint8Array
    assert.deepEqual(
      decodeChunk(chunk).events.map(({ event }) => event),
      events,
    )
  })
})
