import assert from 'node:assert/strict'
import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import type { Oid, TreeFiles } from '../../src/git/index.ts'
import { limits } from '../../src/model/index.ts'
import type { IssueRow } from '../../src/view/index.ts'
import { walRef } from '../../src/wal/index.ts'
import { createCommandSandbox } from '../support/command-runner.ts'
import { strangeRecord } from '../support/damage.ts'
import {
  assertLogHolds,
  batchOf,
  creation,
  dumpStore,
  idsOnChain,
  issueId,
  segmentsOf,
  writeBatch,
} from '../support/log.ts'

interface Created {
  readonly issue_id: string
  readonly event_id: string
  readonly wal_head: Oid
}

function createSandboxWithLog(t: TestContext) {
  const sandbox = createCommandSandbox(t)
  const { path, git, run, warnings, withRepository } = sandbox
  return {
    ...sandbox,
    create: async (title: string) => (await run('issue create', { title })) as Created,
    titles: async () => ((await run('issue list')) as { issues: IssueRow[] }).issues.map(({ title }) => title).sort(),
    head: () => git(path, 'rev-parse', walRef) as Oid,
    moveRef: (oid: string) => git(path, 'update-ref', walRef, oid),
    takeWarnings: () => warnings.splice(0).map(({ code }) => code),
    /** A log unrelated to this one, as a commit in this repository. */
    foreignLog: (title: string) =>
      withRepository((repository) => writeBatch(repository.git, batchOf([creation(issueId('f0'), title)]), null)),
    assertHolds: (ids: readonly string[]) =>
      withRepository(({ git: port }) => assertLogHolds(path, (...args) => git(path, ...args), port, ids)),
    /** Asserts that the view equals a rebuild. */
    async assertViewIsRebuild() {
      const live = await withRepository(async (repository) => dumpStore((await repository.view()).store))
      const rebuilt = await withRepository(async (repository) => dumpStore((await repository.rebuild()).store))
      assert.deepEqual(live, rebuilt)
    },
  }
}

/**
 * Creates a log of the issue a, on which another commit replaces those of b and c, which no view
 * has seen.
 *
 * @param files - further files in the commit of c
 * @returns the path of b's chunk, and the ids of all events
 */
async function loseSideways(log: ReturnType<typeof createSandboxWithLog>, files: TreeFiles = new Map()) {
  const first = await log.create('a')
  await log.titles()
  const second = await log.create('b')
  const [c, theirs] = [creation(issueId('c0'), 'c'), creation(issueId('f0'), 'theirs')]
  await log.withRepository(async ({ git }) => {
    const lost = await writeBatch(git, batchOf([c], { extras: files }), second.wal_head)
    const moved = await writeBatch(git, batchOf([theirs]), first.wal_head)
    for (const oid of [lost, moved]) log.moveRef(oid)
  })
  const rows = log.git(log.path, 'ls-tree', '-r', second.wal_head).split('\n')
  const chunk = rows.find((row) => row.endsWith('.bin'))?.split(/\s/)[2] as string
  return {
    chunk: join(log.path, '.git/objects', chunk.slice(0, 2), chunk.slice(2)),
    ids: [first.event_id, second.event_id, c.eventId, theirs.eventId],
  }
}

