/**
 * Validates an unchecked value as the input of a command. The value may come from a command line, a library call or a
 * request. Types, choices, ranges, required values and defaults are checked only here, against the command's definition.
 *
 * The value is an object with the keys of `InputOf`. An absent, undefined or null member takes its default: an empty
 * list, false, or undefined. `true` for a text or a count means that the option was given without its value.
 */
import { type ErrorDetails, InvalidArgsError, shellCommand } from '../model/errors/index.ts'
import { describeForeign } from '../model/index.ts'
import type { AnyCommand, InputOf, OptionSpec } from './define-command.ts'
import { argumentEntries, camelCase, formatArgument, formatOption, optionEntries } from './option-text.ts'

/** The first error in an input. */
export interface InputFault {
  readonly message: string
  readonly details: ErrorDetails
}

/** Input by key, in the form that `run` takes. */
export type Values = Readonly<Record<string, unknown>>

export type Checked = { readonly values: Values; readonly fault?: undefined } | { readonly fault: InputFault }

/** Complete input, in the form that `run` takes. */
export type CheckedInput<Command extends AnyCommand> = InputOf<Command['arguments'], Command['options']>

/** @throws {InvalidArgsError} naming the field, its value and the allowed values */
export function requireInput<Command extends AnyCommand>(command: Command, given: unknown): CheckedInput<Command> {
  const { values, fault } = { values: undefined, ...checkInput(command, given) }
  if (fault !== undefined) throw new InvalidArgsError(fault.message, { details: fault.details, hints: [] })
  // `checkInput` validates against the tables that the type is derived from.
  return values as CheckedInput<Command>
}

/** Returns the input of a command, or the first fault of the given value. */
export function checkInput(command: AnyCommand, given: unknown): Checked {
  if (!isObject(given)) return fault(`the input of ${called(command)} must be an object, got ${quote(given)}`, {})
  const { options, positional, known } = tableOf(command)
  const unknown = Object.keys(given).find((key) => !known.has(key) && isGiven(given[key]))
  if (unknown !== undefined) return { fault: unknownOption(`--${kebabCase(unknown)}`, command) }

  const checked = checkOptions(command.options, given)
  if (checked.fault !== undefined) return checked
  const values: Record<string, unknown> = { ...checked.values }
  for (const [name, spec] of positional) {
    // An argument may also be given as the option of the same name, and is then checked as an option.
    if (Object.hasOwn(command.options, name)) continue
    const read = readValue(name, formatArgument(name, spec), { type: 'text', ...spec }, memberOf(given, name))
    if (isFault(read)) return { fault: read }
    values[camelCase(name)] = read
  }
  const isMissing = ([name]: readonly [string, object]) => !isGiven(memberOf(given, name))
  const missingOptions = options.filter((entry) => entry[1].required === true && isMissing(entry))
  if (missingOptions.length > 0)
    return missing(
      'option',
      missingOptions.map(([name, spec]) => formatOption(name, spec)),
    )
  const missingArguments = positional.filter(
    ([name, spec]) => spec.optional !== true && isAbsent(memberOf(given, name)),
  )
  if (missingArguments.length === 0) return { values }
  return missing(
    'argument',
    missingArguments.map(([name, spec]) => formatArgument(name, spec)),
  )
}

/** A process that serves many calls looks at the definition of a command once. */
const tables = new WeakMap<AnyCommand, ReturnType<typeof makeTable>>()

function tableOf(command: AnyCommand) {
  const known = tables.get(command)
  if (known !== undefined) return known
  const table = makeTable(command)
  tables.set(command, table)
  return table
}

function makeTable(command: AnyCommand) {
  const options = optionEntries(command)
  const positional = argumentEntries(command)
  return { options, positional, known: new Set([...options, ...positional].map(([name]) => camelCase(name))) }
}

const keys = new WeakMap<object, ReadonlyMap<string, string>>()

/** The name of each option by its key in the input. */
function keysOf(options: Readonly<Record<string, OptionSpec>>): ReadonlyMap<string, string> {
  const known = keys.get(options)
  if (known !== undefined) return known
  const names = new Map(Object.keys(options).map((name) => [camelCase(name), name]))
  keys.set(options, names)
  return names
}

/** Checks the members of `given` that are options of this table, in the order given. */
export function checkOptions(options: Readonly<Record<string, OptionSpec>>, given: Values): Checked {
  const nameOf = keysOf(options)
  const values: Record<string, unknown> = {}
  for (const [key, name] of nameOf) values[key] = defaultOf(options[name] as OptionSpec)
  for (const [key, value] of Object.entries(given)) {
    const name = nameOf.get(key)
    const spec = name === undefined ? undefined : options[name]
    if (name === undefined || spec === undefined) continue
    const read = readValue(name, `--${name}`, spec, value)
    if (isFault(read)) return { fault: read }
    values[key] = read
  }
  return { values }
}

