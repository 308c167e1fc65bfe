import { InvalidArgsError, parseAge, parseTimeSpan } from '../model/index.ts'

/**
 * Parses a moment: an age like `7d` or `90m` (before now), a date or time in ISO form (UTC without a zone), or
 * milliseconds since the epoch.
 * @throws {InvalidArgsError} naming the option and the allowed values
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

/**
 * Parses a duration: `500ms`, `90s`, `15m`, `2h`, `1d`, or whole seconds.
 * @returns milliseconds
 * @throws {InvalidArgsError} naming the option and the allowed values
 */
export function parseDuration(
  option: string,
  text: string,
  { msMin = 1000, msMax }: { readonly msMin?: number; readonly msMax: number },
): number {
  const [, number = '', unit] = /^(\d+)(ms)?$/.exec(text.trim()) ?? []
  const ms = number === '' ? parseAge(text.trim()) : Number(number) * (unit === 'ms' ? 1 : secondMs)
  if (ms !== undefined && ms >= msMin && ms <= msMax) return ms
  const [least, most] = [formatDuration(msMin), formatDuration(msMax)]
  throw new InvalidArgsError(
    `--${option} must be a duration like 90s, 15m or 2h, or seconds, from ${least} to ${most}, got '${text}'`,
    {
      details: {
        field: option,
        value: text,
        allowed: ['<seconds>', '<n>s', '<n>m', '<n>h', '<n>d'],
        min: least,
        max: most,
      },
    },
  )
}

const secondMs = 1000
const hourMs = 3_600_000

function formatDuration(ms: number): string {
  if (ms % hourMs === 0) return `${ms / hourMs}h`
  return ms % secondMs === 0 ? `${ms / secondMs}s` : `${ms}ms`
}
