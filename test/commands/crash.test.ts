import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { walRef } from '../../src/git/index.ts'
import type { IssueRow } from '../../src/view/index.ts'
import type { CommandOrder } from '../support/command-child.ts'
import { createCommandSandbox } from '../support/command-runner.ts'
import { assertLogHolds, dumpStore, idsOnChain } from '../support/log.ts'
import { startCommandChild } from '../support/start-command-child.ts'

type DieAt = NonNullable<CommandOrder['dieAt']>
interface Counts {
  readonly event_count: number
  readonly commit_count: number
}

type Commands = CommandOrder['commands']

async function setUp(t: TestContext) {
  const sandbox = createCommandSandbox(t)
  const { run, path, git, environment, withRepository, warnings } = sandbox
  const base = (await run('issue create', { title: 'base' })) as { issue_id: string; event_id: string }
  await run('issue list')
  const ids = () =>
    withRepository(async (repository) => idsOnChain(repository.git, await repository.git.readRef(walRef)))
  return {
    ...sandbox,
    path,
    base,
    ids,
    /** Runs commands in a process that kills itself at some moment. */
    async runAndDie(commands: Commands, dieAt: DieAt) {
      const end = await startCommandChild({ cwd: path, environment, commands, dieAt })
      assert.equal(end.signal, 'SIGKILL', `${end.exitStatus} ${end.stderr}`)
      return end
    },
    /** The next command works at once, the log is sound, and the view is what a rebuild makes. */
    async assertSound() {
      const { issues } = (await run('issue list')) as { issues: IssueRow[] }
      await run('issue create', { title: 'next' })
      await run('issue list')
      const live = await withRepository(async (repository) => dumpStore((await repository.view()).store))
      assert.deepEqual(await withRepository(async (repository) => dumpStore((await repository.rebuild()).store)), live)
      const all = await ids()
      assert.equal(new Set(all).size, all.length)
      await withRepository((repository) => assertLogHolds(path, (...args) => git(path, ...args), repository.git, all))
      assert.deepEqual(warnings, [])
      return issues
    },
  }
}

/** Moments of a write, and whether the log has it by then. */
const moments: readonly { readonly title: string; readonly dieAt: DieAt; readonly isWritten: boolean }[] = [
  { title: 'before the objects', dieAt: { publish: 'started', nth: 1 }, isWritten: false },
  { title: 'between objects and ref', dieAt: { publish: 'objects-written', nth: 1 }, isWritten: false },
  { title: 'with the ref locked', dieAt: { publish: 'ref-checked', nth: 1 }, isWritten: false },
  { title: 'after the ref', dieAt: { publish: 'ref-moved', nth: 1 }, isWritten: true },
  { title: 'before the view', dieAt: { publish: 'published', nth: 1 }, isWritten: true },
  { title: 'before the view’s batch', dieAt: { viewBatch: 'before', nth: 1 }, isWritten: true },
  { title: 'inside the view’s batch', dieAt: { viewBatch: 'inside', nth: 1 }, isWritten: true },
  { title: 'after the view’s batch', dieAt: { viewBatch: 'after', nth: 1 }, isWritten: true },
]

describe('a command killed', { concurrency: 8 }, () => {
  for (const { title, dieAt, isWritten } of moments) {
    it(`${title} has ${isWritten ? 'written all' : 'written nothing'}, and hinders nobody`, async (t) => {
      const log = await setUp(t)
      const before = await log.ids()
      const input = { issue: [log.base.issue_id], label: ['one', 'two', 'three'] }
      const end = await log.runAndDie([{ name: 'issue label add', input }], dieAt)
      assert.deepEqual(end.answers, [])
      assert.equal((await log.ids()).length, before.length + (isWritten ? 3 : 0))
      const [base] = await log.assertSound()
      assert.deepEqual(base?.labels, isWritten ? ['one', 'three', 'two'] : [])
      const again = (await log.run('issue label add', input)) as { outcome: string }
      assert.equal(again.outcome, isWritten ? 'unchanged' : 'changed')
    })
  }

  it('after answers has kept every one of them', async (t) => {
    const log = await setUp(t)
    const commands = Array.from({ length: 6 }, (_, index) => ({ name: 'issue create', input: { title: `n${index}` } }))
    const end = await log.runAndDie(commands, { publish: 'ref-moved', nth: 5 })
    assert.equal(end.answers.length, 4)
    const ids = new Set(await log.ids())
    for (const { event_id } of end.answers) assert.ok(ids.has(event_id as string))
    assert.equal(ids.size, 1 + 5)
    const issues = await log.assertSound()
    assert.equal(issues.length, 6)
  })
})

