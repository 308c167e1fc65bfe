/** Edited and hidden comments, wherever comments are shown. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { GriteError } from '../../../src/model/index.ts'
import type { CleanUp } from '../../git/temp-repository.ts'
import { commandRunner, createCommandSandbox } from '../../support/command-runner.ts'

// biome-ignore lint/suspicious/noExplicitAny: answers are read like JSON
type Data = any

/** An issue of ann with one comment, and runners for ann and bo. */
async function setUp(t: CleanUp) {
  let nowUnixMs = 1_700_000_000_000
  const place = createCommandSandbox(t, { nowUnixMs: () => (nowUnixMs += 1000) })
  const runnerFor = async (label: string, editText?: (draft: string) => string | Promise<string>) => {
    const { actor_id } = (await place.run('actor init', { label })) as Data
    const runner = commandRunner({
      cwd: place.path,
      env: place.environment,
      actor: actor_id,
      nowUnixMs: () => (nowUnixMs += 1000),
      ...(editText === undefined ? {} : { editText }),
    })
    const run = (name: string, input: object = {}): Promise<Data> => runner.run(name, { ...input })
    return { ...runner, run, actor_id }
  }
  const ann = await runnerFor('ann')
  const bo = await runnerFor('bo')
  const { issue_id: issue } = await ann.run('issue create', { title: 'Crash' })
  const { event_id: comment } = await ann.run('issue comment', { issue, body: 'Seen on Linux' })
  return {
    ann,
    bo,
    issue: issue as string,
    comment: comment as string,
    runnerFor,
    shown: async () => (await ann.run('issue show', { issue })).issue.comments[0],
    eventCount: async () => (await ann.run('export', { format: 'json' })).event_count as number,
  }
}

async function rejects(promise: Promise<unknown>, code: string, message: RegExp, hint?: RegExp): Promise<void> {
  await assert.rejects(promise, (error: GriteError) => {
    assert.equal(error.code, code)
    assert.match(error.message, message)
    if (hint !== undefined) assert.match(error.hints.join('\n'), hint)
    return true
  })
}

test('an edit replaces the shown text and names its editor', async (t) => {
  const { bo, issue, comment, shown } = await setUp(t)
  const edited = await bo.run('issue comment edit', { comment: comment.slice(0, 8), body: 'Seen everywhere' })
  assert.deepEqual(
    [edited.issue_id, edited.comment_id, edited.action, edited.outcome],
    [issue, comment, 'edited', 'changed'],
  )
  const { body, edited_by_label, edited_by, edited_signature, hidden, actor_label } = await shown()
  assert.deepEqual(
    [body, edited_by_label, edited_by, edited_signature, hidden, actor_label],
    ['Seen everywhere', 'bo', bo.actor_id, 'unsigned', false, 'ann'],
  )
})

test('a hidden comment has no text until it is unhidden', async (t) => {
  const { ann, bo, comment, shown } = await setUp(t)
  await ann.run('issue comment edit', { comment, body: 'Seen twice' })
  await bo.run('issue comment hide', { comment })
  const { body, hidden, edited_by_label } = await shown()
  assert.deepEqual([body, hidden, edited_by_label], ['', true, 'bo'])
  await rejects(ann.run('issue comment edit', { comment, body: 'x' }), 'invalid_args', /is hidden/, /comment unhide/)
  await ann.run('issue comment unhide', { comment })
  assert.deepEqual([(await shown()).body, (await shown()).hidden], ['Seen twice', false])
})

test('an edit back to the first text is no edit any more', async (t) => {
  const { ann, comment, shown } = await setUp(t)
  await ann.run('issue comment edit', { comment, body: 'Seen twice' })
  await ann.run('issue comment edit', { comment, body: 'Seen on Linux' })
  const { body, edited_ts, edited_by, edited_by_label } = await shown()
  assert.deepEqual([body, edited_ts, edited_by, edited_by_label], ['Seen on Linux', null, null, null])
})

test('a change of a comment that changes nothing writes no event', async (t) => {
  const { ann, comment, eventCount } = await setUp(t)
  const unchanged = async (command: string, input: object = {}) => {
    const before = await eventCount()
    const { outcome, event_id } = await ann.run(command, { comment, ...input })
    assert.deepEqual([outcome, event_id, await eventCount()], ['unchanged', null, before])
  }
  await unchanged('issue comment edit', { body: 'Seen on Linux' })
  await unchanged('issue comment unhide')
  await ann.run('issue comment hide', { comment })
  await unchanged('issue comment hide')
})

