/** Values that commands refuse. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { createCommandSandbox } from '../support/command-runner.ts'
import { issueMaker } from '../support/issue-maker.ts'

function setUp(t: TestContext) {
  const place = createCommandSandbox(t)
  return {
    ...place,
    ...issueMaker(place),
    head: () => place.git(place.path, 'for-each-ref', '--format=%(objectname)', 'refs/grite/wal'),
  }
}

test('misspelt, empty and oversized values are refused before any write', async (t) => {
  const { run, create, head } = setUp(t)
  const issue = await create('one')
  const before = head()
  for (const [command, input] of [
    ['issue list', { state: 'opne' }],
    ['issue dep topo', { state: 'Done' }],
    ['issue create', { title: '' }],
    ['issue create', { title: ' \t' }],
    ['issue update', { issue: [issue], title: '' }],
    ['issue create', { title: 'x', label: [''] }],
    ['issue label add', { issue: [issue], label: ['  '] }],
    ['issue assignee add', { issue: [issue], user: [''] }],
    ['issue link add', { issue, url: '' }],
    ['issue comment', { issue, body: '' }],
    ['issue create', { title: 'x'.repeat(1025) }],
    ['issue create', { title: 'x', body: 'x'.repeat(1_048_577) }],
    ['issue label add', { issue: [issue], label: ['x'.repeat(257)] }],
    ['issue link add', { issue, url: 'x'.repeat(1_048_577) }],
  ] as const) {
    const shown = `${command} ${JSON.stringify(input).slice(0, 60)}`
    await assert.rejects(run(command, input), { code: 'invalid_args' }, shown)
  }
  assert.equal(head(), before)
})
