/**
 * Times as people write them: ages, days, moments. Pure: the caller, who knows the current time, turns an age into a
 * moment.
 */

const unitsMs: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
  mo: 30 * 86_400_000,
  y: 365 * 86_400_000,
}

const dayMs = 86_400_000

/**
 * Length of an age such as `7d`, `12h` or `90m`, in milliseconds; undefined for any other text. A month `1mo` is 30 days,
 * a year `1y` is 365.
 */
export function parseAge(text: string): number | undefined {
  const [, count, unit] = /^(\d+)(mo|[smhdwy])$/.exec(text) ?? []
  if (count === undefined || unit === undefined) return undefined
  const ms = Number(count) * (unitsMs[unit] as number)
  return Number.isSafeInteger(ms) ? ms : undefined
}

/** `Date.parse` alone also reads `2026-01-31..` and comments in parentheses. */
const momentPattern = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(Z|[+-]\d{2}:?\d{2}|)$/i

/** First and last millisecond of a named time, both inclusive. */
export interface TimeSpan {
  readonly first: number
  readonly last: number
}

/**
 * The time that a text names: a day `2026-01-31` (UTC), a moment in ISO form (UTC without a zone), or milliseconds
 * since the epoch. Undefined for any other text, and for days outside the calendar.
 */
export function parseTimeSpan(text: string): TimeSpan | undefined {
  if (/^\d{6,}$/.test(text)) return spanOf(Number(text), 1)
  const [date] = /^\d{4}-\d{2}-\d{2}/.exec(text) ?? []
  const day = date === undefined ? undefined : parseDay(date)
  if (day === undefined) return undefined
  if (text === date) return spanOf(day * dayMs, dayMs)
  const [, zone] = momentPattern.exec(text) ?? []
  if (zone === undefined) return undefined
  return spanOf(Date.parse(zone === '' ? `${text}Z` : text), 1)
}

function spanOf(first: number, lengthMs: number): TimeSpan | undefined {
  return Number.isSafeInteger(first) ? { first, last: first + lengthMs - 1 } : undefined
}

/**
 * Days from 1970-01-01 to a day `YYYY-MM-DD`; undefined when there is no such day. `Date.parse` alone reads 30 February
 * as the second of March.
 */
export function parseDay(text: string): number | undefined {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return undefined
  const ms = Date.parse(`${text}T00:00:00Z`)
  return Number.isNaN(ms) || !new Date(ms).toISOString().startsWith(text) ? undefined : ms / dayMs
}

/** The day number, in UTC, of a moment. */
export function dayOf(tsUnixMs: number): number {
  return Math.floor(tsUnixMs / dayMs)
}

/** `2026-04-05 14:35 UTC`; the number itself for a time outside the calendar. */
export function formatUtcMinute(tsUnixMs: number): string {
  const text = isoOf(tsUnixMs)
  return text === undefined ? `${tsUnixMs}` : `${text.slice(0, 10)} ${text.slice(11, 16)} UTC`
}

/** `2026-04-05`; the number itself for a time outside the calendar. */
export function formatUtcDay(tsUnixMs: number): string {
  return isoOf(tsUnixMs)?.slice(0, 10) ?? `${tsUnixMs}`
}

/** Years of four digits only. */
function isoOf(tsUnixMs: number): string | undefined {
  const date = new Date(tsUnixMs)
  const text = Number.isNaN(date.getTime()) ? '' : date.toISOString()
  return /^\d{4}-/.test(text) ? text : undefined
}
