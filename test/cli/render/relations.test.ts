import assert from 'node:assert/strict'
import { test } from 'node:test'
import stringWidth from 'string-width'
import { renderBlocked as exactBlocked } from '../../../src/cli/render/blocked.ts'
import { renderIssueClose as exactIssueClose } from '../../../src/cli/render/issue-change.ts'
import {
  renderDependencyChange as exactDependencyChange,
  renderDependencyList as exactDependencyList,
  renderDependencyOrder as exactDependencyOrder,
} from '../../../src/cli/render/issue-dependencies.ts'
import { renderIssueShow as exactIssueShow } from '../../../src/cli/render/issue-show.ts'
import { renderReady as exactReady } from '../../../src/cli/render/ready.ts'
import { renderRelationGraph as exactRelationGraph } from '../../../src/cli/render/relation-graph.ts'
import type { RenderView } from '../../../src/cli/render/renderer.ts'
import { plainStyle } from '../../../src/cli/render/style.ts'
import { onParts, textOf } from './text-of.ts'

const renderBlocked = onParts(exactBlocked)
const renderIssueClose = onParts(exactIssueClose)
const renderDependencyChange = onParts(exactDependencyChange)
const renderDependencyList = onParts(exactDependencyList)
const renderDependencyOrder = onParts(exactDependencyOrder)
const renderIssueShow = onParts(exactIssueShow)
const renderReady = onParts(exactReady)
const renderRelationGraph = onParts(exactRelationGraph)

const nowUnixMs = Date.UTC(2026, 3, 5, 12)
const view = (width: number | null, quiet = false): RenderView => ({ width, style: plainStyle, nowUnixMs, quiet })

const mention = (id: string, title: string, state: string | null = 'open') => ({
  issue_id: id.padEnd(32, '0'),
  short_id: state === null ? id.padEnd(32, '0') : id,
  title,
  state,
})
const summary = (id: string, title: string, fields = {}) => ({
  ...mention(id, title),
  state: 'open',
  labels: [],
  assignees: [],
  created_ts: nowUnixMs - 86_400_000,
  updated_ts: nowUnixMs,
  comment_count: 0,
  fields,
})

const hostile = 'a"b`c<i>&amp;#35;\\n]; \u202e\n%%{init}'

function graph(format: string, cuts: Readonly<Record<number, string>> = {}) {
  const nodes = [
    { ...mention('aaaaaaa', 'Release'), type: 'epic' },
    { ...mention('bbbbbbb', 'Fix the parser', 'closed'), type: null },
    { ...mention('ccccccc', hostile), type: null },
    { ...mention('ddddddd', '?', null), type: null },
  ]
  const [a, b, c, d] = nodes.map(({ issue_id }) => issue_id) as [string, string, string, string]
  const rows = [
    [a, 0],
    [b, 1],
    [c, 2],
    [d, 1],
    [c, 0],
  ] as const
  return {
    relation: 'dependencies',
    format,
    nodes,
    edges: [
      { from: b, to: a, types: ['blocks'] },
      { from: c, to: b, types: ['depends_on'] },
      { from: a, to: c, types: ['related_to'] },
    ],
    tree: rows.map(([issue_id, depth], index) => ({ issue_id, depth, cut: cuts[index] ?? null })),
    cycles: [[c]],
  }
}

const shownHostile = String.raw`a"b${'`'}c<i>&amp;#35;\n]; \u202e\n%%{init}`

test('a dependency tree on a terminal is drawn with lines', async () => {
  assert.equal(
    await renderRelationGraph(graph('tree', { 2: 'cycle', 4: 'repeated' }), view(100)),
    `[ ] aaaaaaa Release
├─ [x] bbbbbbb Fix the parser
│  └─ [ ] ccccccc ${shownHostile} (a cycle: see above)
└─ [?] ${'ddddddd'.padEnd(32, '0')} unknown here
[ ] ccccccc ${shownHostile} (see above)
`,
  )
})

test('a dependency tree written to a pipe is indented, not truncated', async () => {
  assert.equal(
    await renderRelationGraph(graph('tree', { 2: 'deep' }), view(null)),
    `[ ] aaaaaaa Release
  [x] bbbbbbb Fix the parser
    [ ] ccccccc ${shownHostile} (more below)
  [?] ${'ddddddd'.padEnd(32, '0')} unknown here
[ ] ccccccc ${shownHostile}
`,
  )
})

test('a dependency tree fits into a terminal of 50 columns', async () => {
  const text = await renderRelationGraph(graph('tree', { 2: 'cycle' }), view(50))
  for (const line of text.split('\n')) assert.ok(stringWidth(line) <= 50, line)
})

