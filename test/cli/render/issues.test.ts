import assert from 'node:assert/strict'
import { test } from 'node:test'
import stringWidth from 'string-width'
import { renderIssueChange } from '../../../src/cli/render/issue-change.ts'
import { renderIssueList as exactIssueList } from '../../../src/cli/render/issue-list.ts'
import type { IssueDetail, IssueSummary } from '../../../src/cli/render/issue-shapes.ts'
import { renderIssueShow as exactIssueShow } from '../../../src/cli/render/issue-show.ts'
import type { RenderView } from '../../../src/cli/render/renderer.ts'
import { openStyle, plainStyle } from '../../../src/cli/render/style.ts'
import type { IssueListData } from '../../../src/commands/issue/list.ts'
import { onParts, type Parts, textOf } from './text-of.ts'

const renderIssueList = onParts(exactIssueList)
const renderIssueShow = onParts(exactIssueShow)

const nowUnixMs = Date.UTC(2026, 3, 5, 12, 0, 0)
const hour = 3_600_000

function view(width: number | null, other: Partial<RenderView> = {}): RenderView {
  return { width, style: plainStyle, nowUnixMs, quiet: false, ...other }
}

function issue(id: string, title: string, other: Parts<IssueSummary> = {}) {
  return {
    issue_id: id.padEnd(32, '0'),
    short_id: id,
    title,
    state: 'open',
    labels: [],
    assignees: [],
    created_ts: nowUnixMs - 50 * hour,
    updated_ts: nowUnixMs - 3 * hour,
    comment_count: 0,
    ...other,
  }
}

const issues = [
  issue('4f2a91', 'Crash when the window is resized while a sync is under way', {
    labels: ['bug', 'priority:P0', 'type:bug', 'ui'],
    assignees: ['ana'],
    fields: { priority: 'P0', type: 'bug' },
  }),
  issue('b07c11', '日本語のタイトルが途中で切れてしまう問題を直す', { state: 'closed', labels: ['größe'] }),
  issue('c9d8e7', 'evil \x1b]0;x\x07 \u202etitle', { updated_ts: nowUnixMs + 50 * hour }),
]

function list(shown: readonly Parts<IssueSummary>[], other: Partial<Parts<IssueListData>> = {}): Parts<IssueListData> {
  const closed = shown.filter(({ state }) => state === 'closed').length
  const counts = { total: shown.length, open_count: shown.length - closed, closed_count: closed }
  return { issues: shown, ...counts, issue_count: shown.length, ...other }
}

test('an issue list fits into 80 columns', async () => {
  assert.equal(
    await textOf(renderIssueList(list(issues), view(80))),
    `ID      State   Prio  Type  Title                    Labels   Assignees  Updated
4f2a91  open    P0    bug   Crash when the window…   bug, ui  ana        3 h ago
b07c11  closed              日本語のタイトルが途中…  größe               3 h ago
c9d8e7  open                evil \\x1b]0;x\\x07…                           in 2 d

3 issues (2 open, 1 closed)
`,
  )
})

test('an issue list fits into 40 and 120 columns', async () => {
  for (const width of [40, 120]) {
    const text = await textOf(renderIssueList(list(issues), view(width)))
    for (const line of text.split('\n')) assert.ok(stringWidth(line) <= width, line)
  }
})

test('an issue list written to a pipe is tab-separated without a summary', async () => {
  const text = await textOf(renderIssueList(list(issues.slice(0, 2)), view(null)))
  assert.equal(
    text,
    '4f2a91\topen\tP0\tbug\t\tCrash when the window is resized while a sync is under way\tbug, ui\tana\t2026-04-05T09:00:00.000Z\n' +
      'b07c11\tclosed\t\t\t\t日本語のタイトルが途中で切れてしまう問題を直す\tgröße\t\t2026-04-05T09:00:00.000Z\n',
  )
})

