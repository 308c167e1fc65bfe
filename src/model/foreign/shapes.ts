/**
 * Shapes of foreign values: each turns a parsed value into a type, or reports the mismatch. They are plain functions,
 * so that a format is written as a table of its fields.
 */
import { describeForeign, shortenText } from './describe-foreign.ts'

/** Reads a value as a type. Never throws, and looks no deeper than the type does. */
export type Shape<Value> = (value: unknown) => Value | Mismatch

export type ValueOf<Some extends Shape<unknown>> = Exclude<ReturnType<Some>, Mismatch>

/** A value that does not fit its shape. */
export class Mismatch {
  /** From the outside in, such as `chunks[2].path`; empty for the value itself. */
  readonly field: string
  /** `text`, `a whole number from 1`. */
  readonly expected: string
  /** The value in a few words. */
  readonly found: string

  constructor(expected: string, found: string, field = '') {
    this.expected = expected
    this.found = found
    this.field = field
  }

  /** The same mismatch, seen from the enclosing object or list. */
  within(name: string): Mismatch {
    const rest = this.field === '' || this.field.startsWith('[') ? this.field : `.${this.field}`
    return new Mismatch(this.expected, this.found, shortenText(name + rest, fieldLengthMax))
  }

  /** `must be text, got 7`, to follow the name of the field. */
  get message(): string {
    return `must be ${this.expected}, got ${this.found}`
  }
}

/** UTF-16 units of a field path: its keys may be foreign too. */
const fieldLengthMax = 120

function mismatch(expected: string, found: unknown): Mismatch {
  return new Mismatch(expected, describeForeign(found))
}

export interface TextBounds {
  /** UTF-16 units. */
  readonly lengthMin?: number
  readonly lengthMax?: number
  readonly pattern?: RegExp
  readonly accepts?: (text: string) => boolean
  /** Names the allowed texts in a message. */
  readonly words?: string
}

function text({ lengthMin = 0, lengthMax = Number.POSITIVE_INFINITY, pattern, accepts, words }: TextBounds = {}) {
  const expected = words ?? 'text'
  return (value: unknown): string | Mismatch => {
    if (typeof value !== 'string') return mismatch(expected, value)
    const fits = value.length >= lengthMin && value.length <= lengthMax
    const matches = fits && (pattern === undefined || pattern.test(value)) && (accepts === undefined || accepts(value))
    return matches ? value : mismatch(expected, value)
  }
}

/** An integer in the safe range. */
function integer(bounds: { readonly min?: number; readonly max?: number; readonly words?: string } = {}) {
  const { min = 0, max = Number.MAX_SAFE_INTEGER, words = `a whole number from ${min}` } = bounds
  return (value: unknown): number | Mismatch => {
    const fits = typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max
    return fits ? value : mismatch(words, value)
  }
}

/** An integer of any size; inexact beyond 2^53. */
function wholeNumber(value: unknown): number | Mismatch {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0
    ? value
    : mismatch('a whole number from 0', value)
}

function flag(value: unknown): boolean | Mismatch {
  return typeof value === 'boolean' ? value : mismatch('true or false', value)
}

function oneOf<const Word extends string | number | boolean>(words: readonly Word[]) {
  const expected = words.map(describeForeign).join(', ')
  return (value: unknown): Word | Mismatch =>
    words.includes(value as Word) ? (value as Word) : mismatch(expected, value)
}

/** Any value, for another shape to check or to pass on. */
function anything(value: unknown): unknown {
  return value
}

function list<Item>(item: Shape<Item>, { countMax = Number.POSITIVE_INFINITY, words = 'a list' } = {}) {
  return (value: unknown): readonly Item[] | Mismatch => {
    if (!Array.isArray(value)) return mismatch(words, value)
    if (value.length > countMax) return new Mismatch(words, `a list of ${value.length}`)
    const items: Item[] = []
    for (const [index, each] of value.entries()) {
      const read = item(each)
      if (read instanceof Mismatch) return read.within(`[${index}]`)
      items.push(read)
    }
    return items
  }
}

/** An object with any keys. Keys are foreign text. */
function record<Member>(member: Shape<Member>, { countMax = Number.POSITIVE_INFINITY, words = 'an object' } = {}) {
  return (value: unknown): ReadonlyMap<string, Member> | Mismatch => {
    if (!isObject(value)) return mismatch(words, value)
    const keys = Object.keys(value)
    if (keys.length > countMax) return new Mismatch(words, `an object of ${keys.length} members`)
    const members = new Map<string, Member>()
    for (const key of keys) {
      const read = member(value[key])
      if (read instanceof Mismatch) return read.within(key)
      members.set(key, read)
    }
    return members
  }
}

export type Fields = Readonly<Record<string, Shape<unknown>>>
export type TableOf<Table extends Fields> = { readonly [Key in keyof Table]: ValueOf<Table[Key]> }

/** An object with these keys; other keys are ignored. Only own keys count, so that `toString` is not found. */
function table<const Table extends Fields>(fields: Table, { words = 'an object' } = {}) {
  const rows = Object.entries(fields)
  return (value: unknown): TableOf<Table> | Mismatch => {
    if (!isObject(value)) return mismatch(words, value)
    const members: Record<string, unknown> = {}
    for (const [key, shape] of rows) {
      const read = shape(Object.hasOwn(value, key) ? value[key] : undefined)
      if (read instanceof Mismatch) return read.within(key)
      members[key] = read
    }
    return members as TableOf<Table>
  }
}

/** Absent is allowed, and is undefined. */
function optional<Value>(shape: Shape<Value>) {
  return (value: unknown): Value | undefined | Mismatch => (value === undefined ? undefined : shape(value))
}

/** Absent and null are allowed, and are null. */
function nullable<Value>(shape: Shape<Value>) {
  return (value: unknown): Value | null | Mismatch => (value === undefined || value === null ? null : shape(value))
}

/** Replaces a mismatched or absent value. For keys that a reader can do without. */
function lenient<Value, Else>(shape: Shape<Value>, instead: Else) {
  return (value: unknown): Value | Else => {
    const read = shape(value)
    return read instanceof Mismatch ? instead : read
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Builds shapes: `shape.table({ owner: shape.text({ lengthMax: 256 }), fence: shape.optional(shape.integer()) })`. */
export const shape = {
  text,
  integer,
  wholeNumber,
  flag,
  oneOf,
  anything,
  list,
  record,
  table,
  optional,
  nullable,
  lenient,
}
