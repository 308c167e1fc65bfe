/**
 * Renders rows in columns. On a terminal, fits the columns to its width, one line per row; otherwise prints complete cells
 * separated by tabs, for `cut` and `awk`, with a heading only on request (`--header`).
 */
import { type DisplayWidth, openDisplayWidth, truncate, truncateProse } from './display-width.ts'
import { escapeLine } from './escape-for-terminal.ts'
import type { RenderView } from './renderer.ts'

export interface Column<Row> {
  readonly heading: string
  /** For `--header`; default the heading in lower case, with underscores. */
  readonly name?: string
  /** The unescaped text; the table escapes it. */
  readonly text: (row: Row) => string
  /** The text without a terminal, if different. */
  readonly plainText?: (row: Row) => string
  /** Omitted without a terminal, where column positions never change. */
  readonly onTerminalOnly?: boolean
  /** Applied after fitting, so that colour codes are neither counted nor cut. */
  readonly paint?: (text: string, row: Row) => string
  readonly align?: 'left' | 'right'
  /** A text that is cut between words. */
  readonly isProse?: boolean
  /** Columns with a number shrink when the line is too long, the highest first, down to `widthMin`. */
  readonly shrink?: number
  /** At least the width of the heading, which is never cut. */
  readonly widthMin?: number
  /** Columns with a number are dropped when the line is too long at minimum widths, the highest first. */
  readonly drop?: number
}

const gap = '  '
const defaultWidthMin = 6

/** Rows per piece without a terminal. */
const rowsInPiece = 64

export async function renderTable<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  view: Pick<RenderView, 'width' | 'style' | 'header'>,
): Promise<string> {
  return view.width === null
    ? [...tabPieces(rows, columns, view)].join('')
    : renderFitted(rows, columns, view, view.width)
}

/** Like `renderTable`, for tables with any number of rows. */
export async function* tablePieces<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  view: Pick<RenderView, 'width' | 'style' | 'header'>,
): AsyncGenerator<string> {
  if (view.width === null) yield* tabPieces(rows, columns, view)
  else yield await renderFitted(rows, columns, view, view.width)
}

async function renderFitted<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  view: Pick<RenderView, 'style'>,
  width: number,
): Promise<string> {
  const used = dropColumns(
    columns.filter((column) => rows.some((row) => column.text(row) !== '')),
    rows,
    width,
  )
  const cells = rows.map((row) => used.map((column) => escapeLine(column.text(row))))
  const displayWidth = await openDisplayWidth(cells.flat())
  const widths = fitColumns(used, cells, width, displayWidth)
  const line = (texts: readonly string[], paint: (text: string, index: number) => string) =>
    texts
      .map((text, index) => {
        const width = widths[index] ?? 0
        const cut = (used[index]?.isProse === true ? truncateProse : truncate)(text, width, displayWidth)
        const space = ' '.repeat(Math.max(0, width - displayWidth(cut)))
        const painted = paint(cut, index)
        if (used[index]?.align === 'right') return space + painted
        return index === texts.length - 1 ? painted : painted + space
      })
      .join(gap)
  const heading = line(
    used.map((column) => column.heading),
    (text) => view.style.bold(text),
  )
  const body = rows.map((row, rowIndex) =>
    line(cells[rowIndex] ?? [], (text, index) => used[index]?.paint?.(text, row) ?? text),
  )
  return [heading, ...body].map((text) => `${text.trimEnd()}\n`).join('')
}

function* tabPieces<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  { header }: Pick<RenderView, 'header'>,
): Generator<string> {
  const shown = columns.filter(({ onTerminalOnly }) => onTerminalOnly !== true)
  if (header === true && rows.length > 0) yield `${shown.map(nameOf).join('\t')}\n`
  const line = (row: Row) => `${shown.map(({ text, plainText = text }) => escapeLine(plainText(row))).join('\t')}\n`
  for (let start = 0; start < rows.length; start += rowsInPiece) {
    yield rows
      .slice(start, start + rowsInPiece)
      .map(line)
      .join('')
  }
}

const nameOf = ({ heading, name }: { readonly heading: string; readonly name?: string }): string =>
  name ?? heading.toLowerCase().replaceAll(/[ -]/g, '_')

const leastWidth = ({ heading, widthMin = defaultWidthMin }: { heading: string; widthMin?: number }) =>
  Math.max(heading.length, widthMin)

function dropColumns<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  width: number,
): readonly Column<Row>[] {
  const least = columns.map((column) => {
    // Counts code units, which is accurate enough to decide which columns to drop.
    const widest = rows.reduce((most, row) => Math.max(most, column.text(row).length), column.heading.length)
    return column.shrink === undefined ? widest : Math.min(widest, leastWidth(column))
  })
  const total = least.reduce((sum, each) => sum + each, gap.length * Math.max(0, columns.length - 1))
  const droppable = columns.filter(({ drop }) => drop !== undefined)
  if (total <= width || droppable.length === 0) return columns
  const victim = droppable.reduce((left, right) => ((right.drop ?? 0) > (left.drop ?? 0) ? right : left))
  return dropColumns(
    columns.filter((column) => column !== victim),
    rows,
    width,
  )
}

function fitColumns<Row>(
  columns: readonly Column<Row>[],
  cells: readonly (readonly string[])[],
  width: number,
  displayWidth: DisplayWidth,
): number[] {
  const widths = columns.map((column, index) =>
    cells.reduce((most, row) => Math.max(most, displayWidth(row[index] ?? '')), column.heading.length),
  )
  const gaps = gap.length * Math.max(0, columns.length - 1)
  let excess = widths.reduce((sum, each) => sum + each, gaps) - width
  const giving = columns
    .map((column, index) => ({ column, index }))
    .filter(({ column }) => column.shrink !== undefined)
    .sort((left, right) => (right.column.shrink ?? 0) - (left.column.shrink ?? 0))
  for (const { column, index } of giving) {
    if (excess <= 0) break
    const given = Math.min(excess, Math.max(0, (widths[index] ?? 0) - leastWidth(column)))
    widths[index] = (widths[index] ?? 0) - given
    excess -= given
  }
  // If even the minimum widths do not fit, shrink the last columns, so that no line wraps.
  for (let index = widths.length - 1; index >= 0 && excess > 0; index--) {
    const given = Math.min(excess, Math.max(0, (widths[index] ?? 0) - 1))
    widths[index] = (widths[index] ?? 0) - given
    excess -= given
  }
  return widths
}
