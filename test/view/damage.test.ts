import assert from 'node:assert/strict'
import { chmodSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { encodeObject, type GitPort, type Oid } from '../../src/git/index.ts'
import { hashChunk } from '../../src/model/index.ts'
import type { IssueRow } from '../../src/view/index.ts'
import { walRef } from '../../src/wal/index.ts'
import { createCommandSandbox } from '../support/command-runner.ts'
import { statedId, strangeRecord, withWrongId } from '../support/damage.ts'
import { batchOf, comment, creation, filesOf, issueId, recordOf, writeBatch, writeCommit } from '../support/log.ts'

type Files = Map<string, Uint8Array | Oid>

interface Written {
  readonly head: Oid
  /** The object or event that must be named, where known in advance. */
  readonly named?: string
}

interface Damage {
  readonly title: string
  /** Writes a damaged commit on a parent. Its batch creates the issues d0 and d1, with these titles. */
  readonly write: (git: GitPort, parent: Oid) => Promise<Written>
  readonly reason: RegExp
  readonly severity?: 'damaged' | 'suspicious'
  /** Which of d0 and d1 stay visible. */
  readonly visible: readonly string[]
}

const [d0, d1] = [issueId('d0'), issueId('d1')]
const events = [creation(d0, 'd0'), creation(d1, 'd1')] as const
const records = events.map(recordOf)
const batch = batchOf(events)

const chunkPathOf = (files: Files) => [...files.keys()].find((path) => path.endsWith('.bin')) as string

/** Writes the batch with changed files; the chunk keeps its name unless the change renames it. */
async function writeChanged(git: GitPort, parent: Oid, change: (files: Files) => void): Promise<Oid> {
  const files = filesOf(batch, parent)
  change(files)
  return writeCommit(git, files, [parent])
}

/** Replaces the batch's chunk by another, named by its hash. */
function replaceChunk(files: Files, change: (bytes: Buffer) => Uint8Array): Buffer {
  const path = chunkPathOf(files)
  const bytes = Buffer.from(change(Buffer.from(files.get(path) as Uint8Array)))
  files.delete(path)
  files.set(`events/2023/11/14/${hashChunk(bytes)}.bin`, bytes)
  const meta = JSON.parse(Buffer.from(files.get('meta.json') as Uint8Array).toString())
  files.set('meta.json', Buffer.from(JSON.stringify({ ...meta, chunk_hash: hashChunk(bytes) })))
  return bytes
}

const blobOid = (bytes: Uint8Array): string => encodeObject('sha1', 'blob', bytes).oid

function withRecords(...list: readonly Uint8Array[]) {
  return async (git: GitPort, parent: Oid) => writeBatch(git, { ...batch, records: list }, parent)
}

function changedChunk(change: (bytes: Buffer) => Uint8Array): Damage['write'] {
  return async (git, parent) => {
    let named = ''
    const head = await writeChanged(git, parent, (files) => {
      named = blobOid(replaceChunk(files, change))
    })
    return { head, named }
  }
}

const damages: readonly Damage[] = [
  {
    title: 'a chunk with a wrong header',
    write: changedChunk((bytes) => Buffer.concat([Buffer.from('GRITEXNK'), bytes.subarray(8)])),
    reason: /header differs at byte 5/,
    visible: [],
  },
  {
    title: 'a chunk that ends early',
    write: changedChunk((bytes) => bytes.subarray(0, bytes.length - 5)),
    reason: /ends/,
    visible: ['d0'],
  },
  {
    title: 'a chunk with a wrong hash in its name',
    write: async (git, parent) => ({
      head: await writeChanged(git, parent, (files) => {
        const path = chunkPathOf(files)
        const bytes = files.get(path) as Uint8Array
        files.delete(path)
        files.set(`events/2023/11/14/${'0'.repeat(64)}.bin`, bytes)
      }),
      named: blobOid(filesOf(batch, null).get(chunkPathOf(filesOf(batch, null))) as Uint8Array),
    }),
    reason: /has the hash/,
    severity: 'suspicious',
    visible: ['d0', 'd1'],
  },
  {
    title: 'a chunk with a flipped byte in the second title',
    write: async (git, parent) => {
      const flip = changedChunk((bytes) => {
        bytes[bytes.lastIndexOf('d1')] = 0x58
        return bytes
      })
      return { ...(await flip(git, parent)), named: events[1].eventId }
    },
    reason: /event_id does not match/,
    visible: ['d0'],
  },
  {
    title: 'a record of an unknown kind',
    write: async (git, parent) => {
      const strange = strangeRecord(d0, 15)
      return { head: await withRecords(...records, strange)(git, parent), named: statedId(strange) }
    },
    reason: /unknown kind tag 15/,
    visible: ['d0', 'd1'],
  },
  {
    title: 'a record with one element too many in its payload',
    write: async (git, parent) => {
      const strange = strangeRecord(d0, 3, ['body', 'more'])
      return {
        head: await withRecords(records[0] as Uint8Array, strange, records[1] as Uint8Array)(git, parent),
        named: statedId(strange),
      }
    },
    reason: /CommentAdded payload is not an array of 1/,
    visible: ['d0', 'd1'],
  },
  {
    title: 'a record of the wrong array length',
    write: async (git, parent) => ({
      head: await withRecords(Buffer.from([0x82, 0x01, 0x02]), ...records)(git, parent),
    }),
    reason: /not an array of 8/,
    visible: ['d0', 'd1'],
  },
  {
    title: 'a record with a wrong id',
    write: async (git, parent) => {
      const wrong = withWrongId(recordOf(comment(d0, 'wrong')))
      return {
        head: await withRecords(records[0] as Uint8Array, wrong, records[1] as Uint8Array)(git, parent),
        named: statedId(wrong),
      }
    },
    reason: /event_id does not match/,
    visible: ['d0', 'd1'],
  },
  {
    title: 'a missing meta.json',
    write: async (git, parent) => ({
      head: await writeChanged(git, parent, (files) => void files.delete('meta.json')),
    }),
    reason: /meta\.json is missing/,
    severity: 'suspicious',
    visible: ['d0', 'd1'],
  },
  ...['{', 'null', '[1]', '"x"', ''].map(
    (text): Damage => ({
      title: `a meta.json of ${JSON.stringify(text)}`,
      write: async (git, parent) => ({
        head: await writeChanged(git, parent, (files) => void files.set('meta.json', Buffer.from(text))),
        named: blobOid(Buffer.from(text)),
      }),
      reason: /meta\.json/,
      severity: 'suspicious',
      visible: ['d0', 'd1'],
    }),
  ),
  {
    title: 'a meta.json that lies about prev_wal',
    write: async (git, parent) => ({
      head: await writeChanged(git, parent, (files) => {
        const meta = JSON.parse(Buffer.from(files.get('meta.json') as Uint8Array).toString())
        files.set('meta.json', Buffer.from(JSON.stringify({ ...meta, prev_wal: 'b'.repeat(40) })))
      }),
    }),
    reason: /prev_wal/,
    severity: 'suspicious',
    visible: ['d0', 'd1'],
  },
  {
    title: 'an attachment with a wrong hash in its name',
    write: async (git, parent) => ({
      head: await writeChanged(
        git,
        parent,
        (files) => void files.set(`attachments/${'0'.repeat(64)}`, Buffer.from('lie')),
      ),
      named: blobOid(Buffer.from('lie')),
    }),
    reason: /has the SHA-256/,
    visible: ['d0', 'd1'],
  },
  {
    title: 'a chunk of 65 MiB',
    write: async (git, parent) => {
      const bytes = Buffer.alloc(65 * 1024 * 1024)
      return {
        head: await writeChanged(
          git,
          parent,
          (files) => void files.set(`events/2023/11/15/${'1'.repeat(64)}.bin`, bytes),
        ),
        named: blobOid(bytes),
      }
    },
    reason: /too-large/,
    visible: ['d0', 'd1'],
  },
]

interface CheckError {
  readonly event_id: string | null
  readonly object_id: string | null
  readonly commit: string
  readonly severity: string
  readonly error: string
}

interface CheckData {
  readonly errors: readonly CheckError[]
  readonly error_count: number
  readonly corrupt_count: number
  readonly events_valid: number
}

function setUp(t: TestContext) {
  const sandbox = createCommandSandbox(t)
  const { run, warnings } = sandbox
  return {
    ...sandbox,
    titles: async () => ((await run('issue list')) as { issues: IssueRow[] }).issues.map(({ title }) => title).sort(),
    takeWarnings: () => warnings.splice(0),
    check: async () => (await run('db check')) as CheckData,
    eventCount: async () => ((await run('db stats')) as { event_count: number }).event_count,
  }
}

describe('damaged logs', { concurrency: 2 }, () => {
  for (const { title, write, reason, severity = 'damaged', visible } of damages) {
    it(`${title} hides no sound event and is reported once`, async (t) => {
      const log = setUp(t)
      const before = (await log.run('issue create', { title: 'before' })) as { wal_head: Oid }
      const written = await log.withRepository(({ git }) => write(git, before.wal_head))
      log.git(log.path, 'update-ref', walRef, written.head)
      await log.run('issue create', { title: 'after' })

      assert.deepEqual(await log.titles(), ['after', 'before', ...visible])
      const [warning, ...more] = log.takeWarnings()
      assert.deepEqual([warning?.code, more], ['log-problem', []])
      assert.match(warning?.message ?? '', reason)
      if (written.named !== undefined) assert.ok(warning?.message.includes(written.named), warning?.message)
      assert.deepEqual(await log.titles(), ['after', 'before', ...visible])
      assert.deepEqual(log.takeWarnings(), [])

      const count = await log.eventCount()
      await log.run('rebuild')
      assert.equal(log.takeWarnings().length, 1)
      assert.equal(await log.eventCount(), count)
      assert.deepEqual(await log.titles(), ['after', 'before', ...visible])
      const { errors, corrupt_count, events_valid } = await log.check()
      assert.deepEqual(
        errors.map(({ commit, severity }) => [commit, severity]),
        [[written.head, severity]],
      )
      assert.match(errors[0]?.error ?? '', reason)
      if (written.named !== undefined) assert.ok([errors[0]?.event_id, errors[0]?.object_id].includes(written.named))
      assert.deepEqual([corrupt_count, events_valid], [severity === 'damaged' ? 1 : 0, count])
    })
  }

  for (const part of ['blob', 'tree', 'commit'] as const) {
    for (const how of ['missing', 'corrupt'] as const) {
      it(`a ${how} ${part} hides no sound event and is named`, async (t) => {
        const log = setUp(t)
        const before = (await log.run('issue create', { title: 'before' })) as { wal_head: Oid }
        const lost = (await log.run('issue create', { title: 'lost' })) as { wal_head: Oid }
        await log.run('issue create', { title: 'after' })
        const chunk = log
          .git(log.path, 'ls-tree', '-r', lost.wal_head)
          .split('\n')
          .find((row) => row.endsWith('.bin'))
        const oid = {
          commit: lost.wal_head as string,
          tree: log.git(log.path, 'rev-parse', `${lost.wal_head}^{tree}`),
          blob: chunk?.split(/\s/)[2] as string,
        }[part]
        const file = join(log.path, '.git/objects', oid.slice(0, 2), oid.slice(2))
        if (how === 'missing') rmSync(file)
        else {
          chmodSync(file, 0o644)
          writeFileSync(file, 'x\x9c not an object')
        }
        // The reflog names the commits below a missing one.
        const expected = ['after', 'before']
        for (const command of ['issue list', 'issue list', 'rebuild', 'issue list']) {
          await log.run(command)
          const told = log.takeWarnings()
          assert.ok(
            told.some(({ code, message }) => code === 'log-incomplete' && message.includes(oid)),
            `${command}: ${JSON.stringify(told)}`,
          )
          assert.ok(told.every(({ code }) => code !== 'log-problem'))
          assert.deepEqual(await log.titles(), expected)
          log.takeWarnings()
        }
        const { errors } = await log.check()
        assert.equal(errors.length, 1)
        assert.ok(errors[0]?.error.includes(oid) || errors[0]?.object_id === oid)
        assert.ok(before.wal_head)
      })
    }
  }

  it('a commit lost after the view saw it hides no older event', async (t) => {
    const log = setUp(t)
    await log.run('issue create', { title: 'before' })
    const seen = (await log.run('issue create', { title: 'seen' })) as { wal_head: Oid }
    assert.deepEqual(await log.titles(), ['before', 'seen'])
    const gone = (await log.run('issue create', { title: 'gone' })) as { wal_head: Oid }
    await log.run('issue create', { title: 'after' })
    rmSync(join(log.path, '.git/objects', gone.wal_head.slice(0, 2), gone.wal_head.slice(2)))
    assert.deepEqual(await log.titles(), ['after', 'before', 'seen'])
    assert.deepEqual(
      log
        .takeWarnings()
        .map(({ code }) => code)
        .sort(),
      ['log-incomplete', 'log-unread'],
    )
    assert.deepEqual(await log.titles(), ['after', 'before', 'seen'])
    assert.deepEqual(
      log.takeWarnings().map(({ code }) => code),
      ['log-incomplete'],
    )
    await log.run('rebuild')
    assert.deepEqual(await log.titles(), ['after', 'before', 'seen'])
    assert.ok(seen.wal_head)
  })

  it('many problems: five are warned of, db check lists the rest', async (t) => {
    const log = setUp(t)
    const wrong = Array.from({ length: 8 }, (_, index) => strangeRecord(d0, 15, [`${index}`]))
    const head = await log.withRepository(({ git }) =>
      writeBatch(git, { ...batch, records: [...records, ...wrong] }, null),
    )
    log.git(log.path, 'update-ref', walRef, head)
    assert.deepEqual(await log.titles(), ['d0', 'd1'])
    assert.equal(log.takeWarnings().length, 6)
    assert.equal((await log.check()).errors.length, 8)
  })

  it('db check counts all problems and lists the first 10,000', async (t) => {
    const log = setUp(t)
    const wrong = Array.from({ length: 10_050 }, (_, index) => strangeRecord(d0, 15, [`${index}`]))
    const head = await log.withRepository(({ git }) =>
      writeBatch(git, { ...batch, records: [...records, ...wrong] }, null),
    )
    log.git(log.path, 'update-ref', walRef, head)
    const { errors, error_count, corrupt_count, events_valid } = await log.check()
    assert.deepEqual([errors.length, error_count, corrupt_count, events_valid], [10_000, 10_050, 10_050, 2])
  })

  it('a merge of two damaged sides keeps the sound events of both', async (t) => {
    const log = setUp(t)
    const base = (await log.run('issue create', { title: 'before' })) as { wal_head: Oid }
    const head = await log.withRepository(async ({ git }) => {
      const left = await writeBatch(
        git,
        { ...batch, records: [records[0] as Uint8Array, strangeRecord(d0, 15)] },
        base.wal_head,
      )
      const right = await writeBatch(
        git,
        { ...batch, records: [records[1] as Uint8Array, strangeRecord(d0, 16)] },
        base.wal_head,
      )
      return writeCommit(git, filesOf(batchOf([creation(issueId('d2'), 'd2')]), left), [left, right])
    })
    log.git(log.path, 'update-ref', walRef, head)
    assert.deepEqual(await log.titles(), ['before', 'd0', 'd1', 'd2'])
    assert.equal(log.takeWarnings().length, 2)
    assert.equal((await log.check()).errors.length, 2)
  })
})
