/**
 * Turns the words of a command line into the typed input of one command, by the command table alone.
 *
 * Every fault is an InvalidArgsError that is returned, not thrown, beside the global options: `--json` after the bad
 * flag still decides how the fault is printed.
 */
import { type ParseArgsConfig, parseArgs } from 'node:util'
import { type AnyCommand, type ArgumentSpec, globalOptions, type OptionSpec } from '../commands/define-command.ts'
import { type ErrorDetails, InvalidArgsError, shellCommand } from '../model/errors/index.ts'
import type { CommandTable } from './command-table.ts'

export interface GlobalValues {
  readonly json: boolean
  /** `--json` stands on the line, perhaps swallowed as the value of another option: what is wrong is told in JSON. */
  readonly jsonIfWrong: boolean
  readonly quiet: boolean
  readonly noPager: boolean
  readonly noDaemon: boolean
  readonly actor: string | undefined
  readonly dataDir: string | undefined
}

export type Request =
  | { readonly kind: 'run'; readonly command: AnyCommand; readonly input: Readonly<Record<string, unknown>> }
  | { readonly kind: 'help'; readonly words: readonly string[]; readonly asked: boolean }
  | { readonly kind: 'version' }
  | { readonly kind: 'fault'; readonly error: InvalidArgsError }

export interface ParsedLine {
  readonly globals: GlobalValues
  readonly request: Request
}

/** Options of the parser itself; they never reach a command. */
export const parserOptions = {
  help: { type: 'boolean', short: 'h', summary: 'Show help' },
  version: { type: 'boolean', short: 'V', summary: 'Show the version' },
} as const satisfies Record<string, OptionSpec>

const alwaysOptions: Readonly<Record<string, OptionSpec>> = { ...globalOptions, ...parserOptions }

/** @param argv - the words after the program's name */
export async function parseArgv(argv: readonly string[], table: CommandTable): Promise<ParsedLine> {
  const words = leadingWords(argv)
  const asksHelp = words[0] === 'help' && table.match(words) === undefined
  const match = asksHelp ? undefined : table.match(words)
  const options: Readonly<Record<string, OptionSpec>> = { ...match?.command.options, ...alwaysOptions }
  const line = readLine(match !== undefined && takesTerms(match.command) ? argv.map(shieldTerm) : argv, options)
  const globals = readGlobals(line, argv)

  if (line.values.get('help')?.at(-1) === true) {
    return { globals, request: helpOrFault(table, asksHelp ? words.slice(1) : words, await suggester(table)) }
  }
  if (line.values.get('version')?.at(-1) === true) return { globals, request: { kind: 'version' } }
  if (asksHelp) return { globals, request: helpOrFault(table, words.slice(1), await suggester(table)) }
  if (match === undefined) {
    const fault = line.faults[0]
    if (words.length > 0 && table.below(words).length === 0) {
      return { globals, request: { kind: 'fault', error: (await suggester(table)).unknownCommand(words) } }
    }
    if (fault !== undefined) return { globals, request: { kind: 'fault', error: await explain(fault, table, options) } }
    return { globals, request: { kind: 'help', words, asked: false } }
  }

  const { command, wordCount } = match
  const input: Record<string, unknown> = {}
  const faults = [...line.faults]
  readOptions(command, line, input, faults)
  readArguments(command, line.positionals.slice(wordCount), input, faults)
  const fault = faults[0]
  if (fault !== undefined) {
    return { globals, request: { kind: 'fault', error: await explain(fault, table, options, command) } }
  }
  return { globals, request: { kind: 'run', command, input } }
}

/** `body-file` → `bodyFile`, as `InputOf` names it. */
function camelCase(name: string): string {
  return name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())
}

/** How an option is written in usage lines and messages: `--limit <n>`. */
export function formatOption(name: string, spec: OptionSpec): string {
  if (spec.type === 'boolean') return `--${name}`
  const value = `<${spec.valueName ?? spec.choices?.join('|') ?? (spec.type === 'count' ? 'n' : 'text')}>`
  return `--${name} ${spec.valueOptional === true ? `[${value}]` : value}`
}

