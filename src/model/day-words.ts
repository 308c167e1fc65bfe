/** Days as people write them: `friday`, `2w`. Pure: the caller, who knows the time zone, says which day today is. */
import { parseDay } from './moment.ts'

/** What `parseDayWord` reads, for messages and help. */
export const dayWords = 'a date YYYY-MM-DD, today, tomorrow, a weekday, or a time from today such as 7d, 2w, 1mo or 1y'

export const weekdays = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'] as const

/**
 * The day `YYYY-MM-DD` that a word names; undefined for any other text, and for days after the year 9999.
 *
 * A weekday, or the first three or more letters of one, is the next such day after today. Months and years are those of the
 * calendar: one month after 31 January is the last day of February.
 *
 * @param today - number of the day where the word was written
 */
export function parseDayWord(text: string, today: number): string | undefined {
  const word = text.trim().toLowerCase()
  if (parseDay(word) !== undefined) return word
  if (word === 'today') return formatDay(today)
  if (word === 'tomorrow') return formatDay(today + 1)
  const weekday = word.length < 3 ? -1 : weekdays.findIndex((name) => name.startsWith(word))
  if (weekday >= 0) return formatDay(nextWeekday(today, weekday))
  const [, digits, unit] = /^(\d{1,7})(mo|[dwy])$/.exec(word) ?? []
  if (digits === undefined) return undefined
  const count = Number(digits)
  if (unit === 'd') return formatDay(today + count)
  if (unit === 'w') return formatDay(today + 7 * count)
  return formatDay(addMonths(today, unit === 'y' ? 12 * count : count))
}

function nextWeekday(today: number, weekday: number): number {
  const days = weekday - new Date(today * dayMs).getUTCDay()
  return today + (days > 0 ? days : days + 7)
}

function addMonths(day: number, count: number): number {
  const date = new Date(day * dayMs)
  const year = date.getUTCFullYear()
  const month = date.getUTCMonth() + count
  // Day 0 is the last day of the month before.
  const last = new Date(Date.UTC(year, month + 1, 0)).getUTCDate()
  return Date.UTC(year, month, Math.min(date.getUTCDate(), last)) / dayMs
}

const dayMs = 86_400_000

/** Undefined for a day that does not have four digits of year. */
function formatDay(day: number): string | undefined {
  const date = new Date(day * dayMs)
  const text = Number.isNaN(date.getTime()) ? '' : date.toISOString().slice(0, 10)
  return parseDay(text) === day ? text : undefined
}
