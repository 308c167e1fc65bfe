/**
 * Wraps text for a terminal between words, so that the terminal does not break inside them. Only prose: code, tables and
 * other lines whose layout matters stay as they are.
 */
import { type DisplayWidth, openDisplayWidth, wrapWords } from './display-width.ts'

/** A list item, a quote or an indent; its further lines are indented by as much. */
const opening = /^\s*(?:(?:[-*+>]|\d+[.)])\s+)*/

/** Indented code, table rows, rules. */
const isLaidOut = /^(?: {4,}|\t|\s*\|)/

/**
 * @param text - escaped, without colours
 * @param indent - columns that the caller puts before each line
 */
export async function wrapProse(text: string, width: number | null, indent = 0): Promise<string> {
  if (width === null) return text
  const room = width - indent
  if (room < roomMin || text.length <= room) return text
  const displayWidth = await openDisplayWidth([text.replaceAll(/[\n\t]/g, '')])
  let isCode = false
  return text
    .split('\n')
    .map((line) => {
      const isFence = /^\s*(?:```|~~~)/.test(line)
      if (isFence) isCode = !isCode
      return isFence || isCode || isLaidOut.test(line) ? line : wrapLine(line, room, displayWidth)
    })
    .join('\n')
}

/** On a narrower terminal, wrapping makes text worse. */
const roomMin = 20

/** One line of prose; further lines are indented as far as the text of the first one. */
function wrapLine(line: string, width: number, displayWidth: DisplayWidth): string {
  if (displayWidth(line) <= width) return line
  const [start = ''] = opening.exec(line) ?? []
  const depth = displayWidth(start)
  if (depth * 2 > width) return line
  return start + wrapWords(line.slice(start.length), width - depth, displayWidth).join(`\n${' '.repeat(depth)}`)
}

/**
 * A title after something `depth` columns wide. Further lines are indented by as much, or by a little where that would
 * leave too little room.
 */
export async function wrapTitle(title: string, width: number | null, depth: number): Promise<string> {
  if (width === null || width < roomMin || title.length <= width - depth) return title
  const displayWidth = await openDisplayWidth([title])
  const hanging = width - depth < roomMin ? Math.min(depth, narrowIndent) : depth
  const [first = '', ...rest] = wrapWords(title, width - depth, displayWidth)
  if (rest.length === 0) return first
  return [first, ...wrapWords(rest.join(' '), width - hanging, displayWidth)].join(`\n${' '.repeat(hanging)}`)
}

const narrowIndent = 4
