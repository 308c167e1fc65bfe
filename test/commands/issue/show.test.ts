import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { InvalidArgsError } from '../../../src/model/index.ts'
import { createCommandSandbox } from '../../support/command-runner.ts'
import { issueMaker } from '../../support/issue-maker.ts'

interface Shown {
  readonly issue: Readonly<Record<string, unknown>>
  readonly events?: readonly unknown[]
  readonly columns?: readonly string[]
}

test('issue show prints the issue without events or only some keys', async (t) => {
  const sandbox = createCommandSandbox(t)
  const issue = await issueMaker(sandbox).create('Crash', { priority: 'P1', label: ['bug'] })
  const show = async (input: object = {}) => (await sandbox.run('issue show', { issue, ...input })) as Shown
  const whole = await show()
  assert.equal(whole.events?.length, 1)
  assert.deepEqual(await show({ noEvents: true }), { issue: whole.issue })
  assert.deepEqual(await show({ fields: 'title, priority,due,original_id' }), {
    issue: { title: 'Crash', priority: 'P1', due: null, original_id: null },
    columns: ['title', 'priority', 'due', 'original_id'],
  })
  assert.deepEqual((await show({ fields: Object.keys(whole.issue).join(',') })).issue, whole.issue)
})

test('issue show names the keys that --fields accepts', async (t) => {
  const sandbox = createCommandSandbox(t)
  const issue = await issueMaker(sandbox).create('Crash')
  await assert.rejects(sandbox.run('issue show', { issue, fields: 'title,events' }), (error: InvalidArgsError) => {
    assert.match(error.message, /^unknown key 'events' in --fields; allowed keys: issue_id, .*, comments, .*, parent/)
    assert.equal(error.details.value, 'events')
    return true
  })
})
