import { InvalidArgsError, parseAge, parseTimeSpan } from '../model/index.ts'

/**
 * Parses a moment: an age like `7d` or `90m` (before now), a date or time in ISO form (UTC without a zone), or
 * milliseconds since the epoch.
 * @throws {InvalidArgsError} naming the option and what is allowed
 */
export function parseMoment(option: string, text: string, nowUnixMs: number): number {
  const age = parseAge(text)
  const moment = age === undefined ? parseTimeSpan(text)?.first : nowUnixMs - age
  if (moment !== undefined && Number.isSafeInteger(moment)) return moment
  throw new InvalidArgsError(
    `--${option} must be an age like 7d, 12h or 30m, a date like 2026-01-31, or milliseconds, got '${text}'`,
    { details: { field: option, value: text, allowed: ['<n>s', '<n>m', '<n>h', '<n>d', '<n>w', 'YYYY-MM-DD', 'ms'] } },
  )
}
