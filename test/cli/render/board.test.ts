import assert from 'node:assert/strict'
import { test } from 'node:test'
import stringWidth from 'string-width'
import { renderBoard as exactBoard } from '../../../src/cli/render/board.ts'
import type { RenderView } from '../../../src/cli/render/renderer.ts'
import { plainStyle } from '../../../src/cli/render/style.ts'
import { onParts, textOf } from './text-of.ts'

const view = (width: number | null, quiet = false): RenderView => ({ width, style: plainStyle, nowUnixMs: 0, quiet })
const board = (
  data: Parameters<ReturnType<typeof onParts<Parameters<typeof exactBoard>[0], RenderView, unknown>>>[0],
) => data
const render = onParts(exactBoard)

const issue = (short_id: string, title: string, priority?: string, holder?: string) => ({
  issue_id: short_id.padEnd(32, '0'),
  short_id,
  title,
  fields: priority === undefined ? {} : { priority },
  claim: holder === undefined ? null : { holder },
})

const columns = [
  { status: 'open', issues: [issue('aaaaaaa', 'Crash when the window is resized while a sync runs', 'P0')], total: 3 },
  { status: 'in_progress', issues: [issue('bbbbbbb', 'Fix \u202e日本語', 'P1', 'ann')], total: 1 },
  { status: 'evil\x1b', issues: [issue('ccccccc', 'Other'), issue('ddddddd', 'Last')], total: 2 },
]
const data = board({ columns, total: 6, claimed_count: 1, limit: 2 })

test('board puts columns beside each other', async () => {
  assert.equal(
    await textOf(render(data, view(80))),
    `open (3)                   in_progress (1)            evil\\x1b (2)

aaaaaaa P0                 bbbbbbb P1 @ann            ccccccc
Crash when the window is   Fix \\u202e日本語           Other
resized while a sync runs
                                                      ddddddd
and 2 more                                            Last

6 open issues, 1 claimed (@)
`,
  )
})

test('board puts columns below each other on a narrow terminal', async () => {
  assert.equal(
    await textOf(render(data, view(40))),
    `open (3)
aaaaaaa P0 Crash when the window is…
and 2 more

in_progress (1)
bbbbbbb P1 @ann Fix \\u202e日本語

evil\\x1b (2)
ccccccc Other
ddddddd Last

6 open issues, 1 claimed (@)
`,
  )
})

test('board lines are never wider than the terminal', async () => {
  for (const width of [20, 40, 59, 60, 77, 80, 120, 200]) {
    for (const line of (await textOf(render(data, view(width)))).split('\n')) {
      assert.ok(stringWidth(line) <= Math.max(width, 28), `${width}: ${line}`)
    }
  }
})

test('board ends a column after ten issues without a limit', async () => {
  const many = Array.from({ length: 12 }, (_, index) => issue(`${index}`.padStart(7, 'a'), `Title ${index}`))
  const all = board({
    columns: [{ status: 'open', issues: many, total: 12 }],
    total: 12,
    claimed_count: 0,
    limit: null,
  })
  assert.match(await textOf(render(all, view(80, true))), /Title 9\n\nand 2 more\n$/)
  assert.equal((await textOf(render(all, view(null)))).split('\n').length, 13)
})

test('board prints one line per issue without a terminal', async () => {
  assert.equal(
    await textOf(render(board({ columns: columns.slice(1), total: 3 }), view(null))),
    'in_progress\tbbbbbbb\tP1\tFix \\u202e日本語\tann\nevil\\x1b\tccccccc\t\tOther\t\nevil\\x1b\tddddddd\t\tLast\t\n',
  )
  assert.equal(await textOf(render(board({ columns: [], total: 0 }), view(80))), 'No open issues match.\n')
})
