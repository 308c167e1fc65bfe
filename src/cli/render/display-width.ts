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
  let kept = ''
  let used = 0
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    const next = used + displayWidth(segment)
    if (next > width - 1) break
    kept += segment
    used = next
  }
  return `${kept.trimEnd()}…`
}
