/** The editor as a function; a test on a terminal is in test/contract/terminal.test.ts. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { formatIssueDocument } from '../../../src/model/index.ts'
import { readEditedDocument } from '../../../src/tracker/issues/edit-document.ts'
import { createCommandSandbox } from '../../support/command-runner.ts'

interface Shown {
  readonly issue: {
    readonly title: string
    readonly body: string
    readonly state: string
    readonly labels: readonly string[]
    readonly assignees: readonly string[]
    readonly fields: Readonly<Record<string, string>>
  }
}

async function setUp(t: TestContext) {
  let edit = (draft: string): string | undefined => draft
  const place = createCommandSandbox(t, {
    nowUnixMs: () => Date.UTC(2026, 3, 5, 12),
    editText: (draft) => edit(draft),
  })
  await place.run('actor init', { label: 'ann' })
  const create = async (input: object) =>
    ((await place.run('issue create', { title: 'Crash', body: 'First\n\nSecond', ...input })) as { issue_id: string })
      .issue_id
  const editWith = async (issue: string, editor: typeof edit, command = 'issue edit') => {
    edit = editor
    const input = { issue: command === 'issue edit' ? issue : [issue] }
    return (await place.run(command, input)) as { outcome: string; event_ids: readonly string[] }
  }
  const show = async (issue: string) => ((await place.run('issue show', { issue })) as Shown).issue
  const commitCount = () => Number(place.git(place.path, 'rev-list', '--count', 'refs/grite/wal'))
  return { ...place, create, editWith, show, commitCount }
}

test('an edit of title, text and fields is one commit', async (t) => {
  const { create, editWith, show, commitCount } = await setUp(t)
  const parent = await create({ title: 'Epic' })
  const issue = await create({ label: ['bug', 'a, b'], assignee: ['bo'], due: 'friday', priority: 'P1' })
  const before = commitCount()
  let draft = ''
  await editWith(issue, (given) => {
    draft = given
    return given
      .replace('labels: "a, b", bug', 'labels: bug, ui')
      .replace('assignees: bo', 'assignees: me')
      .replace('state: open', 'state: closed')
      .replace('priority: P1', 'priority:')
      .replace('due: 2026-04-10', 'due: 1mo')
      .replace('parent:', `parent: ${parent.slice(0, 7)}`)
      .replace('Crash', 'Crash on start')
      .replace('Second', 'state: open\n---\n')
  })
  assert.match(draft, /^---\n# Issue [0-9a-f]{7,8}: .*\n(?:# .*\n)+state: open\nlabels: /)
  assert.equal(commitCount(), before + 1)
  const { title, body, state, labels, assignees, fields } = await show(issue)
  assert.deepEqual([title, body, state], ['Crash on start', 'First\n\nstate: open\n---', 'closed'])
  assert.deepEqual([assignees, fields], [['ann'], { due: '2026-05-05', parent }])
  assert.deepEqual(
    labels.filter((label) => !label.includes(':')),
    ['bug', 'ui'],
  )
})

test('an edit without a difference writes nothing', async (t) => {
  const { create, editWith, commitCount } = await setUp(t)
  const issue = await create({ label: ['bug'], milestone: ' 2.1 ', body: '\n\n  text  \n\n' })
  const before = commitCount()
  for (const editor of [
    (draft: string) => draft,
    (draft: string) => draft.replaceAll('\n', '\r\n'),
    (draft: string) => draft.replace(/^labels.*\n/m, '').replace(/^# .*\n/gm, ''),
  ]) {
    assert.deepEqual(await editWith(issue, editor).then(({ outcome, event_ids }) => [outcome, event_ids]), [
      'unchanged',
      [],
    ])
  }
  assert.equal(commitCount(), before)
})

test('issue update in the editor writes only what was changed', async (t) => {
  const { create, editWith, show, commitCount } = await setUp(t)
  const body = '  indented\r\nline\n\n'
  const issue = await create({ body })
  const before = commitCount()
  await editWith(issue, (draft) => draft, 'issue update')
  await editWith(issue, () => undefined, 'issue update')
  assert.equal(commitCount(), before)
  await editWith(issue, (draft) => draft.replace('Crash', 'Fall'), 'issue update')
  const { title, body: after } = await show(issue)
  assert.deepEqual([title, after], ['Fall', body])
  await editWith(issue, (draft) => draft.replace('line', 'other'), 'issue update')
  assert.equal((await show(issue)).body, 'indented\nother')
})

test('only differences of an edited document count', () => {
  const given = formatIssueDocument(
    { title: 'Crash', body: 'Text', values: { state: ['open'], labels: ['bug', 'ui'], assignees: ['bo'], due: [] } },
    [],
  )
  const edit = readEditedDocument(given, given.replace('bug, ui', 'ui, new').replace('due:', 'due: today'), 0)
  assert.deepEqual(edit.update, {
    title: undefined,
    body: undefined,
    fields: [{ key: 'due', value: '1970-01-01' }],
    labels: { add: ['new'], remove: ['bug'] },
  })
  assert.deepEqual([edit.assign, edit.unassign, edit.state], [[], [], undefined])
})

test('a bad value in an edit names its line', async (t) => {
  const { create, editWith, commitCount } = await setUp(t)
  const issue = await create({})
  const before = commitCount()
  for (const [change, message] of [
    [['priority:', 'priority: urgent'], /^line 9: priority must be P0, P1/],
    [['due:', 'due: someday'], /^line 12: due must be a date YYYY-MM-DD, today/],
    [['state: open', 'state: done'], /^line 6: state must be open or closed/],
    [['status:', 'status: closed'], /^line 11: status 'closed' would not change the state/],
    [['parent:', 'parent: beef'], /^line 15: no issue has the id/],
    [['parent:', 'owner: bo'], /^line 15: there is no field 'owner'/],
    [['labels:', `labels: ${'x'.repeat(257)}`], /^line 7: label/],
    [['Crash', ''], /title/],
  ] as const) {
    const edited = editWith(issue, (draft) => draft.replace(change[0], change[1]).replace(/\nFirst.*$/s, ''))
    await assert.rejects(edited, { message }, change[1])
  }
  await assert.rejects(
    editWith(issue, () => undefined),
    /the text is empty; nothing was changed/,
  )
  assert.equal(commitCount(), before)
})

test('an edit needs a terminal', async (t) => {
  const { run } = createCommandSandbox(t)
  await assert.rejects(run('issue edit', { issue: '3f2a' }), (error: Error & { hints?: readonly string[] }) => {
    assert.match(error.message, /needs a terminal/)
    assert.match(error.hints?.join() ?? '', /grite issue update 3f2a/)
    return true
  })
})
