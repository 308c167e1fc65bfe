const pattern = /^(\d{4})-(\d{2})-(\d{2})[Tt ](\d{2}):(\d{2}):(\d{2})(?:\.(\d+))?(?:[Zz]|([+-])(\d{2}):(\d{2}))$/

/**
 * Parses an RFC 3339 time with any offset and fraction. Truncates below a millisecond, never rounds: `Date.parse`
 * leaves that to the engine. May be negative (Go's zero time is the year 1).
 *
 * @returns milliseconds since the Unix epoch; undefined for other text
 */
export function parseRfc3339(text: string): number | undefined {
  const match = pattern.exec(text)
  if (match === null) return undefined
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  const [offsetHour, offsetMinute] = [Number(match[9] ?? 0), Number(match[10] ?? 0)]
  // Second 60 is a leap second; it becomes the first second of the next minute.
  if (hour > 23 || minute > 59 || second > 60 || offsetHour > 23 || offsetMinute > 59) return undefined
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined
  const milliseconds = Number((match[7] ?? '').slice(0, 3).padEnd(3, '0'))
  const offset = (match[8] === '-' ? -1 : 1) * (offsetHour * 60 + offsetMinute)
  return date.getTime() + ((hour * 60 + minute - offset) * 60 + second) * 1000 + milliseconds
}

/** The canonical text of a time: UTC, `Z`, a fraction only when nonzero, no trailing zeros. */
export function formatRfc3339(tsUnixMs: number): string {
  return new Date(tsUnixMs).toISOString().replace(/\.?0*Z$/, 'Z')
}
