/** Escapes invisible characters. Anyone who can push an event chooses its text; readers must see what is stored. */

// First the one invisible character that is part of visible text, a joiner between two pictures; then controls (C0,
// DEL, C1), line and paragraph separators, and all invisible characters (bidirectional controls, zero-width and tag
// characters, fillers), halves of surrogate pairs, annotations. Emoji presentation selectors may stay. The joiner
// matches before its lookbehind: the other way round, every position would look back over the text. Its sets of characters take
// V8 a millisecond, and most texts are ASCII, so it is not made at the start.
const notable = () =>
  /(\u200d)(?<=\p{Extended_Pictographic}(?:\ufe0f|\p{Emoji_Modifier})*\u200d)(?=\p{Extended_Pictographic})|(?!\ufe0e|\ufe0f)[\p{Cc}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\p{Surrogate}\ufff9-\ufffb]/gu

/** @param allowed - invisible characters to keep */
export function makeVisible(text: string, allowed = ''): string {
  if (/^[\x20-\x7e]*$/.test(text)) return text
  return text.replace(notable(), (character, joiner: string | undefined) =>
    joiner !== undefined || allowed.includes(character) ? character : visible(character),
  )
}

/**
 * Escapes invisible characters of JSON as `\uXXXX`, which keeps the document the same: JSON has them only inside
 * strings. A piece of a document may begin or end anywhere, even inside a surrogate pair.
 */
export function makeJsonVisible(json: string): string {
  if (/^[\n\x20-\x7e]*$/.test(json)) return json
  return json.replace(notable(), (character, joiner: string | undefined) =>
    joiner !== undefined || character === '\n' ? character : jsonEscape(character),
  )
}

function jsonEscape(character: string): string {
  return character
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('')
}

const named: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

function visible(character: string): string {
  const code = character.codePointAt(0) ?? 0
  const hex = code.toString(16)
  if (code < 0x100) return named[character] ?? `\\x${hex.padStart(2, '0')}`
  return code < 0x10000 ? `\\u${hex.padStart(4, '0')}` : `\\u{${hex}}`
}
