/**
 * Markdown of issues as a part of a larger page. Their texts come from many people, and must not change the page around
 * them: its outline is made of its own headings, and nothing that a text opens stays open behind it.
 */

/** Deepest heading that Markdown has. */
const headingLevelMax = 6

/** A text as one line of plain words: markup is escaped where it would count as such. */
export function escapeMarkdownLine(text: string): string {
  return text
    .replace(/\s+/g, ' ')
    .trim()
    .replace(/[\\`*[\]|]/g, '\\$&')
    .replace(/(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/gu, '\\_')
    .replace(/<(?=[A-Za-z/!?])|~(?=~)|&(?=#?\w+;)/g, '\\$&')
    .replace(/^(?:[#>+=-]|\d+(?=[.)]))/, (start) => (/^\d/.test(start) ? start : `\\${start}`))
    .replace(/^(\d+)([.)])/, '$1\\$2')
    .replace(/(?<!\\)#+$/, (end) => `\\${end}`)
}

/**
 * A text whose headings are lower by some levels, as lines. A text that leaves a code block or an HTML element open, or
 * perhaps does, is quoted: the end of the quote closes it.
 */
export function demoteMarkdown(text: string, levels: number): string[] {
  const scan = new Scan(levels)
  for (const line of text.replaceAll(/\r\n?/g, '\n').split('\n')) scan.add(line)
  return scan.isClosed ? scan.lines : scan.lines.map(quoteLine)
}

export function quoteLine(line: string): string {
  return line === '' ? '>' : `> ${line}`
}

const hashes = (level: number): string => '#'.repeat(Math.min(headingLevelMax, level))

interface Fence {
  readonly marks: string
  /** Columns by which the content is indented if the block is in a list item; 0 if it is in none for certain. */
  readonly margin: number
  /** Whether the block begins on the line of its list item: a line that is indented less ends it for certain. */
  readonly isOnItem: boolean
  /** Columns before the marks. */
  readonly indent: number
}

/** Whether lines are in a list item: `perhaps` behind a line that may continue one or end it. */
type InList = 'no' | 'perhaps' | 'yes'

class Scan {
  readonly lines: string[] = []
  readonly #levels: number
  #fence: Fence | undefined
  #hasFence = false
  /** Whether lines may be a code block to one reader and none to another. */
  #isDoubtful = false
  /** Index of the line where the current paragraph starts; the count of lines when there is none. */
  #paragraph = 0
  #inList: InList = 'no'
  /** The line is in an HTML block, where marks of code blocks do not count. */
  #isInHtml = false
  /** All lines outside code blocks. */
  #prose = ''

  constructor(levels: number) {
    this.#levels = levels
  }

  get isClosed(): boolean {
    if (this.#fence !== undefined || this.#isDoubtful || !isBalanced(this.#prose)) return false
    return !(this.#hasFence && /<(?:pre|script|style|textarea)\b|<!|<\?/i.test(this.#prose))
  }

  add(line: string): void {
    if (this.#fence !== undefined && this.#addCode(this.#fence, line)) return
    this.#followList(line)
    this.#fence = this.#openFence(line)
    this.#hasFence ||= this.#fence !== undefined
    this.#isInHtml = line.trim() !== '' && (this.#isInHtml || /^ {0,3}<[a-z/!?]/i.test(line))
    if (this.#fence !== undefined && this.#isInHtml) this.#isDoubtful = true
    this.#prose += `${line}\n`
    if (this.#fence === undefined && this.#addUnderline(line)) return
    const demoted = demoteLine(line, this.#levels)
    this.lines.push(demoted)
    const isParagraph = demoted === line && this.#fence === undefined && paragraphStart.test(line)
    if (!isParagraph) this.#paragraph = this.lines.length
  }

  #followList(line: string): void {
    if (/^ *(?:[-*+]|\d{1,9}[.)])(?:[ \t]|$)/.test(line)) this.#inList = 'yes'
    else if (line.trim() !== '' && indentOf(line) < 2 && this.#inList === 'yes') this.#inList = 'perhaps'
  }

  /** Four columns are a code block by themselves, or continue a paragraph, unless they are in a list item. */
  #openFence(line: string): Fence | undefined {
    const fence = openedFence(line)
    if (fence === undefined || fence.isOnItem || fence.indent < 4) return fence
    if (this.#inList === 'no') return undefined
    if (this.#inList === 'perhaps') this.#isDoubtful = true
    return fence
  }

  /** @returns false for a line below the code block */
  #addCode(fence: Fence, line: string): boolean {
    const isOutside = fence.margin > 0 && line.trim() !== '' && indentOf(line) < fence.margin
    if (isOutside && fence.isOnItem) return false
    if (isOutside) this.#isDoubtful = true
    this.lines.push(line)
    this.#paragraph = this.lines.length
    if (!closes(fence, line)) return true
    if (!fence.isOnItem && fence.indent < 4 && indentOf(line) > 3) this.#isDoubtful = true
    this.#fence = undefined
    return true
  }

  /** A line of `=` or `-` makes a heading of the paragraph above. @returns false for any other line */
  #addUnderline(line: string): boolean {
    const marks = /^ {0,3}(=+|-+)[ \t]*$/.exec(line)?.[1]
    const above = this.lines.at(-1) ?? ''
    if (marks === undefined || above.trim() === '') return false
    if (this.#paragraph < this.lines.length) {
      const heading = this.lines.splice(this.#paragraph).join(' ').trim()
      this.lines.push(`${hashes((marks.startsWith('=') ? 1 : 2) + this.#levels)} ${heading}`)
    } else {
      // Behind an empty line it underlines nothing.
      this.lines.push('', line)
    }
    this.#paragraph = this.lines.length
    return true
  }
}

/** A line that begins or continues a paragraph, for certain. */
const paragraphStart = /^ {0,3}(?![ \t>]|[-*+](?:[ \t]|$)|\d+[.)](?:[ \t]|$)|$)/

function demoteLine(line: string, levels: number): string {
  return line
    .replace(
      /^((?: {0,3}>)* {0,3}(?:(?:[-*+]|\d{1,9}[.)])[ \t]{1,4})*)(#{1,6})(?=[ \t]|$)/,
      (_, margin: string, marks: string) => margin + hashes(marks.length + levels),
    )
    .replace(/(<\/?h)([1-6])\b/gi, (_, tag: string, level: string) => {
      return `${tag}${Math.min(headingLevelMax, Number(level) + levels)}`
    })
}

function openedFence(line: string): Fence | undefined {
  const [, before = '', items = '', marks, info = ''] =
    /^([ \t]*)((?:(?:[-*+]|\d{1,9}[.)])[ \t]+)*)(`{3,}|~{3,})(.*)$/.exec(line) ?? []
  if (marks === undefined || (marks.startsWith('`') && info.includes('`'))) return undefined
  const indent = indentOf(before)
  if (items !== '') return { marks, margin: indent + items.length, isOnItem: true, indent }
  const margin = indent >= 2 ? Math.max(2, indent - 3) : 0
  return { marks, margin, isOnItem: false, indent }
}

function closes({ marks, margin }: Fence, line: string): boolean {
  const [, before = '', closing] = /^([ \t]*)(`{3,}|~{3,})[ \t]*$/.exec(line) ?? []
  return closing !== undefined && indentOf(before) <= margin + 3 && closing.startsWith(marks)
}

/** Columns before the first other character. */
function indentOf(text: string): number {
  let columns = 0
  for (const character of text) {
    if (character === ' ') columns++
    else if (character === '\t') columns += 4 - (columns % 4)
    else break
  }
  return columns
}

/** Elements that hold everything up to their end. */
const elements =
  /<(\/?)(details|summary|div|table|ul|ol|center|section|blockquote|pre|script|style|textarea)\b[^>]*>?/gi

/** Whether each comment and element that a text opens is closed in it, as many times. */
function isBalanced(text: string): boolean {
  const spans = text.replace(/`[^`\n]*`/g, '')
  const plain = spans.replace(/<!--[\s\S]*?-->|<\?[\s\S]*?\?>|<!\[CDATA\[[\s\S]*?\]\]>|<![A-Z][^>]*>/gi, '')
  if (/<!--|<\?|<!\[CDATA\[|<![A-Z]/i.test(plain)) return false
  const open = new Map<string, number>()
  for (const [, end, name = ''] of plain.matchAll(elements)) {
    const key = name.toLowerCase()
    open.set(key, (open.get(key) ?? 0) + (end === '' ? 1 : -1))
  }
  return [...open.values()].every((count) => count === 0)
}