test('the editor opens with the shown text, and its last line end is ignored', async (t) => {
  const { ann, comment, runnerFor, shown, eventCount } = await setUp(t)
  await ann.run('issue comment edit', { comment, body: 'Seen twice' })
  const drafts: string[] = []
  const saving = await runnerFor('cy', (draft) => {
    drafts.push(draft)
    return `${draft}\n`
  })
  const before = await eventCount()
  assert.equal((await saving.run('issue comment edit', { comment })).outcome, 'unchanged')
  assert.equal(await eventCount(), before)
  const writing = await runnerFor('di', (draft) => `${draft}, on Linux\n`)
  await writing.run('issue comment edit', { comment })
  assert.deepEqual([drafts, (await shown()).body], [['Seen twice'], 'Seen twice, on Linux'])
})

describe('a comment is found by', () => {
  test('an id or prefix that is unique among comments', async (t) => {
    const { ann, issue, comment } = await setUp(t)
    const hide = (typed: string) => ann.run('issue comment hide', { comment: typed })
    await rejects(hide('abc'), 'invalid_args', /comment id 'abc' is too short: at least 4/)
    await rejects(hide('comment'), 'invalid_args', /'comment' is not a comment id: ids are hexadecimal/)
    await rejects(hide(issue.slice(0, 8)), 'not_found', /it is the id of an issue/, /grite issue show/)
    const { events } = await ann.run('issue show', { issue })
    await rejects(hide(events[0].event_id), 'not_found', /is a IssueCreated|is an IssueCreated/)
    await rejects(hide('0'.repeat(64)), 'not_found', /no comment has the id/)
    await rejects(hide('0'.repeat(65)), 'not_found', /no comment has the id/)
    await rejects(ann.run('issue comment edit', { comment }), 'invalid_args', /--body or --body-file is required/)
    await rejects(ann.run('issue comment edit', { comment, body: ' ' }), 'invalid_args', /body must not be empty/)
    assert.equal((await hide(` ${comment.slice(0, 6).toUpperCase()} `)).comment_id, comment)
  })
})

test('the history of a comment lists each edit with old and new text', async (t) => {
  const { ann, bo, issue, comment } = await setUp(t)
  await ann.run('issue comment edit', { comment, body: 'Seen twice' })
  await bo.run('issue comment hide', { comment })
  await ann.run('issue comment unhide', { comment })
  const { entries } = await ann.run('issue history', { issue })
  const about = entries.filter(({ field }: Data) => field === 'comment')
  assert.deepEqual(
    about.map(({ actor_label, comment_id, old, new: value }: Data) => [actor_label, comment_id, old, value]),
    [
      ['ann', comment, null, 'Seen on Linux'],
      ['ann', comment, 'Seen on Linux', 'Seen twice'],
      ['bo', comment, 'Seen twice', null],
      ['ann', comment, null, 'Seen twice'],
    ],
  )
  assert.deepEqual(
    about.map(({ superseded_by }: Data) => superseded_by),
    [...about.slice(1).map(({ event_id }: Data) => event_id), null],
  )
})

test('an undone edit restores the text, and says of which issue', async (t) => {
  const { bo, issue, comment, shown } = await setUp(t)
  await bo.run('issue comment edit', { comment, body: 'Seen twice' })
  const undone = await bo.run('undo')
  const [change] = undone.commands[0].changes
  assert.deepEqual(
    [change.issue_id, change.title, change.field, change.old, change.new],
    [issue, 'Crash', 'comment', 'Seen twice', 'Seen on Linux'],
  )
  assert.equal((await shown()).body, 'Seen on Linux')
  await bo.run('redo')
  assert.equal((await shown()).body, 'Seen twice')
})

test('an undone comment stays hidden, though it had been edited', async (t) => {
  const { ann, comment, shown } = await setUp(t)
  await ann.run('issue comment edit', { comment, body: 'Seen twice' })
  await ann.run('undo', { steps: 2 })
  assert.equal((await shown()).hidden, true)
  await ann.run('redo')
  assert.deepEqual([(await shown()).hidden, (await shown()).body], [false, 'Seen twice'])
})

test('watch reports an edit as a change of the issue', async (t) => {
  const { ann, bo, issue, comment, eventCount } = await setUp(t)
  const { event_id } = await bo.run('issue comment edit', { comment, body: 'Seen twice' })
  await ann.run('watch', { since: '2000-01-01', count: await eventCount() })
  const item = ann.emitted.find((each) => (each as Data).event_id === event_id) as Data
  assert.deepEqual([item.issue_id, item.title, Object.keys(item.kind)], [issue, 'Crash', ['ProjectContextUpdated']])
})

test('an editor left without a change keeps what somebody wrote meanwhile', async (t) => {
  const { bo, comment, runnerFor, shown } = await setUp(t)
  const slow = await runnerFor('cy', async (draft) => {
    await bo.run('issue comment edit', { comment, body: 'Seen by bo' })
    return draft
  })
  assert.equal((await slow.run('issue comment edit', { comment })).outcome, 'unchanged')
  assert.equal((await shown()).body, 'Seen by bo')
})