export function formatArgument(name: string, spec: ArgumentSpec): string {
  const dots = spec.repeatable === true ? '...' : ''
  return spec.optional === true ? `[${name}${dots}]` : `<${name}${dots}>`
}

/** The usage line of a command, required options written out. */
export function formatUsage(command: AnyCommand): string {
  const required = optionEntries(command).filter(([, spec]) => spec.required === true)
  return [
    'grite',
    command.name,
    ...argumentEntries(command).map(([name, spec]) => formatArgument(name, spec)),
    ...required.map(([name, spec]) => formatOption(name, spec)),
    ...(optionEntries(command).length > required.length ? ['[options]'] : []),
  ].join(' ')
}

export function optionEntries(command: AnyCommand): [string, OptionSpec][] {
  return Object.entries(command.options as Record<string, OptionSpec>)
}

export function argumentEntries(command: AnyCommand): [string, ArgumentSpec][] {
  return Object.entries(command.arguments as Record<string, ArgumentSpec>)
}

/** What is wrong with a line, before hints are looked for. */
type Fault =
  | { readonly fault: 'unknown option'; readonly rawName: string }
  | { readonly fault: 'excess argument'; readonly value: string }
  | { readonly fault: 'other'; readonly message: string; readonly details: ErrorDetails }

interface Line {
  /** Values by option name, in the order given. */
  readonly values: ReadonlyMap<string, readonly (string | boolean | number)[]>
  readonly positionals: readonly string[]
  readonly faults: readonly Fault[]
}

/** The words before the first option that is not global, which is where a command's name must stand. */
function leadingWords(argv: readonly string[]): string[] {
  const words: string[] = []
  for (let index = 0; index < argv.length; index++) {
    const word = argv[index] ?? ''
    if (word === '--') break
    if (word === '-' || !word.startsWith('-')) {
      words.push(word)
      continue
    }
    const name = optionNamed(word.replace(/^--?/, '').replace(/=.*$/s, ''), word.startsWith('--'))
    if (name === undefined) break
    if (alwaysOptions[name]?.type !== 'boolean' && !word.includes('=')) index++
  }
  return words
}

function optionNamed(written: string, long: boolean): string | undefined {
  if (!long) return Object.entries(alwaysOptions).find(([, spec]) => spec.short === written)?.[0]
  if (Object.hasOwn(alwaysOptions, written)) return written
  const positive = written.replace(/^no-/, '')
  return alwaysOptions[positive]?.type === 'boolean' ? positive : undefined
}

const takesTerms = (command: AnyCommand) => argumentEntries(command).some(([, spec]) => spec.takesTerms === true)

/** No word of a command line can begin with it. */
const shield = '\0'

/** Keeps `-label:x`, `-crash` and `-(…)` from being read as a row of short options. `-n` and `-n5` stay what they are. */
function shieldTerm(word: string): string {
  return /^-[^-].+/s.test(word) && !/^-[A-Za-z]\d+$/.test(word) ? shield + word : word
}

function withoutShield(word: string): string {
  return word.startsWith(shield) ? word.slice(shield.length) : word
}

