/** Compares the check of a snapshot with a comparison of record sets, for any log and snapshot. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type GitPort, type Oid, openRepository } from '../../src/git/index.ts'
import {
  type Event,
  encodeChunk,
  encodeRecords,
  hashChunk,
  type IssueId,
  identifyEvent,
} from '../../src/model/index.ts'
import { checkSnapshot, openSnapshot, readLog, writeSnapshot } from '../../src/wal/index.ts'
import { issueLog } from '../../src/wal/issue-log/issue-log.ts'
import { createTempRepository } from '../git/temp-repository.ts'
import { issueEvent } from '../model/arbitraries.ts'
import { strangeRecord, withWrongId } from '../support/damage.ts'
import { batchOf, issueId, recordOf } from '../support/log.ts'
import { writeLog, writeSnapshotFiles } from '../support/snapshots.ts'

const issues = [issueId('a0'), issueId('b0')] as IssueId[]
const event = fc
  .tuple(issueEvent, fc.constantFrom(...issues), fc.option(fc.constantFrom(1, 9)))
  .map(([{ eventId: _id, sig: _sig, ...facts }, issue, sig]): Event => {
    const made = identifyEvent({ ...facts, issueId: issue })
    return sig === null ? made : { ...made, sig: new Uint8Array([sig]) }
  })
const commit = fc.record({
  events: fc.array(event, { minLength: 1, maxLength: 4 }),
  more: fc.constantFrom('nothing', 'nothing', 'a damaged record', 'an unknown kind', 'the events again'),
})
const scenario = fc.record({
  commits: fc.array(commit, { minLength: 1, maxLength: 6 }),
  /** Positions of the log's records that the snapshot omits. */
  leftOut: fc.array(fc.nat(40), { maxLength: 2 }),
  added: fc.array(event, { maxLength: 2 }),
})

test('checkSnapshot reports exactly the missing and added records', async (t) => {
  const seed = Number(process.env.FC_SEED ?? Date.now() % 0x7fff_ffff)
  t.diagnostic(`seed ${seed}`)
  const { layout, environment, run } = await createTempRepository(t)
  let createdTs = 1
  await fc.assert(
    fc.asyncProperty(scenario, async ({ commits, leftOut, added }) => {
      for (const ref of run('for-each-ref', '--format=%(refname)', 'refs/grite').split('\n').filter(Boolean)) {
        run('update-ref', '-d', ref)
      }
      const git = openRepository(layout, { environment })
      try {
        const batches = commits.map(({ events, more }) => {
          const records = events.map(recordOf)
          if (more === 'a damaged record') records.push(withWrongId(records[0] as Uint8Array))
          if (more === 'an unknown kind') records.push(strangeRecord(issues[0] as IssueId, 15))
          if (more === 'the events again') records.push(...records)
          return batchOf(events, { records })
        })
        const head = await writeLog(git, batches)
        const check = async (ref: Parameters<typeof openSnapshot>[1]) =>
          checkSnapshot({ git, snapshot: await openSnapshot(git, ref) })
        const own = await writeSnapshot({ git, head, nowUnixMs: createdTs++ })
        assert.equal((await check({ ...own, timestamp: own.createdTs })).outcome, 'sound')

        const inLog = await recordsOf(git, head)
        const kept = [...inLog.values()].filter((_record, index) => !leftOut.includes(index))
        const all = new Map([...kept, ...added.map(recordOf)].map((record) => [hexOf(record), record]))
        const outcome = await check(await writeRecords(git, head, [...all.values()], createdTs++))
        const missing = [...inLog.keys()].filter((key) => !all.has(key)).length
        const extra = [...all.keys()].filter((key) => !inLog.has(key)).length
        if (missing + extra === 0) assert.equal(outcome.outcome, 'sound')
        else assert.deepEqual(outcome, { outcome: 'differs', missing, added: extra })
      } finally {
        await git.close()
      }
    }),
    { numRuns: 60, seed },
  )
})

const hexOf = (record: Uint8Array): string => Buffer.from(record).toString('hex')

/** Returns the records of a log that verify, each once. */
async function recordsOf(git: GitPort, head: Oid): Promise<Map<string, Uint8Array>> {
  const records = new Map<string, Uint8Array>()
  for await (const segments of readLog(git, issueLog, { head })) {
    for (const { items, opaqueRecords } of segments) {
      for (const record of [...items.map((item) => item.record), ...opaqueRecords]) {
        records.set(hexOf(record), Uint8Array.from(record))
      }
    }
  }
  return records
}

/** Writes a snapshot with any records, half of them as orphans. */
function writeRecords(git: GitPort, head: Oid, records: readonly Uint8Array[], createdTs: number) {
  const half = records.slice(0, records.length >> 1)
  const chunk = half.length === 0 ? null : encodeChunk(half)
  const chunks =
    chunk === null ? [] : [{ path: 'events/0000.bin', chunk_hash: hashChunk(chunk), event_count: half.length }]
  const facts = { schema_version: 1, created_ts: createdTs, wal_head: head, event_count: half.length, chunks }
  const orphans = records.slice(half.length)
  const counts = { orphan_count: orphans.length, attachment_count: 0, problem_count: 0, has_repeats: false }
  const files = new Map<string, Uint8Array>([
    ['snapshot.json', Buffer.from(JSON.stringify(facts))],
    ['ext/report.json', Buffer.from(JSON.stringify({ schema_version: 1, ...counts, problems: [] }))],
    ['ext/orphans.cbor', encodeRecords(orphans)],
  ])
  if (chunk !== null) files.set('events/0000.bin', chunk)
  return writeSnapshotFiles(git, createdTs, files)
}
