/** A rebuild from a snapshot yields the same view as a rebuild from the whole log. */
import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext, test } from 'node:test'
import fc from 'fast-check'
import type { Oid } from '../../src/git/index.ts'
import { type Event, type IssueId, identifyEvent } from '../../src/model/index.ts'
import { SnapshotTrust } from '../../src/tracker/snapshots/snapshot-trust.ts'
import type { View } from '../../src/view/index.ts'
import { walRef, writeSnapshot } from '../../src/wal/index.ts'
import { issueEvent } from '../model/arbitraries.ts'
import { createCommandSandbox } from '../support/command-runner.ts'
import { withWrongId } from '../support/damage.ts'
import { assertLogHolds, batchOf, comment, creation, dumpStore, idsOnChain, issueId, recordOf } from '../support/log.ts'
import { strangeLog, writeLog, writeSnapshotFiles } from '../support/snapshots.ts'

const now = 1_700_000_000_123
const [a, b] = [issueId('a0'), issueId('b0')]

interface Rebuilt {
  readonly from: string | null
  readonly store: Record<string, string>
  readonly facts: unknown
  readonly warnings: readonly string[]
}

function setUp(t: TestContext) {
  const sandbox = createCommandSandbox(t)
  const { warnings, withRepository } = sandbox
  const describeView = async (view: View, from: string | null): Promise<Rebuilt> => ({
    from,
    store: await dumpStore(view.store),
    facts: [view.head, view.eventCount, view.issueCount, view.mayRepeat, view.lostHeads],
    warnings: warnings.splice(0).map(({ message }) => message),
  })
  return {
    ...sandbox,
    append: (...batches: Parameters<typeof writeLog>[1]) => withRepository(({ git }) => writeLog(git, batches)),
    snapshot: (head: Oid, nowUnixMs = now) => withRepository(({ git }) => writeSnapshot({ git, head, nowUnixMs })),
    /** A snapshot as `grite snapshot create` writes it, recorded as made by this clone. */
    ownSnapshot: (head: Oid, nowUnixMs = now) =>
      withRepository((repository) => new SnapshotTrust(repository).make({ head, nowUnixMs, progress() {} })),
    rebuild: () => withRepository(async (repository) => describeView(await repository.rebuild(), null)),
    rebuildFromSnapshot: () =>
      withRepository(async (repository) => {
        const { view, snapshot } = await repository.rebuildFromSnapshot()
        return describeView(view, snapshot?.ref ?? null)
      }),
  }
}

const refOf = (ms: number) => `refs/grite/snapshots/${ms}`

