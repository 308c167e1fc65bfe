import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { currentOwner, formatOwner } from '../../src/git/index.ts'
import { walRef } from '../../src/wal/index.ts'
import { createCommandSandbox } from '../support/command-runner.ts'
import { issueMaker } from '../support/issue-maker.ts'
import { batchOf, creation, idsOnChain, issueId, writeBatch } from '../support/log.ts'
import { startGrite } from '../support/start-command-child.ts'
import { createClones } from '../sync/clones.ts'
import { createProcessSandbox, eventIdsOf } from './command-process.ts'

describe('concurrent processes', () => {
  it('twelve first creates at once share one default actor', async (t) => {
    const { path, answer, list, assertHolds } = createProcessSandbox(t)
    const titles = Array.from({ length: 12 }, (_, index) => `issue ${index}`)
    const answers = await Promise.all(titles.map((title) => answer('issue', 'create', '--title', title)))
    assert.equal((await assertHolds(eventIdsOf(answers))).length, 12)
    const issues = await list()
    assert.deepEqual(issues.map(({ title }) => title).sort(), [...titles].sort())
    assert.equal(new Set(issues.map(({ author }) => author)).size, 1)
    assert.equal(readdirSync(join(path, '.git/grite/actors')).length, 1)
    assert.ok(readFileSync(join(path, '.git/grite/config.toml'), 'utf8').includes(issues[0]?.author as string))
    assert.deepEqual(readdirSync(join(path, '.git/grite/tmp')), [])
  })

  it('an import skips events appended since it was planned', async (t) => {
    const { path, git, withRepository } = createCommandSandbox(t)
    const [first, second] = [creation(issueId('a1')), creation(issueId('a2'))]
    await withRepository(async (repository) => {
      await repository.view()
      const next = await writeBatch(repository.git, batchOf([first]), null)
      git(path, 'update-ref', walRef, next)
      const head = await repository.appendBatch(batchOf([first, second]), [first, second])
      assert.deepEqual(await idsOnChain(repository.git, head), [first.eventId, second.eventId])
    })
  })

  it('ten concurrent updates of a field keep one value and all events', async (t) => {
    const { answer, list, assertHolds } = createProcessSandbox(t)
    const { issue_id } = await answer('issue', 'create', '--title', 'one')
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        answer('issue', 'update', issue_id as string, '--priority', `P${index % 5}`),
      ),
    )
    const [issue] = await list()
    assert.equal(issue?.labels.length, 1)
    assert.match(issue?.labels[0] ?? '', /^priority:P[0-4]$/)
    await assertHolds(eventIdsOf(answers).filter((id) => id !== null))
  })

  it('a writer continues after the queue holder was killed', async (t) => {
    const { answer, path, assertHolds } = createProcessSandbox(t)
    const first = await answer('issue', 'create', '--title', 'first')
    const gone = { ...currentOwner(), pid: spawnSync(process.execPath, ['-e', '']).pid }
    writeFileSync(join(path, '.git/grite/append.lock'), `${formatOwner(gone)}\n`)
    const next = await answer('issue', 'create', '--title', 'next')
    await assertHolds(eventIdsOf([first, next]))
  })

  it('labels added concurrently all reach view and log', async (t) => {
    const { run, withRepository } = createCommandSandbox(t)
    const id = await issueMaker({ run }).create('one')
    const labels = Array.from({ length: 10 }, (_, index) => `label-${index}`)
    await Promise.all(labels.map((label) => run('issue label add', { issue: [id], label: [label] })))
    const { issues } = (await run('issue list')) as { issues: { labels: string[] }[] }
    assert.deepEqual(issues[0]?.labels, [...labels].sort())
    const events = await withRepository(async (repository) => (await repository.view()).eventsOf(id))
    assert.equal(events.length, 11)
  })

  it('concurrent processes wait for each other and for a view in use', async (t) => {
    const setup = createClones(t)
    const clone = setup.clone('ann')
    await clone.create('first')
    const { issue_id: id } = (await clone.run('issue create', { title: 'second' })) as { issue_id: string }
    const grite = (...words: readonly string[]) =>
      startGrite({ cwd: clone.path, environment: setup.environment }, ...words)
    // A view held for longer than a command waits for it.
    const held = clone.withRepository(async (repository) => {
      await repository.view()
      return grite('issue', 'list', '--json')
    })
    const { exitStatus, stdout, stderr } = await held
    assert.deepEqual([exitStatus, JSON.parse(stdout).data.total], [0, 2], stderr)
    const ends = await Promise.all([
      ...['a', 'b', 'c'].map((label) => grite('issue', 'label', 'add', id, `--label=${label}`)),
      grite('issue', 'list', '--label=a'),
      grite('rebuild'),
      grite('sync'),
      grite('issue', 'create', '--title=third'),
    ])
    for (const end of ends) assert.equal(end.exitStatus, 0, end.stderr)
    const { issue } = (await clone.run('issue show', { issue: id })) as { issue: { labels: string[] } }
    assert.deepEqual(
      [issue.labels, await clone.titles()],
      [
        ['a', 'b', 'c'],
        ['first', 'second', 'third'],
      ],
    )
  })
})
