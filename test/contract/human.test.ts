/** Text output of commands written to a pipe; test/cli/render and terminal.test.ts test the layout on a terminal. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { commandRunner } from '../support/command-runner.ts'
import { makeForeignIssue } from '../support/foreign-issue.ts'
import { createLineSandbox } from './grite-process.ts'

/** Replaces ids and times with placeholders, so that the text can be compared. */
function withPlaceholders(text: string): string {
  return text
    .replace(/\b[0-9a-f]{64}\b/g, '<hash>')
    .replace(/\b[0-9a-f]{32}\b/g, '<id>')
    .replace(/\b[0-9a-f]{7,8}\b/g, '<short>')
    .replace(/\d{4}-\d{2}-\d{2}T[\d:.]+Z/g, '<time>')
    .replace(/\d{4}-\d{2}-\d{2} \d{2}:\d{2} UTC/g, '<minute>')
}

test('a session prints one plain line per change', (t) => {
  const place = createLineSandbox(t)
  const run = (...words: string[]) => withPlaceholders(place.grite(...words).stdout)
  assert.equal(
    run('init'),
    'Ready. You write as actor <short>\nNext: grite issue create --title "…"\nFor coding agents: grite init --agents-md\n',
  )
  const epic = place.create('Epic', '--type=epic')
  assert.equal(
    run('issue', 'create', '--title=Crash', '--priority=1', '--label=bug', `--parent=${epic}`),
    'Created <short> Crash\n',
  )
  const crash = place.data('issue', 'list').issues[1].issue_id
  assert.equal(run('issue', 'close', crash, epic), 'Closed <short> Crash\nClosed <short> Epic\n')
  assert.equal(run('issue', 'close', crash), 'Nothing to change in <short> Crash\n')
  assert.equal(run('issue', 'reopen', crash), 'Reopened <short> Crash\n')
  assert.equal(
    run('issue', 'list', '--state=all', '--sort=created'),
    '<short>\tclosed\t\tepic\t\tEpic\t\t\t<time>\n<short>\topen\tP1\t\t\tCrash\tbug\t\t<time>\n',
  )
  assert.equal(run('issue', 'list', '--fields=title,state'), 'Crash\topen\n')
  assert.equal(run('issue', 'list', '--fields=title', '--query=is:closed OR is:open'), 'Crash\nEpic\n')
  assert.equal(
    run('issue', 'show', crash),
    `Crash
<short>  open

Priority: P1
Parent:   <short> Epic (closed)
Labels:   bug
Created:  <minute> by <short>
Updated:  <minute>

No description.
`,
  )
  assert.equal(run('issue', 'show', crash, '--fields=title,priority,due,children'), 'Crash\tP1\t\t\n')
  assert.equal(run('db', 'check'), 'The log is sound: 5 events checked.\n')
  assert.equal(run('db', 'verify'), 'No event is signed: 5 events checked.\n')
  assert.equal(run('rebuild'), 'Rebuilt the view: 5 events of 2 issues at <short>\n')
})

test('batch prints one line of JSON per operation', (t) => {
  const place = createLineSandbox(t)
  const stdin = '{"op":"create","title":"A","as":"a"}\n\n{"op":"close","issue":"@a"}\n'
  const { status, stdout } = place.griteWith({ stdin }, 'batch')
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  assert.deepEqual(
    [status, lines.map(({ line, op }) => [line, op])],
    [
      0,
      [
        [1, 'create'],
        [3, 'close'],
      ],
    ],
  )
  assert.equal(lines[1].issue_id, lines[0].issue_id)
})

