/**
 * Foreign values in messages. Never convert a foreign value to text by its own means (`String()`, a template,
 * `JSON.stringify`): that may throw, overflow the stack, or fill a screen.
 */

/** UTF-16 units of foreign text that a message quotes. */
const quotedLengthMax = 80

/**
 * Describes a foreign value in a few words: text or a number as it is, shortened if long, anything else by its type.
 */
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

/** The text, or its beginning and an ellipsis, at most `lengthMax` UTF-16 units together. */
export function shortenText(text: string, lengthMax: number): string {
  if (text.length <= lengthMax) return text
  // Never end on half of a surrogate pair.
  return `${text.slice(0, lengthMax - 1).replace(/[\ud800-\udbff]$/, '')}…`
}
