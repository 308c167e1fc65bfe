import assert from 'node:assert/strict'
import { test } from 'node:test'
import { renderIssueHistory as exactIssueHistory, type HistoryLine } from '../../../src/cli/render/issue-history.ts'
import type { RenderView } from '../../../src/cli/render/renderer.ts'
import {
  renderQueryList as exactQueryList,
  renderQueryRemove as exactQueryRemove,
  renderQuerySave as exactQuerySave,
} from '../../../src/cli/render/saved-queries.ts'
import { plainStyle } from '../../../src/cli/render/style.ts'
import { formatTextChange } from '../../../src/cli/render/text-change.ts'
import { renderReversal as exactReversal } from '../../../src/cli/render/undo.ts'
import { onParts, textOf } from './text-of.ts'

const renderIssueHistory = onParts(exactIssueHistory)
const renderQueryList = onParts(exactQueryList)
const renderQueryRemove = onParts(exactQueryRemove)
const renderQuerySave = onParts(exactQuerySave)
const renderReversal = onParts(exactReversal)

const nowUnixMs = Date.UTC(2026, 3, 5, 12)
const view = (width: number | null, other: Partial<RenderView> = {}): RenderView => ({
  width,
  style: plainStyle,
  nowUnixMs,
  quiet: false,
  ...other,
})

let count = 0
const line = (field: string | null, old: string | null, next: string | null, other: Partial<HistoryLine> = {}) => ({
  event_id: `e${(count++).toString(16)}`.padEnd(64, '0'),
  actor: 'aa'.repeat(16),
  actor_label: 'ann\x07',
  ts_unix_ms: nowUnixMs,
  kind: 'IssueUpdated',
  field,
  old,
  new: next,
  effective: true,
  superseded_by: null,
  part_of: null,
  ...other,
})

const target = 'b07c11'.padEnd(32, '0')
const entries = [
  line(null, null, 'Crash'),
  line('title', 'Crash', 'Fall\x1b[31m', { superseded_by: 'ab'.repeat(32) }),
  line('body', '', 'First line\nand more'),
  line('priority', 'P2', null, { part_of: 'ff'.repeat(32) }),
  line('priority', 'P2', 'P1'),
  line('due', '2026-01-01', null),
  line('label', null, 'bug'),
  line('assignee', 'bo', null, { actor_label: null }),
  line('dependency', null, `blocks ${target}`),
  line('comment', null, 'Seen\ntoo'),
  line('link', null, 'https://example.org'),
  line('state', 'open', 'open', { effective: false }),
]
const data = { issue_id: target, short_id: 'b07c110', title: 'Fall\n', entries, total: entries.length }

test('a history is told to people, one line for each change', async () => {
  const shown = await textOf(renderIssueHistory(data, view(110)))
  assert.deepEqual(shown.split('\n'), [
    'b07c110 Fall\\n',
    '',
    'Event     When                  Who       What        Change                            Note',
    'e0000000  2026-04-05 12:00 UTC  ann\\x07   created     Crash',
    'e1000000  2026-04-05 12:00 UTC  ann\\x07   title       Crash -> Fall\\x1b[31m             until abababab',
    'e2000000  2026-04-05 12:00 UTC  ann\\x07   body        nothing -> "First line and more"',
    'e4000000  2026-04-05 12:00 UTC  ann\\x07   priority    P2 -> P1',
    'e5000000  2026-04-05 12:00 UTC  ann\\x07   due         2026-01-01 -> none',
    'e6000000  2026-04-05 12:00 UTC  ann\\x07   label       + bug',
    'e7000000  2026-04-05 12:00 UTC  aaaaaaaa  assignee    - bo',
    'e8000000  2026-04-05 12:00 UTC  ann\\x07   dependency  + blocks b07c1100',
    'e9000000  2026-04-05 12:00 UTC  ann\\x07   comment     "Seen too"',
    'ea000000  2026-04-05 12:00 UTC  ann\\x07   link        + https://example.org',
    'eb000000  2026-04-05 12:00 UTC  ann\\x07   state       open -> open                      no effect',
    '',
  ])
})

test('an edit of a comment names the comment, and shows what changed', async () => {
  const comment_id = 'c0'.repeat(32)
  const edits = [
    line('comment', 'Seen', 'Seen twice', { comment_id: comment_id as never }),
    line('comment', 'Seen twice', null, { comment_id: comment_id as never }),
    line('comment', null, 'Seen\x07', { comment_id: comment_id as never }),
  ]
  const rows = (await textOf(renderIssueHistory({ ...data, entries: edits }, view(null)))).trimEnd().split('\n')
  assert.deepEqual(
    rows.map((row) => row.split('\t')[4]),
    ['c0c0c0c0: nothing -> "… twice"', 'c0c0c0c0: "Seen twice" -> hidden', 'c0c0c0c0: hidden -> "Seen\\x07"'],
  )
})

