/**
 * Foreign JSON: files of commits that anyone may push, lines of an import, local files that another program may have
 * changed. This is the only place that parses foreign JSON.
 *
 * Invariants
 * - Size, depth and number of values are checked before anything is built. `JSON.parse` itself survives any depth, but
 *   recursive walks over the result would not.
 * - The result is a value of the shape's type, or a problem with a short message. Nothing else is thrown.
 */
import { limits } from '../limits.ts'
import { shortenText } from './describe-foreign.ts'
import { Mismatch, type Shape } from './shapes.ts'

export interface JsonSource {
  /** Name of the source, the start of every message: `lock.json`, `line 12`. */
  readonly name: string
  /** UTF-16 units of the text; for bytes, also bytes. */
  readonly sizeMax: number
  /** Maximum nesting of objects and lists. */
  readonly depthMax?: number
  /** Members and items of all objects and lists together: a value may take fifty times the memory of its text. */
  readonly valuesMax?: number
}

export type JsonProblemKind = 'too-large' | 'too-deep' | 'not-json' | 'wrong-shape'

export interface JsonProblem {
  readonly kind: JsonProblemKind
  /** Path of the wrong value, such as `chunks[2].path`; null for the whole text. */
  readonly field: string | null
  /** Complete, and short whatever the text contains: `lock.json: ttl_ms must be a whole number from 0, got "x"`. */
  readonly message: string
  /** Where the text stops being JSON, in the engine's words, which vary between versions; else null. */
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
 * The bound that a text exceeds, if it is JSON. Visits each character outside of strings once and builds nothing; text
 * that is not JSON is left to the parser.
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

/** The position of the closing quote of a string; -1 without one. */
function endOfText(json: string, start: number): number {
  for (let at = json.indexOf('"', start + 1); at >= 0; at = json.indexOf('"', at + 1)) {
    let before = at - 1
    while (json.charCodeAt(before) === backslash) before -= 1
    if ((at - before) % 2 === 1) return at
  }
  return -1
}
