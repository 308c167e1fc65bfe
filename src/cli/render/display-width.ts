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

/** Like `truncate`, for prose: cuts between words, and inside one only if a half of the width would stay empty. */
export function truncateProse(text: string, width: number, displayWidth: DisplayWidth): string {
  const cut = truncate(text, width, displayWidth)
  if (cut === text || cut === '') return cut
  const kept = cut.slice(0, -1)
  if (text.startsWith(' ', kept.length)) return cut
  const words = kept.slice(0, Math.max(0, kept.lastIndexOf(' '))).trimEnd()
  return displayWidth(words) * 2 < width ? cut : `${words}…`
}

/** The lines of a text without line ends, at most `width` wide, broken between words; a longer word is cut. */
export function wrapWords(text: string, width: number, displayWidth: DisplayWidth): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`
    if (displayWidth(longer) <= width) {
      line = longer
      continue
    }
    if (line !== '') lines.push(line)
    line = word
    while (displayWidth(line) > width) {
      const start = startThatFits(line, width, displayWidth)
      if (start === '') break
      lines.push(start)
      line = line.slice(start.length)
    }
  }
  return [...lines, line]
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
