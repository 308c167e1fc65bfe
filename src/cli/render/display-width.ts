/** Width of a text in columns. For ASCII that is its length; only other text loads the Unicode tables. */

export type DisplayWidth = (text: string) => number

const ascii = /^[\x20-\x7e]*$/

/** @param texts - all texts to measure, without colours */
export async function openDisplayWidth(texts: Iterable<string>): Promise<DisplayWidth> {
  for (const text of texts) {
    if (ascii.test(text)) continue
    const { default: stringWidth } = await import('string-width')
    // Ambiguous characters count as narrow, as in terminals outside East Asian locales.
    return (measured) => (ascii.test(measured) ? measured.length : stringWidth(measured))
  }
  return (measured) => measured.length
}

/** The longest start of `text` that fits, cut between grapheme clusters, with `…` if it was cut. */
export function truncate(text: string, width: number, displayWidth: DisplayWidth): string {
  if (displayWidth(text) <= width) return text
  if (width <= 0) return ''
  return `${startThatFits(text, width - 1, displayWidth).trimEnd()}…`
}

/** Like `truncate`, for prose: cuts between words, and inside a word only if the word alone is too long. */
export function truncateProse(text: string, width: number, displayWidth: DisplayWidth): string {
  const cut = truncate(text, width, displayWidth)
  if (cut === text || cut === '') return cut
  const kept = cut.slice(0, -1)
  const space = kept.lastIndexOf(' ')
  if (space < 0 || text.startsWith(' ', kept.length)) return cut
  const [word = ''] = text.slice(space + 1).split(' ', 1)
  return displayWidth(word) > width ? cut : `${kept.slice(0, space).trimEnd()}…`
}

/** The lines of a text without line ends, broken between words; only a line of one long word is wider than `width`. */
export function wrapWords(text: string, width: number, displayWidth: DisplayWidth): string[] {
  if (displayWidth(text) <= width) return [text]
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`
    if (line !== '' && displayWidth(longer) > width) {
      lines.push(line)
      line = word
    } else line = longer
  }
  return [...lines, line]
}

/** A text in pieces that are at most `width` wide, cut between grapheme clusters. */
export function cutToWidth(text: string, width: number, displayWidth: DisplayWidth): string[] {
  const pieces: string[] = []
  let rest = text
  while (displayWidth(rest) > width) {
    const start = startThatFits(rest, width, displayWidth)
    if (start === '') break
    pieces.push(start)
    rest = rest.slice(start.length)
  }
  return [...pieces, rest]
}

function startThatFits(text: string, width: number, displayWidth: DisplayWidth): string {
  let kept = ''
  let used = 0
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    used += displayWidth(segment)
    if (used > width) break
    kept += segment
  }
  return kept
}
