/** What a watch reports when the log's ref moves, step by step and without a clock. */
import assert from 'node:assert/strict'
import { renameSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { Oid } from '../../../src/git/index.ts'
import { GriteError } from '../../../src/model/index.ts'
import type { WatchedEvent } from '../../../src/tracker/follow/describe-events.ts'
import { LogFollower } from '../../../src/tracker/follow/follow-log.ts'
import { readSince } from '../../../src/tracker/follow/since.ts'
import { walRef } from '../../../src/wal/index.ts'
import { type CommandRunner, commandRunner, createCommandSandbox } from '../../support/command-runner.ts'
import { batchOf, comment, creation, issueId, writeBatch } from '../../support/log.ts'

type Look = () => Promise<readonly WatchedEvent[]>

/** Opens a follower while `work` runs; `look` returns the events since the last look. */
function following(
  { withRepository }: CommandRunner,
  work: (look: Look) => Promise<void>,
  since?: string,
): Promise<void> {
  return withRepository(async (repository) => {
    const follower = await LogFollower.start(repository, async () =>
      since === undefined ? undefined : readSince(repository, since, Date.now()),
    )
    await work(async () => {
      const all: WatchedEvent[] = []
      for await (const piece of follower.look()) all.push(...piece)
      return all
    })
  })
}

const titles = (events: readonly WatchedEvent[]) => events.map(({ title }) => title)
const kinds = (events: readonly WatchedEvent[]) => events.flatMap(({ kind }) => Object.keys(kind as object))

interface Changed {
  readonly issue_id: string
  readonly event_id: string
  readonly wal_head: Oid
}

const create = async ({ run }: CommandRunner, title: string) => (await run('issue create', { title })) as Changed

describe('following the log', () => {
  it('a follower reports new events in log order', async (t) => {
    const sandbox = createCommandSandbox(t)
    const there = await create(sandbox, 'there')
    await following(sandbox, async (look) => {
      assert.deepEqual(await look(), [])
      await sandbox.run('issue update', { issue: [there.issue_id], title: 'renamed', priority: '1' })
      const last = await create(sandbox, 'new')
      const events = await look()
      assert.deepEqual(titles(events), ['renamed', 'renamed', 'new'])
      assert.deepEqual(kinds(events), ['IssueUpdated', 'LabelAdded', 'IssueCreated'])
      assert.deepEqual(events.at(-1), {
        event_id: last.event_id,
        issue_id: last.issue_id,
        short_id: last.issue_id.slice(0, 7),
        title: 'new',
        state: 'open',
        actor: events[0]?.actor,
        actor_label: null,
        ts_unix_ms: events.at(-1)?.ts_unix_ms,
        kind: { IssueCreated: { body: '', labels: [], title: 'new' } },
        wal_head: last.wal_head,
      })
      assert.deepEqual(await look(), [])
    })
  })

  it('a follower reports the first event of an empty log', async (t) => {
    const sandbox = createCommandSandbox(t)
    await following(sandbox, async (look) => {
      assert.deepEqual(await look(), [])
      await create(sandbox, 'first')
      assert.deepEqual(titles(await look()), ['first'])
    })
  })

  it('a follower does not hold the view between looks', async (t) => {
    const sandbox = createCommandSandbox(t)
    await following(sandbox, async (look) => {
      await create(sandbox, 'one')
      await look()
      // A held view would be rebuilt in memory after two seconds, and none would be on disk.
      const stats = (await sandbox.run('db stats')) as { size_bytes: number; event_count: number }
      assert.deepEqual([stats.size_bytes > 0, stats.event_count], [true, 1])
      await sandbox.withRepository(async (repository) => {
        assert.equal((await repository.view()).store.isOnDisk, true)
      })
    })
  })

  it('a follower reports events of missing issues and of the project', async (t) => {
    const sandbox = createCommandSandbox(t)
    await following(sandbox, async (look) => {
      const orphan = comment(issueId('0f'), 'of an issue that never came')
      const project = {
        ...comment(issueId('f'.repeat(32)), ''),
        body: { type: 'ProjectContextUpdated', key: 'k', value: 'v' } as const,
      }
      await sandbox.withRepository(async ({ git }) => {
        const { identifyEvent } = await import('../../../src/model/index.ts')
        const head = await writeBatch(git, batchOf([orphan, identifyEvent(project)]), null)
        await git.publish({
          objects: [],
          updates: [{ ref: walRef, expected: null, next: head, reflogMessage: 'test', keepsReflog: true }],
        })
      })
      const events = await look()
      assert.deepEqual(kinds(events), ['CommentAdded', 'ProjectContextUpdated'])
      assert.deepEqual(
        events.map(({ title, state, short_id }) => [title, state, short_id]),
        [
          [null, null, null],
          [null, null, null],
        ],
      )
    })
  })
})

describe('following a rewritten log', () => {
  it('a follower reports each event once when a sync rebases it', async (t) => {
    const sandbox = createCommandSandbox(t)
    const { dir, path, git, environment } = sandbox
    git(dir, 'init', '-q', '--bare', 'origin.git')
    git(path, 'remote', 'add', 'origin', join(dir, 'origin.git'))
    await create(sandbox, 'shared')
    await sandbox.run('sync')
    git(dir, 'clone', '-q', join(dir, 'origin.git'), 'other')
    const other = commandRunner({ cwd: join(dir, 'other'), env: environment })
    await other.run('sync')
    await following(sandbox, async (look) => {
      const ours = await create(sandbox, 'ours')
      assert.deepEqual(titles(await look()), ['ours'])
      await create(other, 'theirs')
      await other.run('sync')
      await create(sandbox, 'ours, not told yet')
      await sandbox.run('sync')
      assert.equal(git(path, 'merge-base', ours.wal_head, walRef) === ours.wal_head, false)
      assert.deepEqual(titles(await look()), ['theirs', 'ours, not told yet'])
      assert.deepEqual(await look(), [])
      // The events below a replaced commit are still known.
      await following(
        sandbox,
        async (lookSince) => assert.deepEqual(titles(await lookSince()), ['theirs', 'ours, not told yet']),
        ours.wal_head,
      )
    })
    assert.deepEqual(sandbox.warnings, [])
  })

  it('a follower reports nothing twice after a log was healed', async (t) => {
    const sandbox = createCommandSandbox(t)
    const first = await create(sandbox, 'first')
    await following(sandbox, async (look) => {
      await create(sandbox, 'second')
      assert.deepEqual(titles(await look()), ['second'])
      sandbox.git(sandbox.path, 'update-ref', walRef, first.wal_head)
      assert.deepEqual(await look(), [])
      assert.deepEqual(
        sandbox.warnings.map(({ code }) => code),
        ['log-restored'],
      )
      await create(sandbox, 'third')
      assert.deepEqual(titles(await look()), ['third'])
    })
  })

  it('a follower reports an event lost before its report', async (t) => {
    const sandbox = createCommandSandbox(t)
    const first = await create(sandbox, 'first')
    await following(sandbox, async (look) => {
      await create(sandbox, 'lost')
      sandbox.git(sandbox.path, 'update-ref', walRef, first.wal_head)
      await create(sandbox, 'later')
      assert.deepEqual(titles(await look()).sort(), ['later', 'lost'])
      assert.deepEqual(await look(), [])
    })
  })

  it('a follower restores a deleted log and continues', async (t) => {
    const sandbox = createCommandSandbox(t)
    await create(sandbox, 'first')
    await following(sandbox, async (look) => {
      sandbox.git(sandbox.path, 'update-ref', '-d', walRef)
      assert.deepEqual(await look(), [])
      await create(sandbox, 'second')
      assert.deepEqual(titles(await look()), ['second'])
    })
  })

  it('a follower reports a repeated event once', async (t) => {
    const sandbox = createCommandSandbox(t)
    await create(sandbox, 'first')
    await following(sandbox, async (look) => {
      await sandbox.withRepository(async ({ git }) => {
        const event = creation(issueId('0a'), 'repeated')
        const parent = await git.readRef(walRef)
        const once = await writeBatch(git, batchOf([event]), parent)
        const twice = await writeBatch(git, batchOf([event, comment(issueId('0a'), 'x')]), once)
        await git.publish({
          objects: [],
          updates: [{ ref: walRef, expected: parent, next: twice, reflogMessage: 't', keepsReflog: true }],
        })
      })
      assert.deepEqual(kinds(await look()), ['IssueCreated', 'CommentAdded'])
    })
    await following(
      sandbox,
      async (look) => assert.deepEqual(kinds(await look()), ['IssueCreated', 'IssueCreated', 'CommentAdded']),
      '1970-01-01',
    )
  })

  it('a follower ends when the repository is gone', async (t) => {
    const sandbox = createCommandSandbox(t)
    await create(sandbox, 'first')
    await following(sandbox, async (look) => {
      assert.deepEqual(await look(), [])
      renameSync(sandbox.path, `${sandbox.path}.moved`)
      await assert.rejects(look, (error) => error instanceof GriteError && error.code === 'not_found')
    })
  })
})

describe('--since', () => {
  const startUnixMs = 1_700_000_000_000
  let nowUnixMs = startUnixMs
  const sandbox = createCommandSandbox({ after }, { nowUnixMs: () => nowUnixMs })
  const made: Changed[] = []

  before(async () => {
    for (const title of ['a', 'b', 'c', 'd']) {
      made.push(await create(sandbox, title))
      nowUnixMs += 1000
    }
    sandbox.git(sandbox.path, 'commit', '-q', '--allow-empty', '-m', 'code')
  })

  const wanted: readonly (readonly [name: string, since: () => string, told: readonly string[]])[] = [
    ['an event', () => made[1]?.event_id ?? '', ['c', 'd']],
    ['the beginning of an event id', () => prefixOf(made[0]?.event_id ?? ''), ['b', 'c', 'd']],
    ['a commit', () => made[2]?.wal_head ?? '', ['d']],
    ['the last event', () => made[3]?.event_id ?? '', []],
    ['a time', () => String(startUnixMs + 1500), ['c', 'd']],
    ['a date', () => '2020-01-01', ['a', 'b', 'c', 'd']],
  ]
  for (const [name, since, told] of wanted) {
    it(`--since ${name} first reports every later event once`, () =>
      following(
        sandbox,
        async (look) => {
          assert.deepEqual(titles(await look()), told)
          assert.deepEqual(await look(), [])
        },
        since(),
      ))
  }

  const refused: readonly (readonly [name: string, since: () => string, code: string])[] = [
    ['an unknown event', () => 'abcdef0123', 'not_found'],
    ['an unknown commit', () => 'a'.repeat(40), 'not_found'],
    ['a commit of a branch', () => sandbox.git(sandbox.path, 'rev-parse', 'HEAD'), 'invalid_args'],
    ['something else', () => 'yesterday', 'invalid_args'],
  ]
  for (const [name, since, code] of refused) {
    it(`--since ${name} is refused`, async () => {
      const start = following(sandbox, async () => assert.fail('it started'), since())
      await assert.rejects(start, (error) => error instanceof GriteError && error.code === code)
    })
  }
})

/** A prefix up to the first letter, because digits alone are milliseconds. */
function prefixOf(eventId: string): string {
  return eventId.slice(0, Math.max(7, eventId.search(/[a-f]/) + 1))
}
