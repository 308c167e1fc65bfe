/** How many columns a text takes. Plain ASCII is its length; only other text loads the tables of Unicode. */

export type DisplayWidth = (text: string) => number

const ascii = /^[\x20-\x7e]*$/

/** @param texts - everything that will be measured, without colours */
export async function openDisplayWidth(texts: Iterable<string>): Promise<DisplayWidth> {
  for (const text of texts) {
    if (ascii.test(text)) continue
    const { default: stringWidth } = await import('string-width')
    // Ambiguous characters count as narrow, as terminals outside East Asian locales draw them.
    return (measured) => (ascii.test(measured) ? measured.length : stringWidth(measured))
  }
  return (measured) => measured.length
}

/** The longest start of `text` that fits, cut between what the reader sees as characters, with `…` if anything went. */
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