test('Mermaid output encodes issue titles as entities', async () => {
  assert.equal(
    await renderRelationGraph(graph('mermaid'), view(80)),
    `flowchart TD
  iaaaaaaa["aaaaaaa Release"]
  ibbbbbbb["bbbbbbb Fix the parser"]:::closed
  iccccccc["ccccccc a#34;b#96;c#60;i#62;#38;amp#59;#35;35#59;#92;n#93;#59; #92;u202e#92;n#37;#37;#123;init#125;"]:::cycle
  i${'ddddddd'.padEnd(32, '0')}["${'ddddddd'.padEnd(32, '0')} unknown here"]:::unknown
  ibbbbbbb --> iaaaaaaa
  iccccccc --> ibbbbbbb
  iaaaaaaa -.- iccccccc
  classDef closed opacity:0.5
  classDef unknown stroke-dasharray:4
  classDef cycle stroke:#d00,stroke-width:3px
`,
  )
})

test('DOT output quotes issue titles', async () => {
  assert.equal(
    await renderRelationGraph(graph('dot'), view(80)),
    String.raw`digraph issues {
  node [shape=box];
  iaaaaaaa [label="aaaaaaa Release"];
  ibbbbbbb [label="bbbbbbb Fix the parser", style=filled, fillcolor=gray90, fontcolor=gray40];
  iccccccc [label="ccccccc a\"b${'`'}c<i>&amp;amp;#35;\\n]; \\u202e\\n%%{init}", color=red];
  i${'ddddddd'.padEnd(32, '0')} [label="${'ddddddd'.padEnd(32, '0')} unknown here", style=dashed];
  ibbbbbbb -> iaaaaaaa;
  iccccccc -> ibbbbbbb;
  iaaaaaaa -> iccccccc [dir=none, style=dotted];
}
`,
  )
})

test('an empty graph suggests a first command, only on a terminal', async () => {
  const empty = { ...graph('tree'), nodes: [], tree: [] }
  assert.match(await renderRelationGraph(empty, view(80)), /`grite issue dep add/)
  assert.match(await renderRelationGraph({ ...empty, relation: 'parents' }, view(80)), /--parent/)
  assert.deepEqual(
    [await renderRelationGraph(empty, view(null)), await renderRelationGraph(empty, view(80, true))],
    ['', ''],
  )
})

const a = { ...mention('aaaaaaa', 'Crash'), state: 'open' }
const changeData = {
  ...a,
  event_id: 'e',
  action: 'added',
  dep_type: 'depends_on',
  target: 'b'.padEnd(32, '0'),
  target_short_id: 'bbbbbbb',
  target_title: 'Fix \u001b[2J',
  stored_as: { issue_id: a.issue_id, dep_type: 'depends_on', target: 'b'.padEnd(32, '0') },
}
const otherWay = { issue_id: changeData.target, dep_type: 'blocks', target: a.issue_id }
const edgeText = 'aaaaaaa Crash depends on bbbbbbb Fix \\x1b[2J'

const changes: readonly (readonly [title: string, data: object, text: string])[] = [
  ['Adding an edge', {}, `Added ${edgeText}\n`],
  ['Adding an existing edge', { event_id: null }, `Nothing to change: ${edgeText}\n`],
  [
    'Adding an edge stored in its other spelling',
    { event_id: null, stored_as: otherWay },
    `Nothing to change: ${edgeText} (stored as: bbbbbbb blocks aaaaaaa)\n`,
  ],
  ['Removing an edge', { action: 'removed' }, `Removed ${edgeText}\n`],
  [
    'Removing an edge stored in its other spelling',
    { action: 'removed', stored_as: otherWay },
    `Removed ${edgeText} (it was stored as: bbbbbbb blocks aaaaaaa)\n`,
  ],
  ['Removing an absent edge', { action: 'removed', event_id: null, stored_as: null }, `No such edge: ${edgeText}\n`],
  ['Adding an edge to an unknown issue', { target_title: null }, 'Added aaaaaaa Crash depends on bbbbbbb\n'],
]

for (const [title, data, text] of changes) {
  test(`${title} prints one line`, async () => {
    assert.equal(await renderDependencyChange({ ...changeData, ...data }, view(80)), text)
    assert.equal(await renderDependencyChange({ ...changeData, ...data }, view(80, true)), '')
  })
}

test('a dependency list words each edge from the side asked for', async () => {
  const deps = [
    { ...mention('bbbbbbb', 'Fix', 'closed'), dep_type: 'depends_on' },
    { ...mention('ccccccc', '?', null), dep_type: 'blocks' },
  ]
  assert.equal(
    await renderDependencyList({ ...a, deps, direction: 'dependencies' }, view(90)),
    `Edge        ID                                State    Title
depends on  bbbbbbb                           closed   Fix
blocks      ${'ccccccc'.padEnd(32, '0')}  unknown  ?
`,
  )
  assert.match(
    await renderDependencyList({ ...a, deps, direction: 'dependents' }, view(90)),
    /needed by .*\nblocked by /,
  )
  assert.match(
    await renderDependencyList({ ...a, deps, direction: 'dependents' }, view(null)),
    /^depends_on\tbbbbbbb\tclosed\tFix\n/,
  )
  assert.match(
    await renderDependencyList({ ...a, deps: [], direction: 'dependents' }, view(90)),
    /^No dependencies on aaaaaaa Crash/,
  )
})

