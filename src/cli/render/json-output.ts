/** The one document that `--json` prints. */
import type { Warning } from '../../tracker/effects.ts'
import { DeferredEntries, jsonPieces } from '../../tracker/export/json-pieces.ts'
import type { Failure } from '../failure.ts'

/**
 * The document of a success, in pieces: an answer may be longer than a string can be.
 *
 * @param warnings - read when the data has been written, since deferred parts may warn too
 */
export async function* successPieces(data: unknown, warnings: readonly Warning[]): AsyncGenerator<string> {
  yield* jsonPieces(
    new DeferredEntries(async function* () {
      yield ['schema_version', 1]
      yield ['ok', true]
      yield ['data', data]
      if (warnings.length > 0) yield ['warnings', warnings.map(factsOf)]
    }),
  )
  yield '\n'
}

export function formatFailure({ code, message, details, suggestions }: Failure, warnings: readonly Warning[]): string {
  const all = suggestions.length > 0 ? { ...details, suggestions } : details
  const error = Object.keys(all).length > 0 ? { code, message, details: all } : { code, message }
  const told = warnings.length > 0 ? { warnings: warnings.map(factsOf) } : {}
  return `${JSON.stringify({ schema_version: 1, ok: false, error, ...told }, null, 2)}\n`
}

/** One piece of a feed. */
export function formatItem(item: unknown): string {
  return `${JSON.stringify(item)}\n`
}

/** A warning of a feed, which has no document that it could be part of. */
export function formatWarning(warning: Warning): string {
  return `${JSON.stringify({ schema_version: 1, warning: factsOf(warning) })}\n`
}

function factsOf({ code, message, details }: Warning) {
  return details === undefined ? { code, message } : { code, message, details }
}
