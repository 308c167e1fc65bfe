/**
 * Fields of the payloads that workloads append: JSON objects with names in snake case, one table for each kind of object.
 * The table checks what a caller gives, and reads what others have written.
 */
import { compareText } from '../../compare.ts'
import { InvalidArgsError } from '../../errors/index.ts'
import { describeForeign } from '../../foreign/describe-foreign.ts'

/** The form of one field. */
export interface Field<Value> {
  /** What is allowed, for messages. */
  readonly allowed: string
  readonly accepts: (value: unknown) => boolean
  /** Whether the field may be absent. */
  readonly isOptional: boolean
  /** Exists in the type alone. */
  readonly value?: Value
}

export type Fields<Facts> = { readonly [Name in keyof Facts]-?: Field<Facts[Name]> }

/** Free texts by name. */
export type TextLabels = Readonly<Record<string, string>>

const isText = (value: unknown): value is string =>
  typeof value === 'string' && /\S/.test(value) && value.isWellFormed()

export const text: Field<string> = { allowed: 'text that is not blank', accepts: isText, isOptional: false }

/** Unix milliseconds, or a size. */
export const whole: Field<number> = {
  allowed: 'a whole number from 0 below 2^53',
  accepts: (value) => Number.isSafeInteger(value) && (value as number) >= 0,
  isOptional: false,
}

export const real: Field<number> = { allowed: 'a number', accepts: Number.isFinite, isOptional: false }

export const labels: Field<TextLabels> = {
  allowed: 'an object of texts that are not blank',
  accepts: (value) =>
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.entries(value).every(([name, each]) => isText(name) && isText(each)),
  isOptional: false,
}

export function optional<Value>(field: Field<Value>): Field<Value | undefined> {
  return { ...field, isOptional: true }
}

export function oneOf<const Word extends string>(words: readonly Word[]): Field<Word> {
  const accepts = (value: unknown) => words.some((word) => word === value)
  return { allowed: `one of ${words.join(', ')}`, accepts, isOptional: false }
}

/** @throws {InvalidArgsError} naming the first field that is missing or wrong */
export function checkFacts<Facts extends object>(fields: Fields<Facts>, facts: NoInfer<Facts>): void {
  for (const name of namesOf(fields)) {
    const { allowed, accepts, isOptional } = fields[name]
    const value: unknown = facts[name]
    if (value === undefined ? isOptional : accepts(value)) continue
    const found = describeForeign(value)
    throw new InvalidArgsError(`${name} must be ${allowed}, not ${found}`, {
      details: { field: name, value: found, allowed },
    })
  }
}

/** The checked facts as they are in a payload, in the order of the table. */
export function jsonOf<Facts extends object>(fields: Fields<Facts>, facts: Facts): Record<string, unknown> {
  checkFacts(fields, facts)
  const entries = namesOf(fields).flatMap((name): [string, unknown][] => {
    const value: unknown = facts[name]
    return value === undefined ? [] : [[snakeCase(name), isLabels(value) ? sorted(value) : value]]
  })
  return Object.fromEntries(entries)
}

/** The facts of a payload; null when a field is missing or wrong. Other fields are ignored. */
export function readFacts<Facts extends object>(fields: Fields<Facts>, json: object): Facts | null {
  const found = new Map<string, unknown>(Object.entries(json))
  const facts: [string, unknown][] = []
  for (const name of namesOf(fields)) {
    const { accepts, isOptional } = fields[name]
    const value = found.get(snakeCase(name))
    if (value === undefined ? !isOptional : !accepts(value)) return null
    if (value !== undefined) facts.push([name, value])
  }
  return Object.fromEntries(facts) as Facts
}

function namesOf<Facts extends object>(fields: Fields<Facts>): readonly (keyof Facts & string)[] {
  return Object.keys(fields) as (keyof Facts & string)[]
}

const snakeCase = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

const isLabels = (value: unknown): value is TextLabels => typeof value === 'object' && value !== null

function sorted(values: TextLabels): TextLabels {
  return Object.fromEntries(Object.entries(values).sort(([left], [right]) => compareText(left, right)))
}