describe('a rebuild from a snapshot', { concurrency: 2 }, () => {
  it('a rebuild from a snapshot equals a full rebuild', async (t) => {
    const log = setUp(t)
    const { batches } = strangeLog()
    await log.snapshot(await log.append(...batches))
    await log.append(batchOf([comment(a, 'after')]), batchOf([comment(b, 'after that')]))
    const full = await log.rebuild()
    const short = await log.rebuildFromSnapshot()
    assert.deepEqual(short, { ...full, from: refOf(now) })
    assert.ok(Object.keys(full.store).some((key) => key.startsWith('attachment/')))
    assert.ok(Object.keys(full.store).some((key) => key.startsWith('context_files/')))
    assert.equal(full.warnings.length, 3)
  })

  it('a rebuild from a snapshot restores the keys of signing actors', async (t) => {
    const log = setUp(t)
    const { actor_id } = (await log.run('actor init', { label: 'ci', generateKey: true })) as { actor_id: string }
    await log.run('actor use', { actor: actor_id })
    await log.run('issue create', { title: 'signed' })
    await log.run('snapshot create')
    const full = await log.rebuild()
    const short = await log.rebuildFromSnapshot()
    assert.match(String(short.from), /snapshots/)
    assert.deepEqual(short, { ...full, from: short.from })
    assert.ok(Object.keys(full.store).some((key) => key.startsWith('actor')))
  })

  it('a rebuild uses the newest snapshot and only later commits', async (t) => {
    const log = setUp(t)
    const first = await log.append(batchOf([creation(a), comment(a, 'one')]))
    await log.snapshot(first)
    const second = await log.append(batchOf([comment(a, 'two')]))
    await log.ownSnapshot(second, now + 5)
    await log.append(batchOf([comment(a, 'three')]))
    const full = await log.rebuild()
    // The rebuild does not read this, so it may be missing.
    const old = log.git(log.path, 'rev-parse', `${first}^{tree}`)
    rmSync(join(log.path, '.git/objects', old.slice(0, 2), old.slice(2)))
    assert.deepEqual(await log.rebuildFromSnapshot(), { ...full, from: refOf(now + 5) })
  })

  it('a rebuild skips unusable snapshots with a reason', async (t) => {
    const log = setUp(t)
    const head = await log.append(batchOf([creation(a), comment(a, 'one')]))
    const { ref } = await log.snapshot(head)
    const elsewhere = await log.append(batchOf([comment(a, 'two')]))
    const beside = await log.snapshot(elsewhere, now + 1)
    log.git(log.path, 'update-ref', walRef, head)
    log.git(log.path, 'reflog', 'expire', '--expire=all', walRef)
    rmSync(join(log.path, '.git/grite'), { recursive: true, force: true })
    log.git(log.path, 'update-ref', refOf(now + 2), log.git(log.path, 'rev-parse', `${head}^{tree}`))
    const full = await log.rebuild()
    const { warnings, ...short } = await log.rebuildFromSnapshot()
    assert.deepEqual({ ...short, warnings: [] }, { ...full, from: ref })
    assert.equal(warnings.length, 2)
    assert.match(String(warnings[0]), new RegExp(`${now + 2}: [0-9a-f]{40} is a tree, not a commit$`))
    assert.match(String(warnings[1]), new RegExp(`${beside.ref}: its wal_head ${elsewhere} is not in the log$`))
  })

  it('a damaged chunk makes the rebuild read the whole log', async (t) => {
    const log = setUp(t)
    const born = creation(a)
    const many = Array.from({ length: 1500 }, (_, index) => comment(a, `${index}`))
    const head = await log.append(
      batchOf([born, ...many.slice(0, 1200)]),
      batchOf(many.slice(1200), {
        records: [...many.slice(1200).map(recordOf), withWrongId(recordOf(comment(a, 'z')))],
      }),
    )
    const { oid } = await log.snapshot(head)
    await log.withRepository(async ({ git }) => {
      const blobOf = (path: string) => log.git(log.path, 'rev-parse', `${oid}:${path}`) as Oid
      const facts = log.git(log.path, 'cat-file', 'blob', `${oid}:snapshot.json`)
      // The second chunk is not what its row says.
      const files = new Map<string, Oid | Uint8Array>([
        ['snapshot.json', Buffer.from(facts)],
        ['events/0000.bin', blobOf('events/0000.bin')],
        ['events/0001.bin', blobOf('events/0000.bin')],
        ['ext/report.json', blobOf('ext/report.json')],
      ])
      await writeSnapshotFiles(git, now + 1, files)
    })
    log.git(log.path, 'update-ref', '-d', refOf(now))
    const full = await log.rebuild()
    const short = await log.rebuildFromSnapshot()
    assert.deepEqual([short.from, short.store, short.facts], [null, full.store, full.facts])
    assert.deepEqual(short.warnings.slice(0, 2), [
      `skipped snapshot: ${refOf(now + 1)}: events/0001.bin does not match its chunk_hash`,
      'no snapshot is usable; read the whole log',
    ])
    // Problems of the log are reported once, by the reading that is used.
    assert.deepEqual(short.warnings.slice(2), full.warnings)
    assert.equal(full.warnings.length, 1)
  })

  it('a rebuild without snapshots reads the whole log', async (t) => {
    const log = setUp(t)
    await log.append(batchOf([creation(a)]))
    const full = await log.rebuild()
    const short = await log.rebuildFromSnapshot()
    assert.deepEqual(short, { ...full, warnings: ['there is no snapshot; read the whole log'] })
  })

  it('a rebuild skips a symbolic snapshot ref', async (t) => {
    const log = setUp(t)
    await log.snapshot(await log.append(batchOf([creation(a)])))
    log.git(log.path, 'symbolic-ref', refOf(now + 1), refOf(now))
    const full = await log.rebuild()
    const { warnings, ...short } = await log.rebuildFromSnapshot()
    assert.deepEqual({ ...short, warnings: [] }, { ...full, from: refOf(now) })
    assert.deepEqual(warnings, [`skipped snapshot: ${refOf(now + 1)} is a symbolic ref`])
  })

  it('a rebuild of a missing log yields an empty view', async (t) => {
    const log = setUp(t)
    const { facts, from } = await log.rebuildFromSnapshot()
    assert.deepEqual([facts, from], [[null, 0, 0, false, []], null])
  })

  it('a rebuild from a snapshot restores lost commits', async (t) => {
    const log = setUp(t)
    const head = await log.append(batchOf([creation(a)]))
    await log.snapshot(head)
    const events = [comment(a, 'one'), comment(a, 'two')] as [Event, Event]
    const newest = await log.append(batchOf([events[0]]), batchOf([events[1]]))
    await log.run('issue list')
    log.git(log.path, 'update-ref', walRef, head)
    const { from, facts, warnings } = await log.rebuildFromSnapshot()
    assert.equal(from, refOf(now))
    assert.deepEqual((facts as unknown[]).slice(0, 3), [newest, 3, 1])
    assert.match(warnings.join(), /another program had moved refs\/grite\/wal; restored 2 events/)
    await log.withRepository(async ({ git }) =>
      assertLogHolds(log.path, (...args) => log.git(log.path, ...args), git, await idsOnChain(git, newest)),
    )
  })
})