function readLine(argv: readonly string[], options: Readonly<Record<string, OptionSpec>>): Line {
  const config: NonNullable<ParseArgsConfig['options']> = {}
  const nameOf = new Map<string, string>()
  for (const [name, spec] of Object.entries(options)) {
    const type = spec.type === 'boolean' ? 'boolean' : 'string'
    config[name] = spec.short === undefined ? { type } : { type, short: spec.short }
    nameOf.set(name, name)
    for (const alias of spec.aliases ?? []) {
      config[alias] = { type }
      nameOf.set(alias, name)
    }
  }
  const { tokens } = parseArgs({
    args: withEmptyValues(argv, options),
    options: config,
    strict: false,
    allowPositionals: true,
    tokens: true,
  })
  const values = new Map<string, (string | boolean | number)[]>()
  const positionals: string[] = []
  const faults: Fault[] = []
  for (const token of tokens) {
    if (token.kind === 'positional') positionals.push(withoutShield(token.value))
    if (token.kind !== 'option') continue
    const negated = nameOf.has(token.name) ? undefined : negatedOption(token.name, options)
    const name = nameOf.get(token.name) ?? negated
    const spec = name === undefined ? undefined : options[name]
    if (name === undefined || spec === undefined) {
      faults.push({ fault: 'unknown option', rawName: token.rawName })
      continue
    }
    const value = readValue(name, spec, token.value && withoutShield(token.value), negated !== undefined)
    if (typeof value === 'object') {
      faults.push(value)
      continue
    }
    const earlier = values.get(name)
    if (earlier === undefined) values.set(name, [value])
    else if (spec.repeatable === true) earlier.push(value)
    else if (spec.type !== 'boolean' || earlier[0] !== value) {
      faults.push({
        fault: 'other',
        message: `--${name} may be given once; it was given ${spec.type === 'boolean' ? 'both on and off' : 'again'}`,
        details: { field: name },
      })
    }
  }
  return { values, positionals, faults }
}

/** `--remote` where no value follows becomes `--remote=`. */
function withEmptyValues(argv: readonly string[], options: Readonly<Record<string, OptionSpec>>): string[] {
  const words = [...argv]
  for (let index = 0; index < words.length && words[index] !== '--'; index++) {
    const word = words[index] as string
    const spec = word.startsWith('--')
      ? options[word.slice(2)]
      : Object.values(options).find(({ short }) => word === `-${short}`)
    if (spec === undefined || spec.type === 'boolean') continue
    const next = words[index + 1]
    if (spec.valueOptional === true && (next === undefined || next.startsWith('-'))) words[index] = `${word}=`
    // Whatever the value looks like, it is no option.
    else index++
  }
  return words
}

function negatedOption(written: string, options: Readonly<Record<string, OptionSpec>>): string | undefined {
  if (!written.startsWith('no-')) return undefined
  const name = written.slice(3)
  return Object.hasOwn(options, name) && options[name]?.type === 'boolean' ? name : undefined
}

function readValue(
  name: string,
  spec: OptionSpec,
  text: string | undefined,
  negated: boolean,
): string | boolean | number | Fault {
  if (spec.type === 'boolean') {
    if (text === undefined) return !negated
    return wrongValue(name, text, `--${name} takes no value`)
  }
  if (text === undefined) {
    const allowed = spec.choices === undefined ? '' : `: one of ${spec.choices.join(', ')}`
    return { fault: 'other', message: `--${name} needs a value${allowed}`, details: { field: name } }
  }
  if (spec.type === 'count') {
    const count = Number(text)
    if (/^[0-9]+$/.test(text) && Number.isSafeInteger(count)) return count
    return wrongValue(name, text, `--${name} must be a whole number from 0`)
  }
  if (spec.choices === undefined || spec.choices.includes(text)) return text
  const folded = spec.choices.find((choice) => choice === text.toLowerCase())
  return folded ?? wrongValue(name, text, `--${name} must be one of ${spec.choices.join(', ')}`, spec.choices)
}

function wrongValue(field: string, value: string, rule: string, allowed?: readonly string[]): Fault {
  const details = allowed === undefined ? { field, value } : { field, value, allowed }
  return { fault: 'other', message: `${rule}, got '${value}'`, details }
}

function readGlobals(line: Line, argv: readonly string[]): GlobalValues {
  const one = (name: string) => line.values.get(name)?.[0]
  const end = argv.indexOf('--')
  const jsonIfWrong = argv.slice(0, end < 0 ? undefined : end).includes('--json')
  return {
    json: one('json') === true || (line.faults.length > 0 && jsonIfWrong),
    jsonIfWrong,
    quiet: one('quiet') === true,
    noPager: one('no-pager') === true,
    noDaemon: one('no-daemon') === true,
    actor: one('actor') as string | undefined,
    dataDir: one('data-dir') as string | undefined,
  }
}

