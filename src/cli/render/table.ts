/**
 * Rows in columns. On a terminal the columns are fitted to its width, one line a row; elsewhere cells are separated by
 * tabs, without heading and uncut, for `cut` and `awk`.
 */
import { type DisplayWidth, openDisplayWidth, truncate } from './display-width.ts'
import { escapeLine } from './escape-for-terminal.ts'
import type { RenderView } from './renderer.ts'

export interface Column<Row> {
  readonly heading: string
  /** The text as stored; the table escapes it. */
  readonly text: (row: Row) => string
  /** What to print off a terminal, when that differs. */
  readonly plainText?: (row: Row) => string
  /** Applied after fitting, so that colour codes are never counted or cut. */
  readonly paint?: (text: string, row: Row) => string
  readonly align?: 'left' | 'right'
  /** Columns with a number give way when the line is too long, the highest first, down to `widthMin`. */
  readonly shrink?: number
  readonly widthMin?: number
}

const gap = '  '
const defaultWidthMin = 6

export async function renderTable<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  view: Pick<RenderView, 'width' | 'style'>,
): Promise<string> {
  if (view.width === null) return renderTabs(rows, columns)
  const used = columns.filter((column) => rows.some((row) => column.text(row) !== ''))
  const cells = rows.map((row) => used.map((column) => escapeLine(column.text(row))))
  const displayWidth = await openDisplayWidth(cells.flat())
  const widths = fitColumns(used, cells, view.width, displayWidth)
  const line = (texts: readonly string[], paint: (text: string, index: number) => string) =>
    texts
      .map((text, index) => {
        const width = widths[index] ?? 0
        const cut = truncate(text, width, displayWidth)
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

function renderTabs<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): string {
  return rows
    .map((row) => `${columns.map((column) => escapeLine((column.plainText ?? column.text)(row))).join('\t')}\n`)
    .join('')
}

function fitColumns<Row>(
  columns: readonly Column<Row>[],
  cells: readonly (readonly string[])[],
  width: number,
  displayWidth: DisplayWidth,
): number[] {
  const widths = columns.map((column, index) =>
    Math.max(column.heading.length, ...cells.map((row) => displayWidth(row[index] ?? ''))),
  )
  const gaps = gap.length * Math.max(0, columns.length - 1)
  let excess = widths.reduce((sum, each) => sum + each, gaps) - width
  const giving = columns
    .map((column, index) => ({ column, index }))
    .filter(({ column }) => column.shrink !== undefined)
    .sort((left, right) => (right.column.shrink ?? 0) - (left.column.shrink ?? 0))
  for (const { column, index } of giving) {
    if (excess <= 0) break
    const given = Math.min(excess, Math.max(0, (widths[index] ?? 0) - (column.widthMin ?? defaultWidthMin)))
    widths[index] = (widths[index] ?? 0) - given
    excess -= given
  }
  // Narrower than all the minimums together: take the rest from the last columns, so that no line wraps.
  for (let index = widths.length - 1; index >= 0 && excess > 0; index--) {
    const given = Math.min(excess, Math.max(0, (widths[index] ?? 0) - 1))
    widths[index] = (widths[index] ?? 0) - given
    excess -= given
  }
  return widths
}