export function unknownOption(written: string, command?: AnyCommand): InputFault {
  const where = command === undefined ? '' : ` of ${called(command)}`
  return { message: `unknown option ${written}${where}`, details: { option: written } }
}

type Scalar = string | boolean | number

/** An option, or an argument (always a text). */
type ValueSpec = Pick<OptionSpec, 'type' | 'choices' | 'min' | 'repeatable' | 'valueOptional'>

/** @param label - the option or argument as messages name it */
function readValue(
  field: string,
  label: string,
  spec: ValueSpec,
  value: unknown,
): Scalar | readonly Scalar[] | undefined | InputFault {
  if (!isGiven(value)) return defaultOf(spec)
  if (spec.repeatable !== true) {
    return Array.isArray(value) ? givenAgain(field, label, spec) : readScalar(field, label, spec, value)
  }
  if (!Array.isArray(value)) return wrongValue(field, value, `${label} must be a list`)
  const list: Scalar[] = []
  for (const element of value) {
    const read = readScalar(field, label, spec, element)
    if (isFault(read)) return read
    list.push(read)
  }
  return list
}

function readScalar(field: string, label: string, spec: ValueSpec, value: unknown): Scalar | InputFault {
  if (spec.type === 'boolean') {
    if (typeof value === 'boolean') return value
    return wrongValue(field, value, `${label} takes no value`)
  }
  if (value === true) {
    if (spec.valueOptional === true) return ''
    const allowed = spec.choices === undefined ? '' : `: one of ${spec.choices.join(', ')}`
    return { message: `${label} needs a value${allowed}`, details: { field } }
  }
  if (spec.type === 'count') {
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
      return wrongValue(field, value, `${label} must be a whole number from 0`)
    }
    if (spec.min === undefined || value >= spec.min) return value
    return { message: `${label} must be at least ${spec.min}, got ${value}`, details: { field, value } }
  }
  if (typeof value !== 'string') return wrongValue(field, value, `${label} must be text`)
  if (!value.isWellFormed()) return { message: `${label} is not well-formed Unicode`, details: { field } }
  if (spec.choices === undefined || spec.choices.includes(value)) return value
  const folded = spec.choices.find((choice) => choice === value.toLowerCase())
  return folded ?? wrongValue(field, value, `${label} must be one of ${spec.choices.join(', ')}`, spec.choices)
}

function wrongValue(field: string, value: unknown, rule: string, allowed?: readonly string[]): InputFault {
  const shown = typeof value === 'string' ? value : describeForeign(value)
  const details = allowed === undefined ? { field, value: shown } : { field, value: shown, allowed }
  return { message: `${rule}, got ${quote(value)}`, details }
}

function givenAgain(field: string, label: string, { type }: ValueSpec): InputFault {
  const how = type === 'boolean' ? 'both on and off' : 'more than once'
  return { message: `${label} can be given only once; it was given ${how}`, details: { field } }
}

function missing(what: 'option' | 'argument', missing: readonly string[]): Checked {
  return fault(`missing required ${what}${missing.length > 1 ? 's' : ''} ${missing.join(', ')}`, { missing })
}

function fault(message: string, details: ErrorDetails): Checked {
  return { fault: { message, details } }
}

function isFault(read: Scalar | readonly Scalar[] | undefined | InputFault): read is InputFault {
  return typeof read === 'object' && 'message' in read
}

function defaultOf({ repeatable, type }: Pick<OptionSpec, 'repeatable' | 'type'>): readonly [] | false | undefined {
  if (repeatable === true) return []
  return type === 'boolean' ? false : undefined
}

function memberOf(given: Values, name: string): unknown {
  const key = camelCase(name)
  return Object.hasOwn(given, key) ? given[key] : undefined
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null
}

/** An empty list counts as absent. */
function isAbsent(value: unknown): boolean {
  return !isGiven(value) || (Array.isArray(value) && value.length === 0)
}

function isObject(value: unknown): value is Values {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function quote(value: unknown): string {
  return typeof value === 'string' ? `'${value}'` : describeForeign(value)
}

function called({ name }: AnyCommand): string {
  return `\`${shellCommand('grite', ...name.split(' '))}\``
}

/** `bodyFile` → `body-file`. */
function kebabCase(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}
