import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { GriteError } from '../../../src/model/index.ts'
import type { PrimeFacts, PrimeIssue } from '../../../src/tracker/prime/format-prime.ts'
import { createCommandSandbox } from '../../support/command-runner.ts'

type Data = PrimeFacts & {
  readonly budget_tokens: number
  readonly estimated_tokens: number
  readonly wal_head: string
}

const titles = (issues: readonly PrimeIssue[]) => issues.map(({ title }) => title)

test('prime lists own, ready and recent issues within its budget', async (t) => {
  let nowUnixMs = Date.UTC(2026, 3, 5)
  const { run, git, path } = createCommandSandbox(t, { nowUnixMs: () => (nowUnixMs += 1000) })
  git(path, 'config', 'user.name', 'Ann')
  const create = async (title: string, more: object = {}) =>
    ((await run('issue create', { title, ...more })) as { issue_id: string }).issue_id
  await create('later', { priority: 'P3' })
  const first = await create('first', { priority: 'P0', due: '2026-04-01' })
  const waits = await create('waits')
  await run('issue dep add', { issue: waits, target: first, type: 'depends_on' })
  await create('own', { assignee: ['Ann'], priority: 'P1' })
  const claimed = await create('claimed')
  await run('issue claim', { issue: claimed })
  await create('of bo', { assignee: ['bo'] })
  await run('issue close', { issue: [await create('done')] })

  const all = (await run('prime')) as Data
  assert.deepEqual(all.counts, { open: 6, closed: 1, ready: 3, blocked: 1, taken: 2, overdue: 1 })
  assert.deepEqual([all.name, titles(all.mine), titles(all.ready)], ['Ann', ['own', 'claimed'], ['first', 'later']])
  assert.deepEqual(
    all.mine.map(({ claimed_until_ts }) => claimed_until_ts !== null),
    [false, true],
  )
  assert.deepEqual(titles(all.recent), ['done', 'of bo', 'waits'])
  assert.deepEqual([all.left_out, all.budget_tokens], [{ memories: 0, context: 0, mine: 0, ready: 0, recent: 0 }, 1000])
  assert.ok(all.estimated_tokens <= 1000)
  assert.equal(all.wal_head, git(path, 'rev-parse', 'refs/grite/wal'))

  const little = (await run('prime', { budget: 100 })) as Data
  assert.ok(little.estimated_tokens <= 100)
  assert.deepEqual(titles(little.mine), ['own', 'claimed'])
  assert.deepEqual(little.left_out, { memories: 0, context: 0, mine: 0, ready: 2 - little.ready.length, recent: 3 })
})

test('prime summarizes an empty repository and creates no actor', async (t) => {
  const { run, path } = createCommandSandbox(t)
  const { counts, name, next } = (await run('prime')) as Data
  assert.doesNotMatch(next.join(), /claim/)
  assert.deepEqual([counts.open, counts.closed, name], [0, 0, null])
  assert.equal(existsSync(join(path, '.git/grite/actors')), false)
})

test('prime rejects a budget below the minimum', async (t) => {
  const { run } = createCommandSandbox(t)
  await assert.rejects(
    run('prime', { budget: 99 }),
    (error) => error instanceof GriteError && error.code === 'invalid_args' && error.details.field === 'budget',
  )
})
