/**
 * The words of a query, with their positions and quoting.
 *
 *     -label:"help wanted" (crash OR type:bug)
 *
 * A quote opens at the start of a word or of a qualifier's value; inside it `\"` is a quote and `\\` a backslash.
 * Parentheses that a word opens and closes itself belong to the word, as in `main()`.
 */
import { type QueryPlace, queryFault } from './fault.ts'

export type QueryToken =
  | { readonly type: 'open' | 'close' | 'not' | 'and' | 'or'; readonly at: number }
  | ({ readonly type: 'word' } & QueryWord)

export interface QueryWord extends QueryPlace {
  /** In lower case, as in `label:bug`; null for a bare word. */
  readonly qualifier: string | null
  readonly value: string
  readonly quoted: boolean
}

/** Joins and negation as words; in lower case they are plain text. */
export const operatorWords: ReadonlyMap<string, 'and' | 'or' | 'not'> = new Map([
  ['AND', 'and'],
  ['OR', 'or'],
  ['NOT', 'not'],
])

const qualifierStart = /([A-Za-z][A-Za-z-]*):/y

/** @throws {InvalidArgsError} on an unclosed quote, or text directly after a closing one */
export function tokenizeQuery(text: string): QueryToken[] {
  const tokens: QueryToken[] = []
  for (let at = skipSpace(text, 0); at < text.length; at = skipSpace(text, at)) {
    const { token, end } = readToken(text, at)
    tokens.push(token)
    at = end
  }
  return tokens
}

function skipSpace(text: string, from: number): number {
  let at = from
  while (at < text.length && isSpace(text[at])) at++
  return at
}

const isSpace = (character: string | undefined) => character !== undefined && /\s/.test(character)

function readToken(text: string, at: number): { readonly token: QueryToken; readonly end: number } {
  const character = text[at]
  if (character === '(') return { token: { type: 'open', at }, end: at + 1 }
  if (character === ')') return { token: { type: 'close', at }, end: at + 1 }
  if (character === '-' && negates(text[at + 1])) return { token: { type: 'not', at }, end: at + 1 }
  qualifierStart.lastIndex = at
  const qualifier = qualifierStart.exec(text)?.[1]?.toLowerCase() ?? null
  const valueAt = qualifier === null ? at : qualifierStart.lastIndex
  const { value, end } = text[valueAt] === '"' ? readQuoted(text, valueAt) : readBare(text, valueAt)
  const quoted = text[valueAt] === '"'
  const operator = qualifier === null && !quoted ? operatorWords.get(value) : undefined
  if (operator !== undefined) return { token: { type: operator, at }, end }
  return { token: { type: 'word', at, qualifier, value, quoted }, end }
}

/** A dash before nothing, or before another dash as in `--json`, is text. */
function negates(next: string | undefined): boolean {
  return next !== undefined && next !== '-' && next !== ')' && !isSpace(next)
}

function readQuoted(text: string, at: number): { readonly value: string; readonly end: number } {
  let value = ''
  for (let index = at + 1; index < text.length; index++) {
    const character = text[index] as string
    if (character === '"') {
      const next = text[index + 1]
      if (next === undefined || next === ')' || isSpace(next)) return { value, end: index + 1 }
      throw queryFault({ at: index + 1 }, `expected a space after the closing quote, got '${next}'`, {
        hints: ['Inside quotes write \\" for a quote'],
      })
    }
    const isEscape = character === '\\' && (text[index + 1] === '"' || text[index + 1] === '\\')
    if (isEscape) index++
    value += isEscape ? text[index] : character
  }
  throw queryFault({ at }, 'this quote is not closed', {})
}

function readBare(text: string, at: number): { readonly value: string; readonly end: number } {
  let depth = 0
  let end = at
  for (; end < text.length && !isSpace(text[end]); end++) {
    if (text[end] === '(') depth++
    if (text[end] === ')' && depth-- === 0) break
  }
  return { value: text.slice(at, end), end }
}