describe('a rebuild killed', { concurrency: 2 }, () => {
  const points: Readonly<Record<string, DieAt>> = {
    'inside its batch': { viewBatch: 'inside', nth: 1 },
    'after its batch': { viewBatch: 'after', nth: 1 },
    'before the switch': { viewPut: 'meta/events_at_rebuild' },
  }
  for (const [title, dieAt] of Object.entries(points)) {
    it(`${title} leaves the old view in use`, async (t) => {
      const log = await setUp(t)
      await log.runAndDie([{ name: 'rebuild', input: {} }], dieAt)
      const { issues } = (await log.run('issue list')) as { issues: IssueRow[] }
      assert.deepEqual(
        issues.map(({ title: name }) => name),
        ['base'],
      )
      await log.assertSound()
    })
  }
})

describe('a healing killed', () => {
  it('after the ref goes on where it stood, and tells it then', async (t) => {
    const log = await setUp(t)
    const lost = (await log.run('issue create', { title: 'lost' })) as { event_id: string }
    await log.run('issue list')
    const foreign = createCommandSandbox(t)
    await foreign.run('issue create', { title: 'theirs' })
    log.git(log.path, 'fetch', '-q', foreign.path, '+refs/grite/*:refs/grite/*')
    // The first publish brings the commits, the second moves the ref.
    await log.runAndDie([{ name: 'issue list', input: {} }], { publish: 'ref-moved', nth: 2 })
    const issues = await log.assertSound()
    assert.deepEqual(issues.map(({ title }) => title).sort(), ['base', 'lost', 'theirs'])
    const ids = await log.ids()
    assert.equal(ids.filter((id) => id === lost.event_id).length, 1)
  })
})

describe('an import killed', { concurrency: 4 }, () => {
  const lines = Array.from({ length: 700 }, (_, index) =>
    JSON.stringify({
      id: `bd-${index}`,
      title: `Issue ${index}`,
      description: 'x',
      status: index % 3 === 0 ? 'closed' : 'open',
      priority: index % 5,
      issue_type: 'task',
      created_at: '2026-01-01T00:00:00Z',
      updated_at: '2026-01-02T00:00:00Z',
    }),
  )

  /** As an import that nothing disturbs writes them. */
  const eventsOfTracker = 4900
  it('nowhere writes the whole tracker, in more than one commit', async (t) => {
    const log = await setUp(t)
    const { event_count, commit_count } = (await log.run('import', { file: writeTracker(log.dir) })) as Counts
    assert.equal(event_count, eventsOfTracker)
    assert.ok(commit_count > 1)
  })

  function writeTracker(dir: string): string {
    mkdirSync(join(dir, 'tracker'))
    const file = join(dir, 'tracker', 'issues.jsonl')
    writeFileSync(file, `${lines.join('\n')}\n`)
    return file
  }

  const points: Readonly<Record<string, DieAt>> = {
    'between two batches': { publish: 'published', nth: 1 },
    'before the second ref': { publish: 'objects-written', nth: 2 },
    'inside the view’s second batch': { viewBatch: 'inside', nth: 2 },
  }
  for (const [title, dieAt] of Object.entries(points)) {
    it(`${title} is finished by running it again`, async (t) => {
      const log = await setUp(t)
      const file = writeTracker(log.dir)
      await log.runAndDie([{ name: 'import', input: { file } }], dieAt)
      const half = await log.ids()
      assert.ok(half.length > 1000, `${half.length} events`)
      const finished = (await log.run('import', { file })) as { event_count: number; malformed: number }
      assert.equal(finished.malformed, 0)
      assert.equal(half.length - 1 + finished.event_count, eventsOfTracker)
      const again = (await log.run('import', { file })) as { event_count: number }
      assert.equal(again.event_count, 0)
      assert.equal((await log.assertSound()).length, 701)
    })
  }
})