test('a cut history tells how many entries there are', async () => {
  assert.match(await textOf(renderIssueHistory({ ...data, total: 1040 }, view(100))), /\n12 of 1,040 entries; --limit/)
})

test('a history off a terminal is rows with tabs', async () => {
  const [, title] = (await textOf(renderIssueHistory(data, view(null)))).split('\n')
  assert.equal(title, 'e1000000\t2026-04-05T12:00:00.000Z\tann\\x07\ttitle\tCrash -> Fall\\x1b[31m\tuntil abababab')
})

test('a change of a text shows where it differs', () => {
  const table: readonly (readonly [old: string | null, next: string | null, shown: string])[] = [
    [null, 'new', 'nothing -> "new"'],
    ['old', '', '"old" -> nothing'],
    ['a b c', 'a x c', '"… b …" -> "… x …"'],
    ['a b', 'a b c', 'nothing -> "… c"'],
    ['a a', 'a a a', 'nothing -> "… a"'],
    ['b c', 'c', '"b …" -> nothing'],
    ['same', 'same', 'nothing -> nothing'],
    ['', 'x'.repeat(60), `nothing -> "${'x'.repeat(40)}…"`],
  ]
  for (const [old, next, shown] of table) assert.equal(formatTextChange(old, next), shown)
})

test('an undo shows what it restored and what stays', async () => {
  const issue = { issue_id: target, short_id: 'b07c110', title: 'Fall\x07' }
  const priority = { ...issue, field: 'priority', old: 'P1', new: null }
  const actor = { ts_unix_ms: nowUnixMs, actor: 'aa'.repeat(16), actor_label: 'ann' }
  const command = { ...actor, event_ids: ['ab'.repeat(32)], changes: [priority], refused: [] }
  const answer = { action: 'undone', outcome: 'changed', event_id: 'e', commands: [command] }
  assert.equal(
    await renderReversal(answer, view(80)),
    'Undid the command of 2026-04-05 12:00 UTC by ann\n  b07c110 Fall\\x07  priority: P1 -> none\n',
  )
  const refused = [{ event_id: 'cd'.repeat(32), kind: 'IssueCreated', issue_id: target, reason: 'a new issue stays' }]
  const hidden = { ...issue, field: 'comment', old: 'x', new: null }
  const query = { field: 'query m', issue_id: null, short_id: null, title: null, old: 'a', new: null }
  assert.equal(
    await renderReversal({ ...answer, commands: [{ ...command, changes: [hidden, query], refused }] }, view(80)),
    'Undid the command of 2026-04-05 12:00 UTC by ann\n  b07c110 Fall\\x07  comment: hidden (it stays in the log)\n' +
      '  query m: a -> none\n  stays cdcdcdcd: a new issue stays\n',
  )
  const listed = { ...answer, action: 'listed', outcome: 'unchanged', commands: [command, { ...command, changes: [] }] }
  assert.equal(
    await renderReversal(listed, view(80)),
    '1  2026-04-05 12:00 UTC by ann\n  b07c110 Fall\\x07  priority: P1 -> none\n' +
      '2  2026-04-05 12:00 UTC by ann\n  changed nothing\n',
  )
  assert.match(await renderReversal({ ...answer, outcome: 'unchanged' }, view(80)), /^Nothing to change/)
  assert.equal(await renderReversal(answer, view(80, { quiet: true })), '')
})

test('saved queries are a table, broken ones marked', async () => {
  const saved = { actor: 'aa'.repeat(16), actor_label: null, ts_unix_ms: nowUnixMs - 3_600_000 }
  const queries = [
    { ...saved, name: 'mine', query: 'assignee:me', problem: null },
    { ...saved, name: 'bad\n', query: 'lable:x\x1b', problem: 'no such qualifier' },
  ]
  assert.equal(
    await renderQueryList({ queries }, view(100)),
    `Name   Query        Broken             By        Saved
mine   assignee:me                     aaaaaaaa  1 h ago
bad\\n  lable:x\\x1b  no such qualifier  aaaaaaaa  1 h ago
`,
  )
  assert.match(await renderQueryList({ queries: [] }, view(80)), /^No saved queries yet/)
  assert.equal(await renderQueryList({ queries: [] }, view(null)), '')
})

test('a saved query is confirmed with what it was before', async () => {
  const change = { name: 'mine', query: 'state:open\x07', event_id: 'e' }
  assert.equal(await renderQuerySave(change, view(80)), 'Saved mine: state:open\\x07\n')
  assert.equal(
    await renderQuerySave({ ...change, replaced: 'x' }, view(80)),
    'Saved mine: state:open\\x07\nReplaced: x\n',
  )
  assert.equal(
    await renderQuerySave({ ...change, event_id: null }, view(80)),
    'Nothing to change in mine: state:open\\x07\n',
  )
  assert.equal(await renderQueryRemove(change, view(80)), 'Removed mine (state:open\\x07)\n')
  assert.equal(await renderQueryRemove({ ...change, query: null }, view(80)), 'Removed mine\n')
})
