/** The `--json` document. */

import type { Failure } from '../../commands/describe-failure.ts'
import type { Warning } from '../../tracker/effects.ts'
import {
  DeferredEntries,
  formatJson,
  type JsonLayout,
  jsonPieces,
  type Piece,
} from '../../tracker/export/json-pieces.ts'

/**
 * The document of a success in pieces, since the data may exceed the maximum length of a string.
 *
 * @param warnings - read after the data was written, since deferred parts may add warnings
 */
export async function* successPieces(
  data: unknown,
  warnings: readonly Warning[],
  layout: JsonLayout,
): AsyncGenerator<Piece> {
  yield* jsonPieces(
    new DeferredEntries(async function* () {
      yield ['schema_version', 1]
      yield ['ok', true]
      yield ['data', data]
      if (warnings.length > 0) yield ['warnings', warnings.map(factsOf)]
    }),
    layout,
  )
  yield '\n'
}

export function formatFailure(
  { code, message, details, suggestions }: Failure,
  warnings: readonly Warning[],
  layout: JsonLayout,
): string {
  const all = suggestions.length > 0 ? { ...details, suggestions } : details
  const error = Object.keys(all).length > 0 ? { code, message, details: all } : { code, message }
  const told = warnings.length > 0 ? { warnings: warnings.map(factsOf) } : {}
  return `${formatJson({ schema_version: 1, ok: false, error, ...told }, layout)}\n`
}

/** One item of a feed. */
export function formatItem(item: unknown): string {
  return `${JSON.stringify(item)}\n`
}

/** A warning of a feed, as a separate line since a feed has no document. */
export function formatWarning(warning: Warning): string {
  return `${JSON.stringify({ schema_version: 1, warning: factsOf(warning) })}\n`
}

function factsOf({ code, message, details }: Warning) {
  return details === undefined ? { code, message } : { code, message, details }
}
