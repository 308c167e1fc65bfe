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
    .replace(/#+$/, (end) => `\\${end}`)
}

/**
 * A text whose headings are lower by some levels, as lines. A text that leaves a code block or an HTML element open is
 * quoted: the end of the quote closes it.
 */
export function demoteMarkdown(text: string, levels: number): string[] {
  const lines: string[] = []
  let fence: Fence | undefined
  /** Start of the paragraph that the line above belongs to; the count of lines when there is none. */
  let paragraph = 0
  let html = ''
  for (const line of text.replaceAll(/\r\n?/g, '\n').split('\n')) {
    if (fence !== undefined && !leaves(fence, line)) {
      if (closes(fence, line)) fence = undefined
      lines.push(line)
      paragraph = lines.length
      continue
    }
    fence = openedFence(line)
    const underline = /^ {0,3}(=+|-+)[ \t]*$/.exec(line)?.[1]
    if (underline !== undefined && paragraph < lines.length) {
      const heading = lines.splice(paragraph).join(' ').trim()
      lines.push(`${hashes((underline.startsWith('=') ? 1 : 2) + levels)} ${heading}`)
      paragraph = lines.length
      continue
    }
    const demoted = demoteLine(line, levels)
    lines.push(demoted)
    html += `${line}\n`
    const isParagraph =
      demoted === line && fence === undefined && /^ {0,3}(?![ \t>|#<]|[-*+][ \t]|\d+[.)][ \t]|$)/.test(line)
    if (!isParagraph) paragraph = lines.length
  }
  return fence === undefined && isBalanced(html) ? lines : lines.map(quoteLine)
}

function demoteLine(line: string, levels: number): string {
  return line
    .replace(
      /^((?:[ \t]*>)*[ \t]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)*)(#{1,6})(?=[ \t]|$)/,
      (_, margin: string, marks: string) => margin + hashes(marks.length + levels),
    )
    .replace(/(<\/?h)([1-6])\b/gi, (_, tag: string, level: string) => {
      return `${tag}${Math.min(headingLevelMax, Number(level) + levels)}`
    })
}

export function quoteLine(line: string): string {
  return line === '' ? '>' : `> ${line}`
}

const hashes = (level: number): string => '#'.repeat(Math.min(headingLevelMax, level))

interface Fence {
  readonly marks: string
  /** Columns by which the content is indented in a list item that begins on the same line; 0 elsewhere. */
  readonly margin: number
}

function openedFence(line: string): Fence | undefined {
  const [, margin = '', items = '', marks, info = ''] =
    /^([ \t]*)((?:(?:[-*+]|\d{1,9}[.)])[ \t]+)*)(`{3,}|~{3,})(.*)$/.exec(line) ?? []
  if (marks === undefined || (marks.startsWith('`') && info.includes('`'))) return undefined
  return { marks, margin: items === '' ? 0 : margin.length + items.length }
}

function closes({ marks, margin }: Fence, line: string): boolean {
  const [, before = '', closing] = /^( *)(`{3,}|~{3,})[ \t]*$/.exec(line) ?? []
  return closing !== undefined && before.length <= margin + 3 && closing.startsWith(marks)
}

/** Whether a line is below the list item that the fence is in, which ends the fence. */
function leaves({ margin }: Fence, line: string): boolean {
  return margin > 0 && line.trim() !== '' && (/^ */.exec(line)?.[0].length ?? 0) < margin
}

/** Elements that hold everything up to their end. */
const elements =
  /<(\/?)(details|summary|div|table|ul|ol|center|section|blockquote|pre|script|style|textarea)\b[^>]*>?/gi

/** Whether each comment and element that a text opens is closed in it, as many times. */
function isBalanced(text: string): boolean {
  const spans = text.replace(/`[^`\n]*`/g, '')
  const withoutComments = spans.replace(/<!--[\s\S]*?-->|<\?[\s\S]*?\?>|<!\[CDATA\[[\s\S]*?\]\]>/g, '')
  if (/<!--|<\?|<!\[CDATA\[/.test(withoutComments)) return false
  const open = new Map<string, number>()
  for (const [, end, name = ''] of withoutComments.matchAll(elements)) {
    const key = name.toLowerCase()
    open.set(key, (open.get(key) ?? 0) + (end === '' ? 1 : -1))
  }
  return [...open.values()].every((count) => count === 0)
}