describe('a log moved by another tool', { concurrency: 2 }, () => {
  it('a log reset to an older commit moves forward again', async (t) => {
    const log = createSandboxWithLog(t)
    const created = [await log.create('a'), await log.create('b'), await log.create('c')]
    assert.deepEqual(await log.titles(), ['a', 'b', 'c'])
    log.moveRef((created[0] as Created).wal_head)
    assert.deepEqual(await log.titles(), ['a', 'b', 'c'])
    assert.deepEqual(log.takeWarnings(), ['log-restored'])
    assert.deepEqual(await log.titles(), ['a', 'b', 'c'])
    assert.deepEqual(log.takeWarnings(), [])
    assert.equal(log.head(), created[2]?.wal_head)
    await log.assertHolds(created.map(({ event_id }) => event_id))
    await log.assertViewIsRebuild()
    assert.deepEqual(log.takeWarnings(), [])
  })

  it('a log ref that names no commit is restored', async (t) => {
    const log = createSandboxWithLog(t)
    const created = [await log.create('a'), await log.create('b')]
    await log.titles()
    const blob = log.gitWith('text', log.path, 'hash-object', '-w', '--stdin')
    const replaceWith = async (oid: string) => {
      writeFileSync(join(log.path, '.git', walRef), `${oid}\n`)
      assert.deepEqual(await log.titles(), ['a', 'b'])
      assert.deepEqual(log.takeWarnings(), ['log-restored'])
      assert.equal(log.head(), created[1]?.wal_head)
    }
    await replaceWith(blob)
    await log.assertHolds(created.map(({ event_id }) => event_id))
    // git reports this id in the reflog until it expires.
    await replaceWith('ab'.repeat(20))
  })

  it('events dropped by a sideways move are added on top', async (t) => {
    const log = createSandboxWithLog(t)
    const created = [await log.create('a'), await log.create('b')]
    await log.titles()
    const foreign = await log.withRepository((repository) =>
      writeBatch(repository.git, batchOf([creation(issueId('f0'), 'theirs')]), created[0]?.wal_head as Oid),
    )
    log.moveRef(foreign)
    assert.deepEqual(await log.titles(), ['a', 'b', 'theirs'])
    assert.deepEqual(log.takeWarnings(), ['log-restored'])
    assert.equal(log.git(log.path, 'rev-parse', `${walRef}~1`), foreign)
    assert.deepEqual(await log.titles(), ['a', 'b', 'theirs'])
    assert.deepEqual(log.takeWarnings(), [])
    await log.assertViewIsRebuild()
  })

  it('a deleted log ref is restored without its reflog', async (t) => {
    const log = createSandboxWithLog(t)
    const created = [await log.create('a'), await log.create('b')]
    await log.titles()
    log.git(log.path, 'update-ref', '-d', walRef)
    assert.deepEqual(await log.titles(), ['a', 'b'])
    assert.deepEqual(log.takeWarnings(), ['log-restored'])
    assert.equal(log.head(), created[1]?.wal_head)
    await log.assertHolds(created.map(({ event_id }) => event_id))
  })

  it('a rebuild restores a deleted log ref first', async (t) => {
    const log = createSandboxWithLog(t)
    const created = [await log.create('a'), await log.create('b')]
    await log.titles()
    log.git(log.path, 'update-ref', '-d', walRef)
    await log.run('rebuild')
    assert.deepEqual(log.takeWarnings(), ['log-restored'])
    assert.deepEqual(await log.titles(), ['a', 'b'])
    await log.assertHolds(created.map(({ event_id }) => event_id))
  })

  it('a forced fetch of another root keeps both logs', async (t) => {
    const log = createSandboxWithLog(t)
    const created = [await log.create('a'), await log.create('b')]
    await log.titles()
    const other = createSandboxWithLog(t)
    const theirs = await other.create('theirs')
    log.git(log.path, 'fetch', '-q', other.path, '+refs/grite/*:refs/grite/*')
    assert.equal(log.head(), theirs.wal_head)
    assert.deepEqual(await log.titles(), ['a', 'b', 'theirs'])
    assert.deepEqual(log.takeWarnings(), ['log-restored'])
    await log.assertHolds([...created, theirs].map(({ event_id }) => event_id))
    await log.assertViewIsRebuild()
    assert.deepEqual(log.takeWarnings(), [])
  })

  it('unseen writes are restored from the reflog', async (t) => {
    const log = createSandboxWithLog(t)
    const first = await log.create('a')
    await log.titles()
    const unseen = [await log.create('b'), await log.create('c')]
    log.moveRef(first.wal_head)
    assert.deepEqual(await log.titles(), ['a', 'b', 'c'])
    assert.deepEqual(log.takeWarnings(), ['log-restored'])
    await log.assertHolds([first, ...unseen].map(({ event_id }) => event_id))
  })

  it('unseen writes are restored after a write on the old commit', async (t) => {
    const log = createSandboxWithLog(t)
    const first = await log.create('a')
    await log.titles()
    const unseen = [await log.create('b'), await log.create('c')]
    log.moveRef(first.wal_head)
    const later = await log.create('d')
    assert.deepEqual(await log.titles(), ['a', 'b', 'c', 'd'])
    assert.deepEqual(log.takeWarnings(), ['log-restored'])
    await log.assertHolds([first, ...unseen, later].map(({ event_id }) => event_id))
    await log.assertViewIsRebuild()
    assert.deepEqual(log.takeWarnings(), [])
  })

  it('foreign commits are kept although an open view missed them', async (t) => {
    const log = createSandboxWithLog(t)
    const first = await log.create('a')
    await log.titles()
    const foreign = await log.withRepository(async (repository) => {
      await repository.view()
      const theirs = await writeBatch(repository.git, batchOf([creation(issueId('f0'), 'theirs')]), first.wal_head)
      log.moveRef(theirs)
      log.moveRef(first.wal_head)
      await repository.write(async (draft) => draft.createIssue({ title: 'b', body: '', labels: [] }))
      return theirs
    })
    assert.equal(log.git(log.path, 'merge-base', foreign, walRef), first.wal_head)
    assert.deepEqual(await log.titles(), ['a', 'b', 'theirs'])
    assert.deepEqual(log.takeWarnings(), ['log-restored'])
    await log.assertViewIsRebuild()
  })

  it('several foreign moves lose no event, even without a view', async (t) => {
    const log = createSandboxWithLog(t)
    const first = await log.create('a')
    const second = await log.create('b')
    log.moveRef(first.wal_head)
    const third = await log.create('c')
    log.moveRef(await log.foreignLog('theirs'))
    const fourth = await log.create('d')
    assert.deepEqual(await log.titles(), ['a', 'b', 'c', 'd', 'theirs'])
    assert.deepEqual(log.takeWarnings(), ['log-restored'])
    const ids = await log.withRepository(({ git }) => idsOnChain(git, log.head()))
    assert.equal(new Set(ids).size, ids.length)
    for (const { event_id } of [first, second, third, fourth]) assert.ok(ids.includes(event_id))
    await log.assertViewIsRebuild()
    assert.deepEqual(log.takeWarnings(), [])
  })

  it('a foreign re-append that lost nothing merges silently', async (t) => {
    const log = createSandboxWithLog(t)
    const base = await log.create('a')
    const ours = await log.create('b')
    await log.titles()
    // The other tool re-appended our event on top of its own.
    const foreign = await log.withRepository(async ({ git }) => {
      const event = (await segmentsOf(git, ours.wal_head)).at(-1)?.items[0]?.event
      const theirs = await writeBatch(git, batchOf([creation(issueId('f0'), 'theirs')]), base.wal_head)
      return writeBatch(git, batchOf([event as never]), theirs)
    })
    log.moveRef(foreign)
    assert.deepEqual(await log.titles(), ['a', 'b', 'theirs'])
    assert.deepEqual(log.takeWarnings(), [])
    assert.equal(log.head(), foreign)
    await log.assertViewIsRebuild()
    assert.deepEqual(log.takeWarnings(), [])
    assert.equal(log.head(), foreign)
  })

  it('pruned events are reported lost once', async (t) => {
    const log = createSandboxWithLog(t)
    const first = await log.create('a')
    const lost = await log.create('b')
    assert.deepEqual(await log.titles(), ['a', 'b'])
    log.moveRef(first.wal_head)
    log.git(log.path, 'reflog', 'expire', '--expire=now', '--expire-unreachable=now', '--all')
    log.git(log.path, 'gc', '-q', '--prune=now')
    assert.throws(() => log.git(log.path, 'cat-file', '-e', lost.wal_head))
    assert.deepEqual(await log.titles(), ['a'])
    assert.deepEqual(log.takeWarnings(), ['log-lost'])
    assert.deepEqual(await log.titles(), ['a'])
    await log.create('c')
    assert.deepEqual(await log.titles(), ['a', 'c'])
    await log.run('rebuild')
    assert.deepEqual(log.takeWarnings(), [])
    log.git(log.path, 'fsck', '--strict', '--no-dangling')
  })

  it('events named only by the reflog are reported lost once', async (t) => {
    const log = createSandboxWithLog(t)
    const first = await log.create('a')
    const lost = await log.create('b')
    assert.deepEqual(await log.titles(), ['a', 'b'])
    log.moveRef(first.wal_head)
    for (const line of log
      .git(log.path, 'rev-list', '--objects', '--no-object-names', lost.wal_head, `^${first.wal_head}`)
      .split('\n'))
      rmSync(join(log.path, '.git/objects', line.slice(0, 2), line.slice(2)))
    assert.deepEqual(await log.titles(), ['a'])
    assert.deepEqual(log.takeWarnings(), ['log-lost'])
    await log.run('rebuild')
    assert.deepEqual(await log.titles(), ['a'])
    assert.deepEqual(log.takeWarnings(), [])
  })

  it('a missing chunk is restored once it is back', async (t) => {
    const log = createSandboxWithLog(t)
    const { chunk, ids } = await loseSideways(log)
    const bytes = readFileSync(chunk)
    rmSync(chunk)
    for (const warned of [['log-restored', 'log-unread'], []]) {
      assert.deepEqual(await log.titles(), ['a', 'c', 'theirs'])
      assert.deepEqual(log.takeWarnings().sort(), warned)
    }
    // Only the view still knows the lost head.
    log.git(log.path, 'reflog', 'expire', '--expire=now', '--all')
    await log.run('rebuild')
    const later = await log.create('later')
    writeFileSync(chunk, bytes)
    assert.deepEqual(await log.titles(), ['a', 'b', 'c', 'later', 'theirs'])
    assert.deepEqual(log.takeWarnings(), ['log-restored'])
    await log.assertHolds([...ids, later.event_id])
    await log.assertViewIsRebuild()
    assert.deepEqual(log.takeWarnings(), [])
  })

  it('an oversized chunk is named once and the rest restored', async (t) => {
    const log = createSandboxWithLog(t)
    const blob = log.gitWith('x'.repeat(limits.chunkReadBytesMax + 1), log.path, 'hash-object', '-w', '--stdin') as Oid
    await loseSideways(log, new Map([['large.bin', blob]]))
    assert.deepEqual(await log.titles(), ['a', 'b', 'c', 'theirs'])
    const warnings = log.warnings.splice(0)
    assert.deepEqual(warnings.map(({ code }) => code).sort(), ['log-restored', 'log-unread'])
    assert.match(warnings.map(({ message }) => message).join(), new RegExp(`object ${blob} .*too-large`))
    await log.create('d')
    await log.run('rebuild')
    assert.deepEqual(await log.titles(), ['a', 'b', 'c', 'd', 'theirs'])
    assert.deepEqual(log.takeWarnings(), [])
  })

  it('a write that reads an issue heals the log', async (t) => {
    const log = createSandboxWithLog(t)
    const first = await log.create('a')
    const second = await log.create('b')
    await log.titles()
    log.moveRef(first.wal_head)
    await log.run('issue comment', { issue: second.issue_id, body: 'still here' })
    assert.deepEqual(log.takeWarnings(), ['log-restored'])
    assert.deepEqual(await log.titles(), ['a', 'b'])
    await log.assertViewIsRebuild()
  })

  it('a foreign re-append keeps records of unknown kinds once', async (t) => {
    const log = createSandboxWithLog(t)
    const base = await log.create('a')
    await log.titles()
    const event = creation(issueId('e0'), 'ours')
    const batch = batchOf([event])
    const records = [...batch.records, strangeRecord(issueId('e0'), 99)]
    const [ours, theirs] = await log.withRepository(async ({ git }) => {
      const other = await writeBatch(git, batchOf([creation(issueId('f0'), 'theirs')]), base.wal_head)
      return [
        await writeBatch(git, { ...batch, records }, base.wal_head),
        await writeBatch(git, { ...batch, records }, other),
      ] as const
    })
    log.moveRef(ours)
    assert.deepEqual(await log.titles(), ['a', 'ours'])
    log.takeWarnings()
    log.moveRef(theirs)
    assert.deepEqual(await log.titles(), ['a', 'ours', 'theirs'])
    assert.equal(log.head(), theirs)
    assert.deepEqual(log.takeWarnings(), ['log-problem'])
  })
})

