import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { IssueRow } from '../../src/view/index.ts'
import { walRef } from '../../src/wal/index.ts'
import { commandRunner, createCommandSandbox } from '../support/command-runner.ts'
import { batchOf, creation, issueId, writeBatch } from '../support/log.ts'
import { createProcessSandbox, eventIdsOf } from '../tracker/command-process.ts'

describe('many concurrent processes', () => {
  it('fifty concurrent creates in a new repository share one actor', async (t) => {
    const { path, answer, list, assertHolds } = createProcessSandbox(t)
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

  it('an import continues when others write between its commits', async (t) => {
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

  it('twenty concurrent label additions to one issue all survive', async (t) => {
    const { answer, list, assertHolds } = createProcessSandbox(t)
    const { issue_id } = await answer('issue', 'create', '--title', 'one')
    const labels = Array.from({ length: 20 }, (_, index) => `label-${index}`)
    const answers = await Promise.all(
      labels.map((label) => answer('issue', 'label', 'add', issue_id as string, '--label', label)),
    )
    assert.deepEqual((await list())[0]?.labels, [...labels].sort())
    assert.equal((await assertHolds(eventIdsOf(answers))).length, 21)
  })

  it('concurrent writes, reads, rebuilds and gc never fail', async (t) => {
    const { answer, git, path, list, assertHolds } = createProcessSandbox(t)
    const { issue_id } = await answer('issue', 'create', '--title', 'first')
    const deadline = performance.now() + 4000
    const acknowledged: string[] = []
    let reads = 0
    let rebuilds = 0
    const isEnough = () => reads > 1 && rebuilds > 1 && acknowledged.length > 4
    const until = async (work: () => Promise<unknown>) => {
      do await work()
      while (performance.now() < deadline || !isEnough())
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
    assert.equal((await assertHolds(acknowledged)).length, acknowledged.length + 1)
    assert.equal((await list()).find((row) => row.issue_id === issue_id)?.title, 'first')
  })
})
