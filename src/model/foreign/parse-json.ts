/**
 * JSON that somebody else wrote: files of commits that anybody may push, lines of an import, local files that something
 * else may have touched. This is the only place where foreign JSON is parsed.
 *
 * Invariants
 * - Size, depth and number of values are checked before anything is built. `JSON.parse` itself survives any depth, but
 *   whatever walks the result by recursion would not.
 * - The outcome is a value of the type that the shape states, or a problem with a short message. Nothing else is thrown.
 */
import { limits } from '../limits.ts'
import { shortenText } from './describe-foreign.ts'
import { Mismatch, type Shape } from './shapes.ts'

export interface JsonSource {
  /** What is read, at the beginning of every message: `lock.json`, `line 12`. */
  readonly name: string
  /** UTF-16 units of the text; where bytes are given, also bytes. */
  readonly sizeMax: number
  /** Objects and lists within each other. */
  readonly depthMax?: number
  /** Members and items of all objects and lists together: a value may take fifty times the bytes of its text. */
  readonly valuesMax?: number
}

export type JsonProblemKind = 'too-large' | 'too-deep' | 'not-json' | 'wrong-shape'

export interface JsonProblem {
  readonly kind: JsonProblemKind
  /** Where a value is wrong, for example `chunks[2].path`; null when the whole text is meant. */
  readonly field: string | null
  /** Whole, and short whatever the text says: `lock.json: ttl_ms must be a whole number from 0, got "x"`. */
  readonly message: string
  /** Where a text stops being JSON, in the words of this engine, which differ from version to version; else null. */
  readonly detail: string | null
}

export type JsonReading<Value> =
  | { readonly value: Value; readonly problem: null }
  | { readonly value: null; readonly problem: JsonProblem }

const utf8 = new TextDecoder()
const detailLengthMax = 160

/** Parses a JSON text and checks it against a shape. Never throws. */
export function parseForeignJson<Value>(
  text: string | Uint8Array,
  read: Shape<Value>,
  { name, sizeMax, depthMax = limits.foreignDepthMax, valuesMax = Number.POSITIVE_INFINITY }: JsonSource,
): JsonReading<Value> {
  const failed = (kind: JsonProblemKind, message: string, detail: string | null = null) => ({
    value: null,
    problem: { kind, field: null, message: `${name} ${message}`, detail },
  })
  if (text.length > sizeMax) {
    return failed('too-large', `is larger than ${sizeMax} ${typeof text === 'string' ? 'characters' : 'bytes'}`)
  }
  const json = typeof text === 'string' ? text : utf8.decode(text)
  const excess = findExcess(json, depthMax, valuesMax)
  if (excess === 'depth') return failed('too-deep', `is nested deeper than ${depthMax} levels`)
  if (excess === 'values') return failed('too-large', `holds more than ${valuesMax} values`)
  let parsed: unknown
  try {
    parsed = JSON.parse(json)
  } catch (error) {
    return failed('not-json', 'is not JSON', shortenText((error as Error).message, detailLengthMax))
  }
  const value = read(parsed)
  if (!(value instanceof Mismatch)) return { value, problem: null }
  const { field, message } = value
  if (field === '') return failed('wrong-shape', message)
  return { value: null, problem: { kind: 'wrong-shape', field, message: `${name}: ${field} ${message}`, detail: null } }
}

const quote = 0x22
const backslash = 0x5c

/**
 * Which bound a text exceeds, if it is JSON. Looks at each character outside of texts once, and builds nothing; of a
 * text that is not JSON the parser says so.
 */
function findExcess(json: string, depthMax: number, valuesMax: number): 'depth' | 'values' | null {
  let depth = 0
  let values = 0
  for (let at = 0; at < json.length; at++) {
    switch (json.charCodeAt(at)) {
      case quote:
        at = endOfText(json, at)
        if (at < 0) return null
        break
      case 0x5b: // [
      case 0x7b: // {
        if (++depth > depthMax) return 'depth'
        if (++values > valuesMax) return 'values'
        break
      case 0x5d: // ]
      case 0x7d: // }
        depth -= 1
        break
      case 0x2c: // ,
        if (++values > valuesMax) return 'values'
    }
  }
  return null
}

/** The place of the quote that ends a text; -1 when none does. */
function endOfText(json: string, start: number): number {
  for (let at = json.indexOf('"', start + 1); at >= 0; at = json.indexOf('"', at + 1)) {
    let before = at - 1
    while (json.charCodeAt(before) === backslash) before -= 1
    if ((at - before) % 2 === 1) return at
  }
  return -1
}