function readOptions(command: AnyCommand, line: Line, input: Record<string, unknown>, faults: Fault[]): void {
  const missing: string[] = []
  for (const [name, spec] of optionEntries(command)) {
    const values = line.values.get(name)
    if (values === undefined && spec.required === true) missing.push(formatOption(name, spec))
    const absent = spec.type === 'boolean' ? false : undefined
    input[camelCase(name)] = spec.repeatable === true ? (values ?? []) : (values?.[0] ?? absent)
  }
  if (missing.length > 0) faults.push(missingFault('option', missing))
}

function readArguments(
  command: AnyCommand,
  given: readonly string[],
  input: Record<string, unknown>,
  faults: Fault[],
): void {
  const missing: string[] = []
  let next = 0
  for (const [name, spec] of argumentEntries(command)) {
    const absent = next >= given.length
    // An argument may also be given as an option of its name.
    const asOption = Object.hasOwn(command.options, name) ? input[camelCase(name)] : undefined
    if (asOption !== undefined) {
      if (!absent) faults.push({ fault: 'other', message: `${name} is given twice`, details: { field: name } })
      continue
    }
    if (absent && spec.optional !== true) missing.push(formatArgument(name, spec))
    if (spec.repeatable === true) {
      input[camelCase(name)] = given.slice(next)
      next = given.length
    } else {
      input[camelCase(name)] = given[next]
      next++
    }
  }
  if (missing.length > 0) faults.push(missingFault('argument', missing))
  const excess = given[next]
  if (next < given.length && excess !== undefined) faults.push({ fault: 'excess argument', value: excess })
}

function missingFault(what: 'option' | 'argument', missing: readonly string[]): Fault {
  const message = `missing required ${what}${missing.length > 1 ? 's' : ''} ${missing.join(', ')}`
  return { fault: 'other', message, details: { missing } }
}

/** Loaded only when something is wrong or help is asked for: it compares words by edit distance. */
async function suggester(table: CommandTable) {
  const { createSuggester } = await import('./suggest.ts')
  return createSuggester(table)
}

type Suggester = Awaited<ReturnType<typeof suggester>>

function helpOrFault(table: CommandTable, words: readonly string[], suggest: Suggester): Request {
  const match = table.match(words)
  if (match !== undefined) return { kind: 'help', words: match.command.name.split(' '), asked: true }
  if (words.length === 0 || table.below(words).length > 0) return { kind: 'help', words, asked: true }
  return { kind: 'fault', error: suggest.unknownCommand(words) }
}

async function explain(
  fault: Fault,
  table: CommandTable,
  options: Readonly<Record<string, OptionSpec>>,
  command?: AnyCommand,
): Promise<InvalidArgsError> {
  const usage =
    command === undefined
      ? ['Options of a command stand after its name; run `grite help` to see the commands']
      : [
          `Usage: ${formatUsage(command)}`,
          `Run \`${shellCommand('grite', 'help', ...command.name.split(' '))}\` for all options`,
        ]
  if (fault.fault === 'other') return new InvalidArgsError(fault.message, { details: fault.details, hints: usage })
  const suggest = await suggester(table)
  if (fault.fault === 'unknown option') {
    const where = command === undefined ? '' : ` of \`${shellCommand('grite', ...command.name.split(' '))}\``
    return new InvalidArgsError(`unknown option ${fault.rawName}${where}`, {
      details: { option: fault.rawName },
      hints: [...suggest.nearOptions(fault.rawName, options), ...usage],
    })
  }
  const count = command === undefined ? 0 : argumentEntries(command).length
  // A command that is also the name of a group: what follows was meant as one of the group's.
  if (command !== undefined && count === 0 && table.below(command.name.split(' ')).length > 0)
    return suggest.unknownCommand([...command.name.split(' '), fault.value])
  const takes = count === 0 ? 'no arguments' : count === 1 ? '1 argument' : `${count} arguments`
  const called = shellCommand('grite', ...(command?.name.split(' ') ?? []))
  return new InvalidArgsError(`unexpected argument '${fault.value}'; \`${called}\` takes ${takes}`, {
    details: { value: fault.value },
    hints: [...(command === undefined ? [] : suggest.nearSubcommands(command.name, fault.value)), ...usage],
  })
}
