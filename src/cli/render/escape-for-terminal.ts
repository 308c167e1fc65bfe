/**
 * Makes text from events safe to print. Whoever can push an event chooses its text, and a terminal obeys control
 * sequences: they could hide text, forge output, or type into the shell. They are shown, not removed, so that nobody
 * reads something else than what is stored.
 */

// First the one invisible character that belongs to what the writer sees, a joiner between two pictures; then controls
// (C0, DEL, C1), line and paragraph separators, and everything that is not drawn (bidirectional controls, zero-width
// and tag characters, fillers), halves of surrogate pairs, annotations. Emoji presentation selectors may stay.
// The joiner is matched before looking back from it: the other way round, every place would look back over the text.
const notable =
  /(\u200d)(?<=\p{Extended_Pictographic}(?:\ufe0f|\p{Emoji_Modifier})*\u200d)(?=\p{Extended_Pictographic})|(?!\ufe0e|\ufe0f)[\p{Cc}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\p{Surrogate}\ufff9-\ufffb]/gu

/** For text on one line: titles, labels, names, urls. A line end is shown as `\n`. */
export function escapeLine(text: string): string {
  return escapeExcept(text, '')
}

/** For bodies and messages: line ends and tabs stay, a carriage return before a line end goes. */
export function escapeText(text: string): string {
  return escapeExcept(text.replaceAll('\r\n', '\n'), '\n\t')
}

function escapeExcept(text: string, allowed: string): string {
  if (/^[\x20-\x7e]*$/.test(text)) return text
  return text.replace(notable, (character, joiner: string | undefined) =>
    joiner !== undefined || allowed.includes(character) ? character : visible(character),
  )
}

const named: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

function visible(character: string): string {
  const code = character.codePointAt(0) ?? 0
  const hex = code.toString(16)
  if (code < 0x100) return named[character] ?? `\\x${hex.padStart(2, '0')}`
  return code < 0x10000 ? `\\u${hex.padStart(4, '0')}` : `\\u{${hex}}`
}