const issues = [a, b] as IssueId[]
const history = fc.array(
  fc.record({
    commits: fc.array(
      fc.array(
        fc
          .tuple(issueEvent, fc.constantFrom(...issues), fc.option(fc.constantFrom(1, 9)))
          .map(([{ eventId: _eventId, sig: _sig, ...facts }, issue, sig]): Event => {
            const event = identifyEvent({ ...facts, issueId: issue })
            return sig === null ? event : { ...event, sig: new Uint8Array([sig]) }
          }),
        { minLength: 1, maxLength: 8 },
      ),
      { minLength: 1, maxLength: 3 },
    ),
    repeats: fc.boolean(),
  }),
  { minLength: 1, maxLength: 3 },
)

test('a rebuild from any snapshot of any log equals a full one', async (t) => {
  const seed = Number(process.env.FC_SEED ?? Date.now() % 0x7fff_ffff)
  t.diagnostic(`seed ${seed}`)
  await fc.assert(
    fc.asyncProperty(history, async (steps) => {
      const cleanUps: (() => unknown)[] = []
      const log = setUp({ after: (work: () => unknown) => void cleanUps.push(work) } as TestContext)
      try {
        let number = 0
        for (const { commits, repeats } of steps) {
          const batches = [...commits, ...(repeats ? commits.slice(0, 1) : [])].map((events) => batchOf(events))
          const head = await log.append(...batches)
          if (number > 0) {
            const full = await log.rebuild()
            assert.deepEqual(await log.rebuildFromSnapshot(), { ...full, from: refOf(now + number - 1) })
          }
          await log.snapshot(head, now + number++)
        }
        const full = await log.rebuild()
        assert.deepEqual(await log.rebuildFromSnapshot(), { ...full, from: refOf(now + number - 1) })
      } finally {
        for (const work of cleanUps) await work()
      }
    }),
    { numRuns: 8, seed },
  )
})