test('milestone and due date are columns on a terminal, labels elsewhere', async () => {
  const dated = [
    issue('4f2a91', 'Late', {
      labels: ['due:2026-04-04', 'milestone:2.1', 'ui'],
      fields: { due: '2026-04-04', milestone: '2.1' },
    }),
    issue('b07c11', 'In time', { labels: ['due:2026-04-05'], fields: { due: '2026-04-05' } }),
    issue('c9d8e7', 'Done', { state: 'closed', labels: ['due:2026-04-04'], fields: { due: '2026-04-04' } }),
  ]
  assert.equal(
    await textOf(renderIssueList(list(dated), view(100, { quiet: true }))),
    `ID      State   Title    Milestone  Due                 Labels  Updated
4f2a91  open    Late     2.1        2026-04-04 overdue  ui      3 h ago
b07c11  open    In time             2026-04-05                  3 h ago
c9d8e7  closed  Done                2026-04-04                  3 h ago
`,
  )
  const style = await openStyle({}, true)
  assert.match(await textOf(renderIssueList(list(dated), view(100, { style }))), /\x1b\[31m2026-04-04 overdue\x1b\[39m/)
  const [line = ''] = (await textOf(renderIssueList(list(dated), view(null)))).split('\n')
  assert.equal(line, '4f2a91\topen\t\t\t\tLate\tdue:2026-04-04, milestone:2.1, ui\t\t2026-04-05T09:00:00.000Z')
})

test('colours do not change the columns of an issue list', async () => {
  const style = await openStyle({}, true)
  const plain = await textOf(renderIssueList(list(issues), view(100)))
  const coloured = await textOf(renderIssueList(list(issues), view(100, { style })))
  assert.match(coloured, /\x1b\[36m4f2a91\x1b\[39m/)
  const withoutColours = coloured.replace(/\x1b\[\d+m/g, '').replace(/ +$/gm, '')
  assert.equal(withoutColours, plain)
})

test('an empty issue list suggests the next step', async () => {
  assert.match(await textOf(renderIssueList(list([]), view(80))), /^No issues yet.*grite issue create/)
  assert.match(await textOf(renderIssueList(list([], { issue_count: 7 }), view(80))), /^None of 7 issues match/)
  assert.match(await textOf(renderIssueList(list([], { total: 3 }), view(80))), /^No issues shown of 3; raise --limit/)
  assert.equal(await textOf(renderIssueList(list([]), view(null))), '')
})

test('a truncated issue list prints the total number of issues', async () => {
  const cut = list(issues, { total: 1040, open_count: 1000, closed_count: 40 })
  assert.match(await textOf(renderIssueList(cut, view(80))), /\n3 of 1,040 issues \(1,000 open, 40 closed\);/)
})

test('an issue list shows exactly the chosen fields', async () => {
  const picked = [
    { title: 'Crash \x1b', state: 'open', labels: ['bug', 'ui'], fields: { priority: 'P0' }, updated_ts: nowUnixMs },
  ] as unknown as IssueSummary[]
  const columns = ['state', 'title', 'labels', 'fields', 'updated_ts', 'due']
  const chosen = list(picked, { columns })
  assert.equal(
    await textOf(renderIssueList(chosen, view(80, { quiet: true }))),
    'state  title       labels   fields       updated_ts\nopen   Crash \\x1b  bug, ui  priority:P0  just now\n',
  )
  assert.equal(
    await textOf(renderIssueList(chosen, view(null))),
    'open\tCrash \\x1b\tbug, ui\tpriority:P0\t2026-04-05T12:00:00.000Z\t\n',
  )
})

test('a narrow issue list drops columns instead of truncating headings', async () => {
  for (let width = 34; width <= 120; width++) {
    const [headings = ''] = (await textOf(renderIssueList(list(issues), view(width)))).split('\n')
    assert.doesNotMatch(headings, /…/, `${width}: ${headings}`)
    assert.match(headings, /^ID .*Title/)
  }
})

test('--quiet prints only the rows of an issue list', async () => {
  assert.doesNotMatch(await textOf(renderIssueList(list(issues), view(80, { quiet: true }))), /issues/)
})

const detail: Parts<IssueDetail> = {
  ...issue('4f2a91', 'Crash \x1b[31mred', {
    labels: ['bug', 'priority:P0', 'priority:high'],
    assignees: ['ana'],
    fields: {
      priority: 'P0',
      due: '2026-05-01',
      milestone: '1.0',
      status: 'blocked',
      parent: 'b07c11'.padEnd(32, '0'),
    },
  }),
  author: 'aaaabbbbccccdddd',
  author_label: 'Ana\x07',
  original_id: 'bd-7',
  parent_issue: { issue_id: 'b07c11'.padEnd(32, '0'), short_id: 'b07c110', title: 'Epic\n', state: 'closed' },
  body: 'First line\nsecond\x1b[2J line\n',
  comments: [
    {
      event_id: 'e',
      actor: 'aaaabbbbccccdddd',
      actor_label: 'Ana\u202e',
      ts_unix_ms: nowUnixMs - hour,
      body: 'Seen too.\n\nTwice.',
    },
    { event_id: 'f', actor: 'aaaabbbbccccdddd', actor_label: null, ts_unix_ms: nowUnixMs, body: 'ok' },
  ],
  links: [{ event_id: 'l', url: 'https://example.org/\x07', note: 'trace' }],
  attachments: [{ event_id: 'a', name: 'log.txt', sha256: 'ab'.repeat(32), mime: 'text/plain' }],
  dependencies: [
    { issue_id: 'b07c11'.padEnd(32, '0'), dep_type: 'depends_on', title: 'Other', state: 'open' },
    { issue_id: 'c1'.padEnd(32, '0'), dep_type: 'blocks', title: 'Release', state: 'closed' },
    { issue_id: 'c2'.padEnd(32, '0'), dep_type: 'related_to', title: 'Twin', state: 'open' },
  ],
  dependents: [
    { issue_id: 'd1'.padEnd(32, '0'), dep_type: 'related_to', title: 'Cousin', state: 'open' },
    { issue_id: 'd2'.padEnd(32, '0'), dep_type: 'blocks', title: 'Wall', state: 'open' },
    { issue_id: 'd3'.padEnd(32, '0'), dep_type: 'depends_on', title: 'Child', state: 'open' },
  ],
}

test('issue show prints every part of an issue, escaped', async () => {
  assert.equal(
    await textOf(renderIssueShow({ issue: detail }, view(80))),
    `Crash \\x1b[31mred
4f2a91  open

Priority:    P0
Status:      blocked
Due:         2026-05-01
Milestone:   1.0
Parent:      b07c110 Epic\\n (closed)
Labels:      bug, priority:high
Assignees:   ana
Imported as: bd-7
Created:     2 d ago (2026-04-03 10:00 UTC) by Ana\\x07
Updated:     3 h ago (2026-04-05 09:00 UTC)

First line
second\\x1b[2J line

Depends on
  b07c1100 Other (open)

Blocks
  c1000000 Release (closed)

Needed by
  d3000000 Child (open)

Blocked by
  d2000000 Wall (open)

Related to
  c2000000 Twin (open)
  d1000000 Cousin (open)

Links
  https://example.org/\\x07 (trace)

Attachments
  log.txt (text/plain, sha256 abababababab)

Ana\\u202e 1 h ago (2026-04-05 11:00 UTC) e
  Seen too.

  Twice.

aaaabbbb just now (2026-04-05 12:00 UTC) f
  ok
`,
  )
})

test('an issue change prints one line per issue', async () => {
  const data = { issue_id: '4f2a91'.padEnd(32, '0'), short_id: '4f2a91', event_id: 'e', title: 'Crash\n' }
  assert.equal(await renderIssueChange('Created')(data, view(80)), 'Created 4f2a91 Crash\\n\n')
  assert.equal(
    await renderIssueChange('Closed')({ ...data, event_id: null }, view(80)),
    'Nothing to change in 4f2a91 Crash\\n\n',
  )
  assert.equal(await renderIssueChange('Created')(data, view(80, { quiet: true })), '')
  const results = [data, { ...data, short_id: 'b07c11', event_id: null }]
  assert.equal(
    await renderIssueChange('Closed')({ results }, view(80)),
    'Closed 4f2a91 Crash\\n\nNothing to change in b07c11 Crash\\n\n',
  )
})

/** Comments by `ann`, the second and later ones each a reply to the one before. */
function chainOfComments(bodies: readonly string[]): Parts<IssueDetail['comments'][number]>[] {
  return bodies.map((body, index) => ({
    event_id: `${index}`.repeat(64),
    parent: index === 0 ? null : `${index - 1}`.repeat(64),
    actor: 'a0'.repeat(16),
    actor_label: 'ann',
    ts_unix_ms: nowUnixMs - hour,
    body,
  }))
}

async function showComments(comments: readonly Parts<IssueDetail['comments'][number]>[], width: number | null) {
  const data = { issue: { ...issue('4f2a91', 'Crash'), body: 'text', comments } }
  const text = await textOf(renderIssueShow(data, view(width)))
  return text.slice(text.indexOf('text\n\n') + 6)
}

test('replies stand below their comment with a line', async () => {
  const [first, second, third] = chainOfComments(['Seen.\n\nTwice.', 'Where?', 'Here.'])
  const late = { ...first, event_id: 'f'.repeat(64), body: 'Fixed?', parent: first?.event_id ?? '' }
  assert.equal(
    await showComments([first ?? {}, second ?? {}, third ?? {}, late], 80),
    `ann 1 h ago (2026-04-05 11:00 UTC) 00000000
  Seen.

  Twice.

  │ ann 1 h ago (2026-04-05 11:00 UTC) 11111111
  │   Where?
  │
  │ │ ann 1 h ago (2026-04-05 11:00 UTC) 22222222
  │ │   Here.
  │
  │ ann 1 h ago (2026-04-05 11:00 UTC) ffffffff
  │   Fixed?
`,
  )
})

test('deep threads fit into 40 columns', async () => {
  const text = await showComments(chainOfComments(Array(9).fill('a few words 日本語 more than one line holds')), 40)
  for (const line of text.split('\n').slice(3)) assert.ok(stringWidth(line) <= 40, line)
  assert.match(text, /│ │ │ │ │ ann 1 h ago\n.*\(2026-04-05 11:00 UTC\)\n.*88888888 answers\n?.*77777777/)
})

test('without a terminal, replies are indented and whole', async () => {
  const text = await showComments(chainOfComments(['a', 'word '.repeat(40).trim()]), null)
  assert.match(text, /^ {4}ann 2026-04-05 11:00 UTC 11111111\n {6}(word ){39}word\n$/m)
})

test('a reply to a missing comment says so', async () => {
  const [, reply] = chainOfComments(['a', 'b'])
  assert.match(await showComments([reply ?? {}], 100), /^ann .* 11111111 answers 00000000, which is not here\n {2}b\n$/)
})

test('an edited comment names its editor, a hidden one has no text', async () => {
  const [first] = chainOfComments(['Seen.'])
  const edited = { edited_ts: nowUnixMs - 2 * hour, edited_by: 'b0'.repeat(16), edited_by_label: 'bo\x07' }
  assert.match(
    await showComments([{ ...first, ...edited, hidden: false }], 100),
    /^ann 1 h ago \(.*\) 00000000 edited by bo\\x07, 2 h ago\n {2}Seen\.\n$/,
  )
  assert.match(
    await showComments([{ ...first, ...edited, hidden: true, body: '', edited_signature: 'invalid' }], 100),
    /^ann 1 h ago \(.*\) 00000000 \[edit: signature does not verify\]\n {2}hidden by bo\\x07, 2 h ago\n$/,
  )
})

test('issue show wraps titles, texts and comments between words', async () => {
  const body = 'A sentence that is longer than the terminal is wide.'
  const long = {
    ...issue('4f2a91', 'A title that is longer than forty columns are', {
      labels: ['first label', 'second label', 'third label'],
    }),
    body,
    comments: [{ event_id: 'e', actor: 'aaaa', ts_unix_ms: nowUnixMs, body }],
    dependencies: [{ issue_id: 'c1'.padEnd(32, '0'), dep_type: 'blocks', title: body, state: 'open' }],
  }
  const text = await textOf(renderIssueShow({ issue: long }, view(40)))
  for (const lines of [
    'A title that is longer than forty\ncolumns are\n',
    'Labels:  first label, second label,\n         third label\n',
    '\nA sentence that is longer than the\nterminal is wide.\n',
    '  c1000000 A sentence that is longer\n           than the terminal is wide.\n           (open)\n',
    '  A sentence that is longer than the\n  terminal is wide.\n',
  ]) {
    assert.ok(text.includes(lines), `${lines} is in ${text}`)
  }
  assert.ok((await textOf(renderIssueShow({ issue: long }, view(null)))).includes(`\n${body}\n`))
})
