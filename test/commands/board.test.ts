import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createCommandSandbox } from '../support/command-runner.ts'
import { issueMaker } from '../support/issue-maker.ts'

interface Board {
  readonly columns: readonly {
    readonly status: string
    readonly issues: readonly { readonly title: string; readonly claim: { readonly holder: string } | null }[]
    readonly total: number
  }[]
  readonly total: number
  readonly claimed_count: number
}

test('board shows open issues by status, in working order', async (t) => {
  let now = Date.UTC(2026, 3, 5)
  const sandbox = createCommandSandbox(t, { nowUnixMs: () => (now += 1000) })
  await sandbox.run('actor init', { label: 'ann' })
  const { create } = issueMaker(sandbox)
  await create('Low', { priority: 'P3', label: ['ui'] })
  await create('High', { priority: 'P1', milestone: '1.0' })
  const busy = await create('Busy', { set: ['status=in_progress'] })
  await create('Stuck', { set: ['status=blocked'], assignee: ['bo'] })
  await create('Note', { label: ['memory'] })
  await sandbox.run('issue close', { issue: [await create('Done')] })
  await sandbox.run('issue claim', { issue: busy })
  const board = async (input: Record<string, unknown> = {}) => (await sandbox.run('board', input)) as Board
  const shown = async (input?: Record<string, unknown>) =>
    (await board(input)).columns.map(({ status, issues }) => [status, issues.map(({ title }) => title).join(' ')])

  assert.deepEqual(await shown(), [
    ['open', 'High Low'],
    ['in_progress', 'Busy'],
    ['blocked', 'Stuck'],
  ])
  assert.deepEqual(await shown({ label: ['ui'] }), [['open', 'Low']])
  assert.deepEqual(await shown({ milestone: '1.0' }), [['open', 'High']])
  assert.deepEqual(await shown({ assignee: 'me' }), [['in_progress', 'Busy']])
  assert.deepEqual(await shown({ assignee: 'bo' }), [['blocked', 'Stuck']])
  assert.deepEqual(await shown({ label: ['memory'] }), [['open', 'Note']])
  const { columns, total, claimed_count } = await board({ limit: 1 })
  assert.deepEqual([columns.map(({ issues }) => issues.length), total, claimed_count], [[1, 1, 1], 4, 1])
  assert.deepEqual([columns[0]?.total, columns[1]?.issues[0]?.claim?.holder], [2, 'ann'])
})
