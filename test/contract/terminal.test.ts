/** Editor, pager, colours and width on a terminal, which `script` of util-linux provides. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { onTerminal, onTerminalOf, program, skip } from '../support/terminal.ts'
import { createGriteSandbox } from './grite-process.ts'
import { jsonContract, keyFaults } from './json-contract.ts'
import { schemaFaults } from './schemas.ts'

test('issue create without a title opens the editor', { skip }, (t) => {
  const place = createGriteSandbox(t)
  const seen = join(place.dir, 'seen')
  const editor = program(
    place,
    'editor',
    `printf '%s' "$1" > '${seen}'; printf 'Typed title\\n\\nTyped\\nbody\\n' > "$1"`,
  )
  const { status, text } = onTerminal(place, { EDITOR: editor }, 'issue', 'create', '--label=bug')
  assert.equal(status, 0, text)
  assert.match(text, /Typed title/)
  const [{ issue_id }] = place.data('issue', 'list').issues
  const { issue } = place.data('issue', 'show', issue_id)
  assert.deepEqual([issue.title, issue.body, issue.labels], ['Typed title', 'Typed\nbody', ['bug']])
  assert.ok(!existsSync(readFileSync(seen, 'utf8')), 'the draft is gone')

  const again = program(place, 'again', `grep -q 'Typed title' "$1" && printf 'Better title\\n\\nbody\\n' > "$1"`)
  assert.equal(onTerminal(place, { EDITOR: again }, 'issue', 'update', issue_id).status, 0)
  assert.equal(place.data('issue', 'show', issue_id).issue.title, 'Better title')
})

test('grite edit changes an issue in the editor', { skip }, (t) => {
  const place = createGriteSandbox(t)
  const issue = place.create('Crash', '--body=Text', '--label=bug')
  const editor = program(
    place,
    'editor',
    `sed -e 's/^labels: bug/labels: ui/' -e 's/^Crash/Better/' "$1" > "$1.new" && mv "$1.new" "$1"`,
  )
  const { status, text } = onTerminal(place, { EDITOR: editor }, 'edit', issue, '--json')
  assert.equal(status, 0, text)
  const { data } = JSON.parse(text)
  assert.deepEqual(keyFaults(jsonContract['issue edit'] ?? {}, data), [])
  assert.deepEqual(schemaFaults('issue edit', 'data', data), [])
  const shown = place.data('issue', 'show', issue).issue
  assert.deepEqual([shown.title, shown.body, shown.labels, data.event_ids.length], ['Better', 'Text', ['ui'], 3])

  const wrong = program(place, 'wrong', `sed 's/^status:/colour: red/' "$1" > "$1.new" && mv "$1.new" "$1"`)
  const refused = onTerminal(place, { EDITOR: wrong }, 'edit', issue)
  assert.equal(refused.status, 2)
  const [, saved = ''] = /line 11: there is no field 'colour'.*Your text was saved to (\S+)/s.exec(refused.text) ?? []
  assert.match(readFileSync(saved, 'utf8'), /^colour: red$/m)
})

test('an editor that fails or leaves no text writes nothing', { skip }, (t) => {
  const place = createGriteSandbox(t)
  const failing = onTerminal(place, { EDITOR: 'false' }, 'issue', 'create')
  assert.equal(failing.status, 2)
  assert.match(failing.text, /editor 'false' exited with status 1; nothing was changed/)
  const absent = onTerminal(place, { EDITOR: 'no-such-editor --wait' }, 'issue', 'create')
  assert.equal(absent.status, 2)
  assert.match(absent.text, /cannot run the editor 'no-such-editor --wait': .*ENOENT/)
  const empty = onTerminal(place, { EDITOR: 'true' }, 'issue', 'create')
  assert.equal(empty.status, 2)
  assert.match(empty.text, /title must not be empty/)
  assert.equal(place.head(), null)
})

test('Ctrl-C in the editor does not end grite', { skip }, (t) => {
  const place = createGriteSandbox(t)
  const editor = program(place, 'editor', `trap : INT; kill -INT $PPID; kill -INT $$; echo 'Survived' > "$1"`)
  const { status, text } = onTerminal(place, { EDITOR: editor }, 'issue', 'create')
  assert.equal(status, 0, text)
  assert.equal(place.data('issue', 'list').issues[0].title, 'Survived')
})

test('a terminal without a size gets no pager', { skip }, (t) => {
  const place = createGriteSandbox(t)
  place.create('A title of some length')
  const { text } = onTerminalOf('cols 0 rows 0', place, { GRITE_PAGER: 'false' }, 'issue', 'list')
  assert.match(text, /A title of some length/)
})

test('output longer than the terminal goes to the pager', { skip }, (t) => {
  const place = createGriteSandbox(t)
  const operations = Array.from({ length: 40 }, (_, index) => `{"op":"create","title":"Issue ${index}"}`)
  assert.equal(place.griteWith({ stdin: operations.join('\n') }, 'batch').status, 0)
  const pager = program(place, 'pager', 'echo "paged, secure=$LESSSECURE $1"; head -1 >/dev/null; exit 3')
  const list = (env: Record<string, string>, ...words: string[]) => onTerminal(place, env, 'issue', 'list', ...words)
  assert.deepEqual(list({ PAGER: `${pager} -x` }), { status: 0, text: 'paged, secure=1 -x\n' })
  assert.match(list({ GRITE_PAGER: pager, PAGER: 'false' }).text, /^paged/)
  const whole = /^\S*ID[\s\S]*40 open issues/
  assert.match(list({ PAGER: pager }, '--no-pager').text, whole)
  assert.match(list({ PAGER: 'cat' }).text, whole)
  assert.match(list({ PAGER: '/nonexistent/pager' }).text, whole)
  assert.doesNotMatch(list({ PAGER: pager }, '--limit=3').text, /paged/)
  assert.match(onTerminal(place, { PAGER: pager }, 'help', '--all').text, /^paged/)
  assert.doesNotMatch(onTerminalOf('cols 80 rows 24', place, { PAGER: pager }, 'help').text, /paged/)
  assert.doesNotMatch(list({ PAGER: pager }, '--json').text, /paged/)
})

test('an issue list fits the terminal and honours NO_COLOR', { skip }, (t) => {
  const place = createGriteSandbox(t)
  place.create(
    'A title that is much longer than what a terminal of a hundred columns can show in one line of it',
    '--label=needs-triage',
    '--priority=0',
    '--type=bug',
    '--assignee=somebody',
  )
  const plain = onTerminal(place, { NO_COLOR: '1', TERM: 'xterm' }, 'issue', 'list').text
  const [heading = '', row = ''] = plain.split('\n')
  assert.equal(heading.replace(/\s+/g, ' '), 'ID State Prio Type Title Labels Assignees Updated')
  assert.ok(row.length <= 100, row)
  assert.match(row, /^[0-9a-f]{7} +open +P0 +bug +A title that .*… +needs-tr\S* +somebody +just now$/)
  assert.match(onTerminal(place, {}, 'issue', 'list').text, /\x1b\[36m[0-9a-f]{7}\x1b\[39m/)
})

test('issue list in an empty repository suggests issue create', { skip }, (t) => {
  assert.equal(
    onTerminal(createGriteSandbox(t), {}, 'issue', 'list').text,
    'No issues yet. Run `grite issue create --title "…"` to create one.\n',
  )
})
