/** One update of everything: title, fields, labels and people. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { createCommandSandbox } from '../../support/command-runner.ts'

// A Sunday.
const now = Date.UTC(2026, 3, 5, 12)

interface Shown {
  readonly issue: {
    readonly title: string
    readonly labels: readonly string[]
    readonly assignees: readonly string[]
    readonly fields: Readonly<Record<string, string>>
  }
}

async function setUp(t: TestContext) {
  const place = createCommandSandbox(t, { nowUnixMs: () => now })
  await place.run('actor init', { label: 'ann' })
  const create = async (input: object) =>
    ((await place.run('issue create', { title: 'x', ...input })) as { issue_id: string }).issue_id
  const show = async (issue: string) => ((await place.run('issue show', { issue })) as Shown).issue
  const update = (issue: string, input: object) => place.run('issue update', { issue: [issue], ...input })
  const commitCount = () => Number(place.git(place.path, 'rev-list', '--count', 'refs/grite/wal'))
  return { ...place, create, show, update, commitCount }
}

test('an update changes title, fields, labels and people in one commit', async (t) => {
  const { create, show, update, commitCount } = await setUp(t)
  const issue = await create({ label: ['bug', 'old'], assignee: ['bo'], due: 'friday', defer: '1mo' })
  assert.deepEqual((await show(issue)).fields, { due: '2026-04-10', defer: '2026-05-05' })
  const before = commitCount()
  await update(issue, {
    title: 'y',
    addLabel: ['ui', 'type:bug'],
    removeLabel: ['old'],
    assignee: ['me'],
    unassign: ['bo'],
    status: 'review',
    due: 'tomorrow',
    defer: '',
    set: ['milestone=2.1'],
  })
  assert.equal(commitCount(), before + 1)
  const { title, labels, assignees, fields } = await show(issue)
  assert.deepEqual([title, assignees], ['y', ['ann']])
  assert.deepEqual(fields, { type: 'bug', status: 'review', due: '2026-04-06', milestone: '2.1' })
  assert.deepEqual(
    labels.filter((label) => !label.includes(':')),
    ['bug', 'ui'],
  )
})

test('me, none and all name people in an update', async (t) => {
  const { create, show, update } = await setUp(t)
  const issue = await create({ assignee: ['me', 'bo', 'cy'] })
  const assigneesAfter = async (input: object) => {
    await update(issue, input)
    return (await show(issue)).assignees
  }
  assert.deepEqual((await show(issue)).assignees, ['ann', 'bo', 'cy'])
  assert.deepEqual(await assigneesAfter({ unassign: ['me'] }), ['bo', 'cy'])
  assert.deepEqual(await assigneesAfter({ unassign: ['all'], assignee: ['me', 'bo'] }), ['ann', 'bo'])
  assert.deepEqual(await assigneesAfter({ assignee: ['none'] }), [])
  assert.deepEqual(await assigneesAfter({ assignee: ['me'] }), ['ann'])
  assert.deepEqual(await assigneesAfter({ unassign: ['all'] }), [])
})

test('contradictions in an update are refused', async (t) => {
  const { create, update, commitCount } = await setUp(t)
  const issue = await create({})
  const before = commitCount()
  for (const [input, message] of [
    [{ addLabel: ['a'], removeLabel: ['a'] }, /label 'a' is both added and removed/],
    [{ set: ['type=bug'], removeLabel: ['type:bug'] }, /label 'type:bug' is both added and removed/],
    [{ addLabel: ['type:bug'], set: ['type=task'] }, /type is given twice/],
    [{ assignee: ['me'], unassign: ['ann'] }, /user 'ann' is both assigned and unassigned/],
    [{ assignee: ['none', 'bo'] }, /'none' cannot be combined with another user/],
    [{ due: 'someday' }, /due must be a date YYYY-MM-DD, today, .*got 'someday'/],
    [{ set: ['defer=7h'] }, /defer must be a date YYYY-MM-DD, today, .*got '7h'/],
    [{ status: 'Closed' }, /status 'Closed' would not change the state .*`grite close <issue>` closes it/],
    [{ addLabel: [''] }, /label/],
    [{}, /nothing to change: give at least one of --title/],
  ] as const) {
    await assert.rejects(update(issue, input), { code: 'invalid_args', message }, JSON.stringify(input))
  }
  assert.equal(commitCount(), before)
})

test('a batch takes the words of create and update', async (t) => {
  const operations = [
    { op: 'create', title: 'x', assignees: ['me'], due: '2w', defer: 'mon', status: 'todo', as: 'x' },
    { op: 'update', issue: '@x', add_labels: ['ui'], assignees: ['bo'], unassign: ['me'], set: { due: 'sat' } },
  ]
  const place = createCommandSandbox(t, {
    nowUnixMs: () => now,
    stdin: operations.map((each) => JSON.stringify(each)).join('\n'),
  })
  await place.run('actor init', { label: 'ann' })
  const { results } = (await place.run('batch')) as { results: readonly { issue_id: string }[] }
  const { issue } = (await place.run('issue show', { issue: results[0]?.issue_id })) as Shown
  assert.deepEqual(issue.fields, { status: 'todo', due: '2026-04-11', defer: '2026-04-06' })
  assert.deepEqual([issue.assignees, issue.labels.includes('ui')], [['bo'], true])
})

test('a literal backslash-n in a text is noted', async (t) => {
  const { create, run, warnings } = await setUp(t)
  const issue = await create({ body: 'first\\nsecond' })
  await run('issue comment', { issue, body: 'first\\nsecond' })
  await run('issue close', { issue: [issue], comment: 'first\\nsecond' })
  assert.deepEqual(
    warnings.map(({ code, details }) => [code, details?.field]),
    [
      ['literal-newline', 'body'],
      ['literal-newline', 'body'],
      ['literal-newline', 'comment'],
    ],
  )
  assert.match(warnings[0]?.message ?? '', /^--body has .* use --body-file - or \$'first\\nsecond'$/)
  await run('issue comment', { issue, body: 'a\\n\nb' })
  await run('issue reopen', { issue: [issue], comment: 'first\nsecond' })
  assert.equal(warnings.length, 3)
})
