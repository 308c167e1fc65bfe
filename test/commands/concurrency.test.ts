import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { walRef } from '../../src/git/index.ts'
import type { IssueRow } from '../../src/view/index.ts'
import { commandRunner, createCommandSandbox } from '../support/command-runner.ts'
import { assertLogHolds, batchOf, creation, dumpStore, idsOnChain, issueId, writeBatch } from '../support/log.ts'
import { startGrite } from '../support/start-command-child.ts'

function setUp(t: TestContext) {
  const sandbox = createCommandSandbox(t)
  const { run, path, git, environment, withRepository, warnings } = sandbox
  const grite = (...args: readonly string[]) => startGrite({ cwd: path, environment }, ...args)
  return {
    ...sandbox,
    path,
    grite,
    /** Runs a command and gives its data. */
    async answer(...args: readonly string[]): Promise<Record<string, unknown>> {
      const end = await grite(...args, '--json')
      assert.equal(end.exitStatus, 0, `${args.join(' ')}: ${end.stderr}`)
      return JSON.parse(end.stdout).data
    },
    list: async () => ((await run('issue list')) as { issues: IssueRow[] }).issues,
    /** Every acknowledged event stands in the log once, and the view is what a rebuild makes. */
    async assertHolds(acknowledged: readonly string[]) {
      const ids = await withRepository(async (repository) =>
        idsOnChain(repository.git, await repository.git.readRef(walRef)),
      )
      assert.deepEqual(
        acknowledged.filter((id) => !ids.includes(id)),
        [],
      )
      await withRepository((repository) =>
        assertLogHolds(path, (...args) => git(path, ...args), repository.git, [...new Set(ids)]),
      )
      const live = await withRepository(async (repository) => dumpStore((await repository.view()).store))
      assert.deepEqual(await withRepository(async (repository) => dumpStore((await repository.rebuild()).store)), live)
      assert.deepEqual(warnings, [])
      return ids
    },
  }
}

const eventIdsOf = (answers: readonly Record<string, unknown>[]) => answers.map(({ event_id }) => event_id as string)

describe('processes at the same time', () => {
  it('fifty creates in a repository without an actor all succeed, under one default actor', async (t) => {
    const { path, answer, list, assertHolds } = setUp(t)
    const titles = Array.from({ length: 50 }, (_, index) => `issue ${index}`)
    const answers = await Promise.all(titles.map((title) => answer('issue', 'create', '--title', title)))
    assert.equal((await assertHolds(eventIdsOf(answers))).length, 50)
    const issues = await list()
    assert.deepEqual(issues.map(({ title }) => title).sort(), [...titles].sort())
    assert.equal(new Set(issues.map(({ author }) => author)).size, 1)
    assert.equal(readdirSync(join(path, '.git/grite/actors')).length, 1)
    assert.ok(readFileSync(join(path, '.git/grite/config.toml'), 'utf8').includes(issues[0]?.author as string))
    assert.deepEqual(readdirSync(join(path, '.git/grite/tmp')), [])
  })

  it('an import goes on when something else writes between its commits', async (t) => {
    const { path, git, environment, run, withRepository } = createCommandSandbox(t)
    let foreign = 0
    const published = async (point: string) => {
      if (point !== 'published') return
      await withRepository(async (repository) => {
        const head = await repository.git.readRef(walRef)
        const next = await writeBatch(repository.git, batchOf([creation(issueId(`f${foreign++}`))]), head)
        git(path, 'update-ref', walRef, next, head as string)
      })
    }
    const importing = commandRunner({ cwd: path, env: environment, gitOptions: { hooks: { at: published } } })
    const lines = Array.from({ length: 3000 }, (_, index) =>
      JSON.stringify({
        id: `bd-${index}`,
        title: `Issue ${index}`,
        status: 'open',
        created_at: '2025-01-01T00:00:00Z',
      }),
    )
    writeFileSync(join(path, 'tracker.jsonl'), lines.join('\n'))
    const { created } = (await importing.run('import', { file: 'tracker.jsonl' })) as { created: number }
    assert.equal(created, 3000)
    assert.ok(foreign > 1)
    const { issues } = (await run('issue list')) as { issues: IssueRow[] }
    assert.equal(issues.length, 3000 + foreign)
  })

  it('an import leaves out what something else appended since it was planned', async (t) => {
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

  it('twenty labels on one issue are all there', async (t) => {
    const { answer, list, assertHolds } = setUp(t)
    const { issue_id } = await answer('issue', 'create', '--title', 'one')
    const labels = Array.from({ length: 20 }, (_, index) => `label-${index}`)
    const answers = await Promise.all(
      labels.map((label) => answer('issue', 'label', 'add', issue_id as string, '--label', label)),
    )
    assert.deepEqual((await list())[0]?.labels, [...labels].sort())
    assert.equal((await assertHolds(eventIdsOf(answers))).length, 21)
  })

  it('one field set by ten has one value, and every event is there', async (t) => {
    const { answer, list, assertHolds } = setUp(t)
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

  it('writers beside readers beside rebuilds beside gc never fail', async (t) => {
    const { answer, git, path, list, assertHolds } = setUp(t)
    const { issue_id } = await answer('issue', 'create', '--title', 'first')
    const deadline = performance.now() + 4000
    const acknowledged: string[] = []
    let reads = 0
    let rebuilds = 0
    const until = async (work: () => Promise<unknown>) => {
      do await work()
      while (performance.now() < deadline)
    }
    await Promise.all([
      until(async () => acknowledged.push(...eventIdsOf([await answer('issue', 'create', '--title', 'more')]))),
      until(async () =>
        acknowledged.push(...eventIdsOf([await answer('issue', 'comment', issue_id as string, '--body', 'x')])),
      ),
      until(async () => {
        const { issues } = (await answer('issue', 'list')) as unknown as { issues: IssueRow[] }
        assert.ok(issues.length >= 1)
        reads += 1
      }),
      until(async () => {
        await answer('rebuild')
        rebuilds += 1
      }),
      until(async () => {
        git(path, 'gc', '-q')
        await sleep(300)
      }),
    ])
    t.diagnostic(`${acknowledged.length} writes, ${reads} reads, ${rebuilds} rebuilds`)
    assert.ok(reads > 1 && rebuilds > 1 && acknowledged.length > 4)
    assert.equal((await assertHolds(acknowledged)).length, acknowledged.length + 1)
    assert.equal((await list()).find((row) => row.issue_id === issue_id)?.title, 'first')
  })

  it('a writer goes on soon after the one who held the queue was killed', async (t) => {
    const { answer, path, assertHolds } = setUp(t)
    const first = await answer('issue', 'create', '--title', 'first')
    const script = `require('proper-lockfile').lock(process.argv[1], { realpath: false, stale: 2000 }).then(() => { console.log('in'); setInterval(() => {}, 1000) })`
    const holder = spawn(process.execPath, ['-e', script, join(path, '.git/grite/append')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    t.after(() => void holder.kill('SIGKILL'))
    await new Promise((resolve) => holder.stdout.once('data', resolve))
    const ended = new Promise((resolve) => holder.once('close', resolve))
    holder.kill('SIGKILL')
    await ended
    const startedAt = performance.now()
    const next = await answer('issue', 'create', '--title', 'next')
    assert.ok(performance.now() - startedAt < 4000)
    await assertHolds(eventIdsOf([first, next]))
  })
})