test('import prints imported, skipped and unreadable lines', (t) => {
  const place = createLineSandbox(t)
  const times = { created_at: '2025-01-01T00:00:00Z', updated_at: '2025-01-01T00:00:00Z' }
  const line = (id: string, status: string) => JSON.stringify({ id, title: id, status, ...times })
  const file = join(place.path, 'tracker.jsonl')
  writeFileSync(file, [line('a-1', 'open'), line('a-2', 'open'), line('a-3', 'tombstone')].join('\n'))
  assert.match(
    place.grite('import', file, '--dry-run').stdout,
    /^Would import 2 issues \(\d+ events, 1 commit\)\. Nothing was written\.\nSkipped 1 tombstone \(--include-tombstones imports them\)\.\n$/,
  )
  assert.equal(place.head(), null)
  assert.match(place.grite('import', file).stdout, /^Imported 2 issues \(\d+ events, 1 commit\)\.\nSkipped 1 tombstone/)
  assert.match(place.grite('import', file).stdout, /^Nothing to import: 2 issues already exist\.\n/)
  writeFileSync(file, [line('a-1', 'open'), '{"id":', line('a-4', 'open')].join('\n'))
  const { status, stdout } = place.grite('import', file)
  assert.equal(status, 1)
  assert.match(
    stdout,
    /^Imported 1 issue \(.*\)\. 1 issue unchanged\.\nCould not read 1 line; imported the rest:\n {2}line 2: \S/,
  )
})

test('issue attachment lists attachments and writes one to a file', (t) => {
  const place = createLineSandbox(t)
  const id = place.create('With a file')
  writeFileSync(join(place.path, 'a.log'), 'hello\n')
  place.data('issue', 'attachment', 'add', id, '--file=a.log')
  place.data('issue', 'attachment', 'add', id, '--name=far', '--mime=x/y', `--sha256=${'ab'.repeat(32)}`)
  assert.equal(
    withPlaceholders(place.grite('issue', 'attachment', 'list', id).stdout),
    'a.log\ttext/plain\tstored\t<hash>\nfar\tx/y\telsewhere\t<hash>\n',
  )
  const target = join(place.path, 'out.log')
  assert.equal(
    place.grite('issue', 'attachment', 'get', id, 'a.log', '-o', target).stdout,
    `Wrote a.log (6 B) to ${target}\n`,
  )
})

test('no command prints control characters from an issue', async (t) => {
  const place = createLineSandbox(t)
  const evil = 'a\x1b]0;owned\x07\u202eb\x9b31m\r'
  const line = `${evil}\nnext`
  const runner = commandRunner({ cwd: place.path, env: place.environment })
  const id = await makeForeignIssue(runner, { title: line, body: line, url: line })
  place.data('issue', 'label', 'add', id, '--label', line)
  place.data('issue', 'assignee', 'add', id, '--user', line)
  place.data('issue', 'update', id, '--milestone', line)
  place.data('issue', 'comment', id, '--body', line)
  place.data('issue', 'attachment', 'add', id, '--name', line, '--mime', line, `--sha256=${'ab'.repeat(32)}`)
  const { actor_id } = place.data('actor', 'init', '--label', line)
  place.data('actor', 'use', actor_id)
  place.data('issue', 'comment', id, '--body=by the labelled one')
  const commands = [
    ['issue', 'list'],
    ['issue', 'list', '--fields=title,labels,assignees,fields'],
    ['issue', 'show', id],
    ['issue', 'close', id],
    ['issue', 'attachment', 'list', id],
    ['actor', 'list'],
    ['actor', 'show'],
    ['issue', 'show', line],
    ['issue', 'list', '--state', line],
    ['issue', 'update', id, '--due', line],
    ['issue', 'list', `--${line}`],
    [line],
    ['import', line],
    ['__complete', 'issue', 'reopen', id.slice(0, 4)],
  ]
  for (const words of commands) {
    const { stdout, stderr } = place.grite(...words)
    assert.ok(stdout + stderr !== '', words.join(' '))
    assert.doesNotMatch(stdout + stderr, /[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]/, words.join(' '))
  }
  for (const words of [
    ['issue', 'list', '--state=all'],
    ['issue', 'show', id],
  ]) {
    assert.match(place.grite(...words).stdout, /a\\x1b\]0;owned\\x07\\u202eb\\x9b31m\\r\\nnext/)
  }
  // JSON output holds the unescaped text.
  assert.equal(place.data('issue', 'show', id).issue.title, line)
})
