/**
 * Queries that a project keeps, as values of project keys `grite.query.<name>` (docs/format.md#reserved-keys). They come
 * from anyone who can push, so each is judged when it is read, and a broken one is told, not thrown.
 */
import { InvalidArgsError } from './errors/index.ts'
import { parseForeignJson } from './foreign/parse-json.ts'
import { shape } from './foreign/shapes.ts'
import { limits } from './limits.ts'
import { parseQuery } from './query/parse.ts'

export const savedQueryPrefix = 'grite.query.'

export interface SavedQuery {
  readonly name: string
  /** The text; null when it cannot be read. */
  readonly query: string | null
  /** Why it cannot be run; null when it can. */
  readonly problem: string | null
}

export function savedQueryKey(name: string): string {
  return `${savedQueryPrefix}${name}`
}

/** Letters, digits, dots, dashes and underscores, at most 64. */
export function isSavedQueryName(text: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(text)
}

/** The value that says a query. The empty value takes it away. */
export function formatSavedQuery(query: string): string {
  return JSON.stringify({ query })
}

/** JSON needs six characters for one at most, and a few around it. */
const valueLengthMax = 6 * limits.queryBytesMax + 1024

/** What a key with the prefix says; undefined for one that was taken away. */
export function readSavedQuery({
  key,
  value,
}: {
  readonly key: string
  readonly value: string
}): SavedQuery | undefined {
  if (value === '') return undefined
  const name = key.slice(savedQueryPrefix.length)
  const query = readText(value)
  return { name, query, problem: query === null ? 'the value is not that of a query' : findProblem(name, query) }
}

const valueShape = shape.table({ query: shape.text() })

function readText(value: string): string | null {
  return parseForeignJson(value, valueShape, { name: 'a saved query', sizeMax: valueLengthMax }).value?.query ?? null
}

function findProblem(name: string, query: string): string | null {
  if (!isSavedQueryName(name)) return 'the name has characters that a name cannot have'
  try {
    parseQuery(query)
    return null
  } catch (error) {
    if (error instanceof InvalidArgsError) return error.message
    throw error
  }
}
