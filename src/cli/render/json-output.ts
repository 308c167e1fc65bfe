/** The one document that `--json` prints. */
import type { Failure } from '../failure.ts'

export function formatSuccess(data: unknown): string {
  return `${JSON.stringify({ schema_version: 1, ok: true, data }, null, 2)}\n`
}

export function formatFailure({ code, message, details, suggestions }: Failure): string {
  const all = suggestions.length > 0 ? { ...details, suggestions } : details
  const error = Object.keys(all).length > 0 ? { code, message, details: all } : { code, message }
  return `${JSON.stringify({ schema_version: 1, ok: false, error }, null, 2)}\n`
}
