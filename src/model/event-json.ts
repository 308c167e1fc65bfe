/**
 * The two JSON forms of an event body (spec §2.5). Both are `{"<Kind>": {fields}}` with fields in alphabetical order;
 * they differ in the form of bytes and symbols.
 */
import { type EventBody, eventKinds, type SourceSymbol, type WireType } from './event-kinds.ts'
import { parseHex } from './hex.ts'

/** JSON for output: plain data in insertion order. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

/** The body of an event: `{"<Kind>": {fields}}`. */
export type KindJson = { readonly [name: string]: { readonly [field: string]: Json } }

/** The form of `issue show`: byte strings are arrays of numbers, symbols are full objects. */
export function formatKindWithNumbers(body: EventBody): KindJson {
  return formatKind(body, (type, value) => {
    if (type === 'issueId' || type === 'sha256') return [...(parseHex(value as string) ?? [])]
    if (type === 'sortedSymbols') return (value as readonly SourceSymbol[]).map(formatSymbol)
    return value as Json
  })
}

/**
 * The form of the JSON export: byte strings are hex; `symbol_count` is always present, and `symbols` so that a restore
 * has them.
 */
export function formatKindForExport(body: EventBody): KindJson {
  const kind = formatKind(body, (type, value) =>
    type === 'sortedSymbols' ? (value as readonly SourceSymbol[]).map(formatSymbol) : (value as Json),
  )
  if (body.type !== 'ContextUpdated') return kind
  return { ContextUpdated: sortKeys({ ...kind.ContextUpdated, symbol_count: body.symbols.length }) }
}

function formatKind(body: EventBody, formatField: (type: WireType, value: unknown) => Json): KindJson {
  const values = body as unknown as Readonly<Record<string, unknown>>
  const fields = Object.entries(eventKinds[body.type].fields).map(
    ([name, type]) => [name, formatField(type, values[name])] as const,
  )
  return { [body.type]: sortKeys(Object.fromEntries(fields)) }
}

function formatSymbol({ kind, lineEnd, lineStart, name }: SourceSymbol): Json {
  return { kind, line_end: lineEnd, line_start: lineStart, name }
}

function sortKeys(fields: { readonly [field: string]: Json }): { readonly [field: string]: Json } {
  return Object.fromEntries(Object.entries(fields).sort(([left], [right]) => (left < right ? -1 : 1)))
}
