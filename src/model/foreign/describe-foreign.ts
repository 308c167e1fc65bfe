/**
 * Foreign values in messages. A value that somebody else wrote is never turned into text by its own means (`String()`,
 * a template, `JSON.stringify`): it may throw, overflow the stack, or fill a screen.
 */

/** UTF-16 units of a foreign text that a message quotes. */
const quotedLengthMax = 80

/** Names a foreign value in a few words: a text or number as it is, cut off when it is long, anything else by its type. */
export function describeForeign(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(shortenText(value, quotedLengthMax))
    case 'number':
    case 'boolean':
      return `${value}`
    case 'bigint':
      return shortenText(value.toString(), quotedLengthMax)
    case 'object':
      if (value === null) return 'null'
      if (Array.isArray(value)) return 'a list'
      return value instanceof Date ? 'a date' : 'an object'
    default:
      return 'nothing'
  }
}

/** The text, or its beginning and an ellipsis, together at most so many UTF-16 units. */
export function shortenText(text: string, lengthMax: number): string {
  if (text.length <= lengthMax) return text
  // No half of a surrogate pair is left at the end.
  return `${text.slice(0, lengthMax - 1).replace(/[\ud800-\udbff]$/, '')}…`
}
