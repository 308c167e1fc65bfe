/** Summarizes the difference between two texts in one line. */

/** Maximum number of words and characters shown of each side. */
const excerptLengthMax = 40

/** `…the old words… -> …the new words…`; `nothing` means no text. */
export function formatTextChange(before: string | null, after: string | null): string {
  const [old, next] = [before ?? '', after ?? ''].map(wordsOf) as [string[], string[]]
  let start = 0
  while (start < old.length && start < next.length && old[start] === next[start]) start++
  let end = 0
  while (end < old.length - start && end < next.length - start && old.at(-1 - end) === next.at(-1 - end)) end++
  return `${excerpt(old, start, end)} -> ${excerpt(next, start, end)}`
}

const wordsOf = (text: string): string[] => text.split(/\s+/).filter((word) => word !== '')

/** The differing words, with dots where the text continues. */
function excerpt(words: readonly string[], start: number, end: number): string {
  const whole = words.slice(start, words.length - end).join(' ')
  if (whole === '') return 'nothing'
  const isCut = whole.length > excerptLengthMax
  const shown = isCut ? `${whole.slice(0, excerptLengthMax)}…` : whole
  return `"${start > 0 ? '… ' : ''}${shown}${end > 0 && !isCut ? ' …' : ''}"`
}