test('issue dep topo marks cycles and hides parent labels', async () => {
  const issues = [
    { ...summary('aaaaaaa', 'First'), labels: ['bug', `parent:${'f'.repeat(32)}`], in_cycle: false },
    { ...summary('bbbbbbb', 'Second'), in_cycle: true },
  ]
  assert.equal(
    await renderDependencyOrder({ issues }, view(80)),
    `ID       State  Title   Labels  Cycle
aaaaaaa  open   First   bug
bbbbbbb  open   Second          cycle
`,
  )
})

const readyIssues = [
  { ...summary('aaaaaaa', 'Crash', { priority: 'P0', due: '2026-04-01' }), overdue: true, unknown_blockers: [] },
  { ...summary('bbbbbbb', 'Fix \u0007', { due: '2026-05-01' }), overdue: false, unknown_blockers: ['f'.repeat(32)] },
]

test('ready marks overdue issues and counts issues left out', async () => {
  const counts = { total: 3, blocked_count: 1, taken_count: 2, set_aside_count: 1 }
  assert.equal(
    await renderReady({ issues: readyIssues, ...counts }, view(120)),
    `ID       Prio  Title     Due                 Unknown blockers                  Created
aaaaaaa  P0    Crash     2026-04-01 overdue                                    1 d ago
bbbbbbb        Fix \\x07  2026-05-01          ${'f'.repeat(32)}  1 d ago

2 of 3 ready, 1 issue blocked (\`grite blocked\`), 2 taken by others, 1 set aside
`,
  )
  const none = { issues: [], total: 0, blocked_count: 3, taken_count: 0, set_aside_count: 0 }
  assert.equal(await renderReady(none, view(80)), 'Nothing is ready; 3 issues blocked (`grite blocked`)\n')
  assert.equal(await renderReady({ ...none, blocked_count: 0 }, view(80)), 'Nothing is ready.\n')
  assert.equal(await renderReady(none, view(null)), '')
})

test('blocked lists the blockers below each issue', async () => {
  const blockers = [
    { ...mention('bbbbbbb', 'Fix'), through: ['depends_on'] },
    { ...mention('ccccccc', 'Other'), through: ['blocks', 'depends_on'] },
  ]
  const [late, other] = readyIssues.map((issue) => ({ ...issue, in_cycle: issue.overdue, blockers }))
  const issues = [late, other] as [NonNullable<typeof late>, NonNullable<typeof other>]
  assert.equal(
    await renderBlocked({ issues: [issues[0]], total: 2 }, view(80)),
    `aaaaaaa P0 Crash (in a cycle; due 2026-04-01, overdue)
  depends on bbbbbbb Fix
  blocked by, depends on ccccccc Other

1 of 2 issues blocked
`,
  )
  assert.equal(
    await renderBlocked({ issues: [issues[1]], total: 1 }, view(null)),
    'bbbbbbb\tFix \\x07\tdepends_on\tbbbbbbb\tFix\nbbbbbbb\tFix \\x07\tblocks,depends_on\tccccccc\tOther\n',
  )
  assert.equal(await renderBlocked({ issues: [], total: 0 }, view(80)), 'Nothing is blocked.\n')
})

test('closing the last part of an issue names its parent', async () => {
  const data = { ...a, event_id: 'e', finished_parents: [mention('ddddddd', 'Epic \u202e')] }
  assert.equal(
    await renderIssueClose(data, view(80)),
    'Closed aaaaaaa Crash\nAll parts of ddddddd Epic \\u202e are closed\n',
  )
  assert.equal(await renderIssueClose(data, view(80, true)), '')
})

test('issue show prints parts, progress and an overdue date', async () => {
  const issue = {
    ...summary('aaaaaaa', 'Epic', { due: '2026-04-01' }),
    overdue: true,
    children: [mention('bbbbbbb', 'One \u0007', 'closed'), mention('ccccccc', 'Two')],
    progress: { closed: 1, total: 2 },
  }
  const text = await textOf(renderIssueShow({ issue }, view(80)))
  assert.match(text, /^Due: +2026-04-01 \(overdue\)$/m)
  assert.ok(text.includes('Parts (1 of 2 closed)\n  bbbbbbb One \\x07 (closed)\n  ccccccc Two (open)\n'), text)
})
