import { dayOf, InvalidArgsError, parseAge, parseTimeSpan } from '../model/index.ts'
import type { Clock } from './effects.ts'

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
    `--${option} must be an age like 30m, 12h, 7d, 2w, 1mo or 1y, a date like 2026-01-31, or milliseconds, got '${text}'`,
    { details: { field: option, value: text, allowed: [...ages, 'YYYY-MM-DD', 'ms'] } },
  )
}

const ages = ['<n>s', '<n>m', '<n>h', '<n>d', '<n>w', '<n>mo', '<n>y'] as const

/** Number of the present day in the time zone of the caller, for words such as `tomorrow`. */
export function localDay(clock: Clock): number {
  const nowUnixMs = clock.nowUnixMs()
  return dayOf(nowUnixMs + (clock.offsetMinutesAt?.(nowUnixMs) ?? 0) * 60_000)
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
        allowed: ['<seconds>', ...ages],
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