describe('reflog lines of dead writers', () => {
  it('a reflog line of a ref that never moved restores nothing', async (t) => {
    const log = createSandboxWithLog(t)
    const first = await log.create('a')
    const dead = await log.withRepository((repository) =>
      writeBatch(repository.git, batchOf([creation(issueId('d0'), 'never acknowledged')]), first.wal_head),
    )
    const line = `${first.wal_head} ${dead} grite <grit@local> 1700000000 +0000\tgrite: WAL: 1 events\n`
    appendFileSync(join(log.path, '.git/logs', walRef), line)
    assert.deepEqual(await log.titles(), ['a'])
    await log.create('b')
    assert.deepEqual(await log.titles(), ['a', 'b'])
    await log.run('rebuild')
    assert.deepEqual(await log.titles(), ['a', 'b'])
    assert.deepEqual(log.takeWarnings(), [])
  })
})

describe('read-only repositories', () => {
  it('lost events are shown and restored once writing works', async (t) => {
    const log = createSandboxWithLog(t)
    const created = [await log.create('a'), await log.create('b')]
    assert.deepEqual(await log.titles(), ['a', 'b'])
    log.moveRef((created[0] as Created).wal_head)
    // A file in place of the staging folder: nothing can be written.
    const tmp = join(log.path, '.git/grite/tmp')
    rmSync(tmp, { recursive: true, force: true })
    writeFileSync(tmp, '')
    assert.deepEqual(await log.titles(), ['a', 'b'])
    assert.deepEqual(log.takeWarnings(), ['log-restored'])
    assert.equal(log.head(), created[0]?.wal_head)
    rmSync(tmp)
    assert.deepEqual(await log.titles(), ['a', 'b'])
    assert.deepEqual(log.takeWarnings(), ['log-restored'])
    assert.equal(log.head(), created[1]?.wal_head)
    await log.assertHolds(created.map(({ event_id }) => event_id))
  })

  it('diverged events are shown and restored once writing works', async (t) => {
    const log = createSandboxWithLog(t)
    const created = [await log.create('a'), await log.create('b')]
    assert.deepEqual(await log.titles(), ['a', 'b'])
    const foreign = await log.foreignLog('theirs')
    log.moveRef(foreign)
    const tmp = join(log.path, '.git/grite/tmp')
    rmSync(tmp, { recursive: true, force: true })
    writeFileSync(tmp, '')
    assert.deepEqual(await log.titles(), ['a', 'b', 'theirs'])
    assert.deepEqual(log.takeWarnings(), ['log-restored'])
    assert.equal(log.head(), foreign)
    rmSync(tmp)
    assert.deepEqual(await log.titles(), ['a', 'b', 'theirs'])
    assert.deepEqual(log.takeWarnings(), ['log-restored'])
    assert.notEqual(log.head(), foreign)
    assert.equal(created.length, 2)
  })
})
