/** Relative times: `3 h ago`, `in 2 d`, in the largest unit with a value of at least one. */

const units: readonly (readonly [name: string, ms: number])[] = [
  ['y', 365 * 86_400_000],
  ['mo', 30 * 86_400_000],
  ['w', 7 * 86_400_000],
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
]

export function formatRelativeTime(tsUnixMs: number, nowUnixMs: number): string {
  const distanceMs = Math.abs(nowUnixMs - tsUnixMs)
  const unit = units.find(([, ms]) => distanceMs >= ms)
  if (unit === undefined) return 'just now'
  const amount = `${Math.floor(distanceMs / unit[1])} ${unit[0]}`
  return tsUnixMs <= nowUnixMs ? `${amount} ago` : `in ${amount}`
}

/** For scripts and output that is read later. */
export function formatAbsoluteTime(tsUnixMs: number): string {
  const date = new Date(tsUnixMs)
  return Number.isNaN(date.getTime()) ? `${tsUnixMs}` : date.toISOString()
}

/** `2026-04-05 14:35 UTC`, for people. */
export function formatMinute(tsUnixMs: number): string {
  const text = formatAbsoluteTime(tsUnixMs)
  return /^\d{4}-/.test(text) ? `${text.slice(0, 10)} ${text.slice(11, 16)} UTC` : text
}
