/** The one document that `--json` prints. */
import type { Warning } from '../../commands/context.ts'
import type { Failure } from '../failure.ts'

export function formatSuccess(data: unknown, warnings: readonly Warning[]): string {
  return formatEnvelope({ ok: true, data }, warnings)
}

export function formatFailure({ code, message, details, suggestions }: Failure, warnings: readonly Warning[]): string {
  const all = suggestions.length > 0 ? { ...details, suggestions } : details
  const error = Object.keys(all).length > 0 ? { code, message, details: all } : { code, message }
  return formatEnvelope({ ok: false, error }, warnings)
}

/** One piece of a feed. */
export function formatItem(item: unknown): string {
  return `${JSON.stringify(item)}\n`
}

/** A warning of a feed, which has no document that it could be part of. */
export function formatWarning({ code, message, details }: Warning): string {
  const warning = details === undefined ? { code, message } : { code, message, details }
  return `${JSON.stringify({ schema_version: 1, warning })}\n`
}

/** Warnings are part of the document, so that who reads only that misses nothing; the key is absent without any. */
function formatEnvelope(outcome: object, warnings: readonly Warning[]): string {
  const told = warnings.length > 0 ? { warnings } : {}
  return `${JSON.stringify({ schema_version: 1, ...outcome, ...told }, null, 2)}\n`
}
