import { InvalidArgsError } from '../model/index.ts'

const unitMs: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
}

/**
 * Parses a moment: an age like `7d` or `90m` (before now), a date or time in ISO form (UTC without a zone), or
 * milliseconds since the epoch.
 * @throws {InvalidArgsError} naming the option and what is allowed
 */
export function parseMoment(option: string, text: string, nowUnixMs: number): number {
  const age = /^(\d+)([smhdw])$/.exec(text)
  const moment =
    age !== null
      ? nowUnixMs - Number(age[1]) * (unitMs[age[2] as string] as number)
      : /^\d{6,}$/.test(text)
        ? Number(text)
        : parseIso(text)
  if (Number.isSafeInteger(moment)) return moment
  throw new InvalidArgsError(
    `--${option} must be an age like 7d, 12h or 30m, a date like 2026-01-31, or milliseconds, got '${text}'`,
    { details: { field: option, value: text, allowed: ['<n>s', '<n>m', '<n>h', '<n>d', '<n>w', 'YYYY-MM-DD', 'ms'] } },
  )
}

/** NaN unless the text is a date or time of the calendar. `Date.parse` takes 30 February for the second of March. */
function parseIso(text: string): number {
  const [date] = /^\d{4}-\d{2}-\d{2}/.exec(text) ?? []
  if (date === undefined) return Number.NaN
  const midnight = Date.parse(`${date}T00:00:00Z`)
  if (Number.isNaN(midnight) || !new Date(midnight).toISOString().startsWith(date)) return Number.NaN
  if (text === date) return midnight
  const hasZone = /(Z|[+-]\d{2}:?\d{2})$/i.test(text)
  return Date.parse(hasZone ? text : `${text}Z`)
}
