import type { BoardData } from '../../commands/board.ts'
import { cutToWidth, type DisplayWidth, openDisplayWidth, truncate, truncateProse, wrapWords } from './display-width.ts'
import { escapeLine } from './escape-for-terminal.ts'
import { formatCount, formatNumber } from './facts.ts'
import { paintPriority } from './issue-list.ts'
import { holderOf, shortId } from './issue-shapes.ts'
import type { PieceRenderer, RenderView } from './renderer.ts'
import { tablePieces } from './table.ts'

type BoardColumn = BoardData['columns'][number]
type BoardIssue = BoardColumn['issues'][number]

/** Columns side by side; below each other on a narrow terminal, and one line an issue without a terminal. */
export const renderBoard: PieceRenderer<BoardData> = async function* (data, view) {
  const { width } = view
  if (width === null) {
    yield* plainRows(data, view)
    return
  }
  if (data.total === 0) {
    if (!view.quiet) yield 'No open issues match.\n'
    return
  }
  const columns = data.limit === null ? data.columns.map(shorten) : data.columns
  const displayWidth = await openDisplayWidth(columns.flatMap(textsOf))
  yield width < besideMin ? stack(columns, width, displayWidth, view) : arrange(columns, width, displayWidth, view)
  if (!view.quiet) yield `\n${view.style.dim(countLine(data))}\n`
}

/** Narrower terminals show one column below the other. */
const besideMin = 60
const columnWidthMin = 24
/** Longer lines of a title are hard to read. */
const columnWidthMax = 48
const gap = '  '

/** Issues of a column on a terminal when no limit was given. */
const shownMax = 10

const shorten = (column: BoardColumn): BoardColumn => ({ ...column, issues: column.issues.slice(0, shownMax) })

const textsOf = ({ status, issues }: BoardColumn): string[] => [
  escapeLine(status),
  ...issues.flatMap((issue) => [escapeLine(issue.title), escapeLine(holder(issue))]),
]

const holder = ({ claim }: BoardIssue): string => (claim ? holderOf(claim) : '')

function countLine({ total, claimed_count }: BoardData): string {
  const claimed = claimed_count === 0 ? '' : `, ${formatNumber(claimed_count)} claimed (@)`
  return `${formatCount(total, 'open issue')}${claimed}`
}

function plainRows({ columns }: BoardData, view: RenderView): AsyncIterable<string> {
  return tablePieces(
    columns.flatMap(({ status, issues }) => issues.map((issue) => ({ status, issue }))),
    [
      { heading: 'Status', text: ({ status }) => status },
      { heading: 'ID', text: ({ issue }) => shortId(issue) },
      { heading: 'Priority', text: ({ issue }) => issue.fields.priority ?? '' },
      { heading: 'Title', text: ({ issue }) => issue.title },
      { heading: 'Holder', text: ({ issue }) => holder(issue) },
    ],
    view,
  )
}

/** A text as wide as it looks, and as it is printed. */
interface Cell {
  readonly text: string
  readonly painted: string
}

const nothing: Cell = { text: '', painted: '' }

function stack(columns: readonly BoardColumn[], width: number, displayWidth: DisplayWidth, view: RenderView): string {
  const sections = columns.map((column) => {
    const lines = column.issues.flatMap((issue) => {
      const { text, painted } = factsOf(issue, width, displayWidth, view)
      const room = width - displayWidth(text) - 1
      return `${painted} ${truncateProse(escapeLine(issue.title), room, displayWidth)}`.trimEnd()
    })
    return [headingOf(column, width, displayWidth, view).painted, ...lines, ...moreOf(column, view).map(paintedOf)]
  })
  return sections.map((lines) => lines.map((line) => `${line}\n`).join('')).join('\n')
}

/** As many columns beside each other as fit, the others below them. */
function arrange(columns: readonly BoardColumn[], width: number, displayWidth: DisplayWidth, view: RenderView): string {
  const perBand = Math.min(columns.length, Math.floor((width + gap.length) / (columnWidthMin + gap.length)))
  const columnWidth = Math.min(columnWidthMax, Math.floor((width - gap.length * (perBand - 1)) / perBand))
  const bands: string[] = []
  for (let start = 0; start < columns.length; start += perBand) {
    const cells = columns
      .slice(start, start + perBand)
      .map((column) => cellsOf(column, columnWidth, displayWidth, view))
    const height = Math.max(...cells.map((column) => column.length))
    const lines = Array.from({ length: height }, (_, row) =>
      cells
        .map((column) => column[row] ?? nothing)
        .map(({ text, painted }) => painted + ' '.repeat(Math.max(0, columnWidth - displayWidth(text))))
        .join(gap)
        .trimEnd(),
    )
    bands.push(lines.map((line) => `${line}\n`).join(''))
  }
  return bands.join('\n')
}

function cellsOf(column: BoardColumn, width: number, displayWidth: DisplayWidth, view: RenderView): Cell[] {
  return [
    headingOf(column, width, displayWidth, view),
    ...column.issues.flatMap((issue) => [
      nothing,
      factsOf(issue, width, displayWidth, view),
      ...titleLines(issue, width, displayWidth),
    ]),
    ...moreOf(column, view).flatMap((line) => [nothing, line]),
  ]
}

/** Two lines at most. */
function titleLines({ title }: BoardIssue, width: number, displayWidth: DisplayWidth): Cell[] {
  const lines = wrapWords(escapeLine(title), width, displayWidth).flatMap((line) =>
    cutToWidth(line, width, displayWidth),
  )
  const [first = '', ...rest] = lines
  const second = rest.length === 0 ? [] : [truncateProse(rest.join(' '), width, displayWidth)]
  return [first, ...second].map((text) => ({ text, painted: text }))
}

function headingOf({ status, total }: BoardColumn, width: number, displayWidth: DisplayWidth, view: RenderView): Cell {
  const count = ` (${formatNumber(total)})`
  const name = truncate(escapeLine(status), width - count.length, displayWidth)
  return { text: name + count, painted: view.style.bold(name) + count }
}

/** `3f2a91c P1 @ann` */
function factsOf(issue: BoardIssue, width: number, displayWidth: DisplayWidth, { style }: RenderView): Cell {
  const id = shortId(issue)
  const priority = escapeLine(issue.fields.priority ?? '')
  const known = [id, ...(priority === '' ? [] : [priority])].join(' ')
  const room = Math.max(0, Math.min(width - displayWidth(known) - 1, holderWidthMax))
  const name = truncate(escapeLine(holder(issue)), room - 1, displayWidth)
  const mark = name === '' ? '' : `@${name}`
  return {
    text: [known, ...(mark === '' ? [] : [mark])].join(' '),
    painted: [
      style.accent(id),
      ...(priority === '' ? [] : [paintPriority(priority, style)]),
      ...(mark === '' ? [] : [style.attention(mark)]),
    ].join(' '),
  }
}

const holderWidthMax = 16

function moreOf({ issues, total }: BoardColumn, { style }: RenderView): Cell[] {
  if (issues.length === total) return []
  const text = `and ${formatNumber(total - issues.length)} more`
  return [{ text, painted: style.dim(text) }]
}

const paintedOf = ({ painted }: Cell): string => painted
