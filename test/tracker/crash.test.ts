import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { IssueRow } from '../../src/view/index.ts'
import { createCommandSandbox } from '../support/command-runner.ts'
import { createCrashSandbox, type DieAt } from './crashed-command.ts'

/** Moments of a write, and whether the log holds it by then. */
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

describe('killed commands', { concurrency: 8 }, () => {
  for (const { title, dieAt, isWritten } of moments) {
    it(`a command killed ${title} has ${isWritten ? 'written everything' : 'written nothing'} and blocks nobody`, async (t) => {
      const log = await createCrashSandbox(t)
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

  it('a command killed after its answers keeps every answered event', async (t) => {
    const log = await createCrashSandbox(t)
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

describe('killed rebuilds', { concurrency: 2 }, () => {
  const points: Readonly<Record<string, DieAt>> = {
    'inside its batch': { viewBatch: 'inside', nth: 1 },
    'after its batch': { viewBatch: 'after', nth: 1 },
    'before the switch': { viewPut: 'meta/events_at_rebuild' },
  }
  for (const [title, dieAt] of Object.entries(points)) {
    it(`a rebuild killed ${title} keeps the old view in use`, async (t) => {
      const log = await createCrashSandbox(t)
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

describe('killed heals', () => {
  it('the next command finishes a heal killed after its ref move', async (t) => {
    const log = await createCrashSandbox(t)
    const lost = (await log.run('issue create', { title: 'lost' })) as { event_id: string }
    await log.run('issue list')
    const foreign = createCommandSandbox(t)
    await foreign.run('issue create', { title: 'theirs' })
    log.git(log.path, 'fetch', '-q', foreign.path, '+refs/grite/*:refs/grite/*')
    // The first publish writes the commits, the second moves the ref.
    await log.runAndDie([{ name: 'issue list', input: {} }], { publish: 'ref-moved', nth: 2 })
    const issues = await log.assertSound()
    assert.deepEqual(issues.map(({ title }) => title).sort(), ['base', 'lost', 'theirs'])
    const ids = await log.ids()
    assert.equal(ids.filter((id) => id === lost.event_id).length, 1)
  })
})
