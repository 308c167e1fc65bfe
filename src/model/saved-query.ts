/**
 * A project's saved queries, as values of project keys `grite.query.<name>` (docs/format.md#reserved-keys). Anyone who
 * can push can write them, so each is checked when read, and a broken one is reported, not thrown.
 */
import { InvalidArgsError } from './errors/index.ts'
import { parseForeignJson } from './foreign/parse-json.ts'
import { shape } from './foreign/shapes.ts'
import { limits } from './limits.ts'
import { parseQuery } from './query/parse.ts'

export const savedQueryPrefix = 'grite.query.'

export interface SavedQuery {
  readonly name: string
  /** The text; null when it is unreadable. */
  readonly query: string | null
  /** Why it cannot run; null when it can. */
  readonly problem: string | null
}

export function savedQueryKey(name: string): string {
  return `${savedQueryPrefix}${name}`
}

/** Letters, digits, dots, dashes and underscores, at most 64. */
export function isSavedQueryName(text: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(text)
}

/** The value of a saved query. The empty value removes it. */
export function formatSavedQuery(query: string): string {
  return JSON.stringify({ query })
}

/** JSON needs at most six characters per character, and a few around them. */
const valueLengthMax = 6 * limits.queryBytesMax + 1024

/** Reads the value of a key with the prefix; undefined for a removed query. */
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
  return { name, query, problem: query === null ? 'the value is not a saved query' : findProblem(name, query) }
}

const valueShape = shape.table({ query: shape.text() })

function readText(value: string): string | null {
  return parseForeignJson(value, valueShape, { name: 'a saved query', sizeMax: valueLengthMax }).value?.query ?? null
}

function findProblem(name: string, query: string): string | null {
  if (!isSavedQueryName(name)) return 'the name has characters that are not allowed'
  try {
    parseQuery(query)
    return null
  } catch (error) {
    if (error instanceof InvalidArgsError) return error.message
    throw error
  }
}
