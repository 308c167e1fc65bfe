/**
 * Parses the text of a query.
 *
 *     query  := or
 *     or     := and ("OR" and)*
 *     and    := unary (["AND"] unary)*
 *     unary  := ("-" | "NOT") unary | "(" or ")" | word
 *
 * `sort:` and `limit:` apply to the whole query: outside of groups, and once each.
 */
import { limits } from '../limits.ts'
import { nearWords } from '../near-words.ts'
import { queryFault } from './fault.ts'
import { directives, isQualifierKey, parseQualifier, qualifierKeys, qualifiers } from './qualifiers.ts'
import { allOf, anyOf, not, type Query, type QuerySort, type QueryTerm, querySortKeys, usualSort } from './query.ts'
import { type QueryToken, type QueryWord, tokenizeQuery } from './tokens.ts'

/**
 * Parses a query. The empty query matches every issue.
 * @throws {InvalidArgsError} naming the qualifier, the value, the allowed values and the position
 */
export function parseQuery(text: string): Query {
  if (new TextEncoder().encode(text).length > limits.queryBytesMax) {
    throw queryFault({ at: 0 }, `a query has at most ${limits.queryBytesMax} bytes`, {
      bytes_max: limits.queryBytesMax,
    })
  }
  return new QueryParser(text).parse()
}

class QueryParser {
  readonly #tokens: readonly QueryToken[]
  readonly #end: number
  #next = 0
  #depth = 0
  #sort: QuerySort | null = null
  #limit: number | null = null

  constructor(text: string) {
    this.#tokens = tokenizeQuery(text)
    this.#end = text.length
  }

  parse(): Query {
    const filter = this.#tokens.length === 0 ? null : this.#parseOr()
    const rest = this.#peek()
    if (rest !== undefined) throw queryFault(rest, 'this parenthesis has no opening one', { hints: [quoteHint] })
    return { filter, sort: this.#sort, limit: this.#limit }
  }

  #peek(): QueryToken | undefined {
    return this.#tokens[this.#next]
  }

  #parseOr(): QueryTerm | null {
    const sides = [this.#parseAnd()]
    for (let token = this.#peek(); token?.type === 'or'; token = this.#peek()) {
      this.#next++
      sides.push(this.#parseAnd())
      if (sides.includes(null)) throw queryFault(token, 'OR needs a condition on both sides', {})
    }
    return anyOf(sides.filter((side) => side !== null))
  }

  /** Null when there were only directives. */
  #parseAnd(): QueryTerm | null {
    const terms: (QueryTerm | null)[] = []
    for (let token = this.#peek(); token !== undefined && token.type !== 'or'; token = this.#peek()) {
      if (token.type === 'close') break
      if (token.type !== 'and') terms.push(this.#parseUnary())
      else {
        this.#next++
        const before = terms.length > 0
        const after = this.#peek()?.type
        if (!before || after === undefined || after === 'or' || after === 'and' || after === 'close') {
          throw queryFault(token, 'AND needs a condition on both sides', {})
        }
      }
    }
    if (terms.length === 0) {
      throw queryFault({ at: this.#peek()?.at ?? this.#end }, 'expected a condition', { hints: [quoteHint] })
    }
    return allOf(terms.filter((term) => term !== null))
  }

  #parseUnary(): QueryTerm | null {
    const token = this.#tokens[this.#next++]
    switch (token?.type) {
      case 'not':
        return not(this.#parseNested(token, () => this.#parseUnary()))
      case 'open':
        return this.#parseNested(token, () => this.#parseGroup(token))
      case 'word':
        return this.#parseWord(token)
      default:
        throw queryFault({ at: token?.at ?? this.#end }, 'expected a condition', { hints: [quoteHint] })
    }
  }

  /** Bounded, because anyone may have written the query and each level is a recursive call. */
  #parseNested(token: QueryToken, parse: () => QueryTerm | null): QueryTerm {
    if (this.#depth >= limits.queryDepthMax) {
      throw queryFault(token, `groups nest at most ${limits.queryDepthMax} levels deep`, {
        depth_max: limits.queryDepthMax,
      })
    }
    this.#depth++
    const term = parse()
    this.#depth--
    if (term === null) throw queryFault(token, 'expected a condition', {})
    return term
  }

  #parseGroup(open: QueryToken): QueryTerm | null {
    const term = this.#parseOr()
    if (this.#peek()?.type !== 'close') {
      throw queryFault(open, 'this parenthesis is not closed', { hints: [quoteHint] })
    }
    this.#next++
    return term
  }

  #parseWord(word: QueryWord): QueryTerm | null {
    const { qualifier, value } = word
    if (qualifier === null) return requireTerm(word, 'text')
    if (qualifier === 'sort') this.#sort = this.#once(word, this.#sort, parseSort(value))
    else if (qualifier === 'limit') this.#limit = this.#once(word, this.#limit, parseLimit(value))
    else if (isQualifierKey(qualifier)) return requireTerm(word, qualifier)
    else throw unknownQualifier(qualifier, value, word)
    return null
  }

  #once<Value>(word: QueryWord, known: Value | null, value: Value | undefined): Value {
    const name = word.qualifier as keyof typeof directives
    if (this.#depth > 0) {
      throw queryFault(word, `${name} applies to the whole query: write it outside of groups and without a dash`, {
        qualifier: name,
        value: word.value,
      })
    }
    if (known !== null) throw queryFault(word, `${name} is given twice`, { qualifier: name, value: word.value })
    if (value === undefined) {
      const choices = name === 'sort' ? querySortKeys : undefined
      throw wrongValue(word, name, { allowed: directives[name], ...(choices === undefined ? {} : { choices }) })
    }
    return value
  }
}

const quoteHint = 'Put text to match literally in double quotes'

function requireTerm(word: QueryWord, key: keyof typeof qualifiers): QueryTerm {
  const term = parseQualifier(key, word.value, word.quoted)
  if (term === undefined) throw wrongValue(word, key, qualifiers[key])
  return term
}

function wrongValue(
  word: QueryWord,
  qualifier: string,
  { allowed, choices = [] }: { readonly allowed: string; readonly choices?: readonly string[] },
) {
  const near = nearWords(word.value, choices).map((choice) => `Did you mean \`${qualifier}:${choice}\`?`)
  return queryFault(word, `${qualifier} must be ${allowed}, got '${word.value}'`, {
    qualifier,
    value: word.value,
    allowed: choices.length > 0 ? choices : allowed,
    hints: near,
  })
}

function unknownQualifier(qualifier: string, value: string, word: QueryWord) {
  const allowed = [...qualifierKeys, ...Object.keys(directives)]
  const near = nearWords(qualifier, allowed).map((key) => `Did you mean \`${key}:${value}\`?`)
  return queryFault(word, `there is no qualifier '${qualifier}'; use one of ${allowed.join(', ')}`, {
    qualifier,
    value,
    allowed,
    hints: [...near, quoteHint],
  })
}

function parseSort(value: string): QuerySort | undefined {
  const [, name, direction] = /^([a-z]+?)(?:-(asc|desc))?$/.exec(value.toLowerCase()) ?? []
  const key = querySortKeys.find((each) => each === name)
  if (key === undefined) return undefined
  return direction === undefined ? usualSort(key) : { key, direction: direction as QuerySort['direction'] }
}

function parseLimit(value: string): number | undefined {
  const limit = Number(value)
  return /^\d+$/.test(value) && Number.isSafeInteger(limit) ? limit : undefined
}
