/**
 * Parses the words of a command line into the input of one command; `check-input.ts` validates it. A fault is returned as
 * an InvalidArgsError together with the global options, not thrown: `--json` after a bad flag still decides how the fault
 * is printed.
 */
import { type ParseArgsConfig, parseArgs } from 'node:util'
import { checkInput, checkOptions, type InputFault, unknownOption } from '../commands/check-input.ts'
import { type AnyCommand, globalOptions, type OptionSpec } from '../commands/define-command.ts'
import { argumentEntries, camelCase, formatUsage } from '../commands/option-text.ts'
import { InvalidArgsError, shellCommand } from '../model/errors/index.ts'
import type { CommandTable, CommandWords } from './command-table.ts'

export interface GlobalValues {
  readonly json: boolean
  /** `--json` is on the line, perhaps as the value of another option: print a fault as JSON. */
  readonly jsonIfWrong: boolean
  /** Undefined when not given: indent JSON on a terminal only. */
  readonly pretty: boolean | undefined
  readonly quiet: boolean
  readonly noPager: boolean
  readonly noDaemon: boolean
  readonly actor: string | undefined
  readonly dataDir: string | undefined
}

export interface RunRequest {
  readonly kind: 'run'
  readonly command: AnyCommand
  readonly input: Readonly<Record<string, unknown>>
}

export type Request =
  | RunRequest
  | {
      readonly kind: 'help'
      readonly words: readonly string[]
      readonly asked: boolean
      /** Whether every command is listed, and not only the daily ones. */
      readonly all: boolean
    }
  | { readonly kind: 'version' }
  | { readonly kind: 'fault'; readonly error: InvalidArgsError }

export interface ParsedLine {
  readonly globals: GlobalValues
  readonly request: Request
}

/** A parsed line that runs a command. */
export interface ParsedRun extends ParsedLine {
  readonly request: RunRequest
}

/** Options of the parser itself; they never reach a command. */
export const parserOptions = {
  help: { type: 'boolean', short: 'h', summary: 'Show help' },
  version: { type: 'boolean', short: 'V', summary: 'Show the version' },
} as const satisfies Record<string, OptionSpec>

/** Without a command, and for `help`. */
const helpOptions = {
  all: { type: 'boolean', short: 'a', summary: 'List every command' },
} as const satisfies Record<string, OptionSpec>

const alwaysOptions: Readonly<Record<string, OptionSpec>> = { ...globalOptions, ...parserOptions }

/**
 * Parses a line that runs a command of these rows.
 *
 * @returns undefined for every other line: with a fault, for help, or of a command with only its words here
 */
export function parseRun(
  argv: readonly string[],
  rows: CommandTable<AnyCommand | CommandWords>,
): ParsedRun | undefined {
  const match = rows.match(leadingWords(argv))
  if (match === undefined || !('run' in match.command)) return undefined
  const { command, wordCount } = match
  const line = readLine(takesTerms(command) ? argv.map(shieldTerm) : argv, { ...command.options, ...alwaysOptions })
  const { help, version } = line.given
  if (help !== undefined || version !== undefined || line.unknown !== undefined) return undefined
  if (faultOf(checkOptions(alwaysOptions, line.given)) !== undefined) return undefined
  const own = readCommand(command, line, wordCount)
  if (own.fault !== undefined) return undefined
  return { globals: readGlobals(line.given, argv, false), request: { kind: 'run', command, input: own.values } }
}

/** @param argv - the words after the program's name */
export async function parseArgv(argv: readonly string[], table: CommandTable): Promise<ParsedLine> {
  const run = parseRun(argv, table)
  if (run !== undefined) return run
  const words = leadingWords(argv)
  const asksHelp = words[0] === 'help' && table.match(words) === undefined
  const match = asksHelp ? undefined : table.match(words)
  const options: Readonly<Record<string, OptionSpec>> = { ...(match?.command.options ?? helpOptions), ...alwaysOptions }
  const line = readLine(match !== undefined && takesTerms(match.command) ? argv.map(shieldTerm) : argv, options)
  const lineFault = line.unknown ?? faultOf(checkOptions(alwaysOptions, line.given))
  const own = match === undefined ? undefined : readCommand(match.command, line, match.wordCount)
  const globals = readGlobals(line.given, argv, lineFault !== undefined || own?.fault !== undefined)
  const refuse = async (fault: Fault): Promise<ParsedLine> => {
    return { globals, request: { kind: 'fault', error: await explain(fault, table, options, match?.command) } }
  }

  const all = match === undefined && first(line.given.all) === true
  if (first(line.given.help) === true) {
    return { globals, request: helpOrFault(table, asksHelp ? words.slice(1) : words, all, await suggester(table)) }
  }
  if (first(line.given.version) === true) return { globals, request: { kind: 'version' } }
  if (asksHelp) return { globals, request: helpOrFault(table, words.slice(1), all, await suggester(table)) }
  if (match === undefined && words.length > 0 && table.below(words).length === 0) {
    return { globals, request: { kind: 'fault', error: (await suggester(table)).unknownCommand(words) } }
  }
  if (lineFault !== undefined) return refuse(lineFault)
  if (match === undefined || own === undefined) return { globals, request: { kind: 'help', words, asked: all, all } }
  if (own.fault !== undefined) return refuse(own.fault)
  return { globals, request: { kind: 'run', command: match.command, input: own.values } }
}

/** A fault of a line, before hints are added. */
type Fault =
  | (InputFault & { readonly kind: 'unknown option'; readonly rawName: string })
  | (InputFault & { readonly kind: 'excess argument'; readonly value: string })
  | (InputFault & { readonly kind: 'other' })

/** A parsed value; `true` is an option without a value. */
type Word = string | boolean | number

type Given = Readonly<Record<string, Word | readonly Word[]>>

interface Line {
  /** Options by name in camel case, in the given order. */
  readonly given: Given
  readonly positionals: readonly string[]
  readonly unknown: Fault | undefined
}

/** The words before the first non-global option; the name of the command must be among them. */
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

/** A prefix that no word of a command line can have. */
const shield = '\0'

/** Prevents `-label:x`, `-crash` and `-(…)` from being parsed as clusters of short options. `-n` and `-n5` remain options. */
function shieldTerm(word: string): string {
  return /^-[^-].+/s.test(word) && !/^-[A-Za-z]\d+$/.test(word) ? shield + word : word
}

function withoutShield(word: string): string {
  return word.startsWith(shield) ? word.slice(shield.length) : word
}

function readLine(argv: readonly string[], options: Readonly<Record<string, OptionSpec>>): Line {
  const config: NonNullable<ParseArgsConfig['options']> = {}
  const nameOf = new Map<string, string>()
  // The parser checks every option in its table, so the table has only those on this line.
  const isWritten = writtenIn(argv)
  for (const [name, spec] of Object.entries(options)) {
    const type = spec.type === 'boolean' ? 'boolean' : 'string'
    if (isWritten(name, spec.short)) config[name] = spec.short === undefined ? { type } : { type, short: spec.short }
    nameOf.set(name, name)
    for (const alias of spec.aliases ?? []) {
      if (isWritten(alias)) config[alias] = { type }
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
  const given: Record<string, Word | Word[]> = {}
  const positionals: string[] = []
  let unknown: Fault | undefined
  for (const token of tokens) {
    if (token.kind === 'positional') positionals.push(withoutShield(token.value))
    if (token.kind !== 'option') continue
    const negated = nameOf.has(token.name) ? undefined : negatedOption(token.name, options)
    const name = nameOf.get(token.name) ?? negated
    const spec = name === undefined ? undefined : options[name]
    if (name === undefined || spec === undefined) {
      unknown ??= { kind: 'unknown option', rawName: token.rawName, ...unknownOption(token.rawName) }
      continue
    }
    const key = camelCase(name)
    const word = readWord(spec, token.value && withoutShield(token.value), negated !== undefined)
    const earlier = given[key]
    if (Array.isArray(earlier)) earlier.push(word)
    else if (spec.repeatable === true) given[key] = [word]
    else if (earlier === undefined) given[key] = word
    else if (spec.type !== 'boolean' || earlier !== word) given[key] = [earlier, word]
  }
  return { given, positionals, unknown }
}

/** Whether the words may name an option: by its name, or, where any short one is written, by its letter. */
function writtenIn(argv: readonly string[]): (name: string, short?: string) => boolean {
  const names = new Set(argv.map((word) => (word.startsWith('--') ? word.slice(2).replace(/=.*$/s, '') : '')))
  const hasShort = argv.some((word) => /^-[^-]/.test(word))
  return (name, short) => names.has(name) || (hasShort && short !== undefined)
}

/** Turns `--remote` without a following value into `--remote=`. */
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
    // The next word is the value, even if it looks like an option.
    else index++
  }
  return words
}

function negatedOption(written: string, options: Readonly<Record<string, OptionSpec>>): string | undefined {
  if (!written.startsWith('no-')) return undefined
  const name = written.slice(3)
  return Object.hasOwn(options, name) && options[name]?.type === 'boolean' ? name : undefined
}

/** Leaves an invalid number as text, for the input check to refuse. */
function readWord({ type }: OptionSpec, text: string | undefined, negated: boolean): Word {
  if (text === undefined) return !negated
  if (type !== 'count' || !/^[0-9]+$/.test(text)) return text
  const count = Number(text)
  return Number.isSafeInteger(count) ? count : text
}

function readGlobals(given: Given, argv: readonly string[], isWrong: boolean): GlobalValues {
  const textOf = (value: Word | undefined) => (typeof value === 'string' ? value : undefined)
  const booleanOf = (value: Word | undefined) => (typeof value === 'boolean' ? value : undefined)
  const end = argv.indexOf('--')
  const jsonIfWrong = argv.slice(0, end < 0 ? undefined : end).includes('--json')
  return {
    json: first(given.json) === true || (isWrong && jsonIfWrong),
    jsonIfWrong,
    pretty: booleanOf(first(given.pretty)),
    quiet: first(given.quiet) === true,
    noPager: first(given.noPager) === true,
    noDaemon: first(given.noDaemon) === true,
    actor: textOf(first(given.actor)),
    dataDir: textOf(first(given.dataDir)),
  }
}

function first(value: Given[string] | undefined): Word | undefined {
  return typeof value === 'object' ? value[0] : value
}

type ReadCommand =
  | { readonly values: Readonly<Record<string, unknown>>; readonly fault?: undefined }
  | { readonly fault: Fault }

/** The input of a command, without global options. */
function readCommand(command: AnyCommand, line: Line, wordCount: number): ReadCommand {
  const isOwn = ([key]: readonly [string, unknown]) => !alwaysKeys.has(key)
  const given: Record<string, unknown> = Object.fromEntries(Object.entries(line.given).filter(isOwn))
  const words = line.positionals.slice(wordCount)
  let next = 0
  let twice: Fault | undefined
  for (const [name, spec] of argumentEntries(command)) {
    const key = camelCase(name)
    if (Object.hasOwn(given, key)) {
      if (next < words.length) {
        twice ??= { kind: 'other', message: `${name} is given twice`, details: { field: name } }
      }
      continue
    }
    if (spec.repeatable === true) {
      given[key] = words.slice(next)
      next = words.length
    } else if (next < words.length) {
      given[key] = words[next]
      next++
    }
  }
  if (twice !== undefined) return { fault: twice }
  const checked = checkInput(command, given)
  if (checked.fault !== undefined) return { fault: { kind: 'other', ...checked.fault } }
  const excess = words[next]
  if (excess === undefined) return { values: checked.values }
  const count = argumentEntries(command).length
  const takes = count === 0 ? 'no arguments' : count === 1 ? '1 argument' : `${count} arguments`
  const called = shellCommand('grite', ...command.name.split(' '))
  const message = `unexpected argument '${excess}'; \`${called}\` takes ${takes}`
  return { fault: { kind: 'excess argument', value: excess, message, details: { value: excess } } }
}

const alwaysKeys: ReadonlySet<string> = new Set(Object.keys(alwaysOptions).map(camelCase))

function faultOf({ fault }: { readonly fault?: InputFault | undefined }): Fault | undefined {
  return fault === undefined ? undefined : { kind: 'other', ...fault }
}

/** Loaded only for errors and help: it compares words by edit distance. */
async function suggester(table: CommandTable) {
  const { createSuggester } = await import('./suggest.ts')
  return createSuggester(table)
}

type Suggester = Awaited<ReturnType<typeof suggester>>

function helpOrFault(table: CommandTable, words: readonly string[], all: boolean, suggest: Suggester): Request {
  const match = table.match(words)
  if (match !== undefined) return { kind: 'help', words: match.command.name.split(' '), asked: true, all }
  if (words.length === 0 || table.below(words).length > 0) return { kind: 'help', words, asked: true, all }
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
      ? ['Put the options of a command after its name; run `grite help` to see the commands']
      : [
          `Usage: ${formatUsage(command)}`,
          `Run \`${shellCommand('grite', 'help', ...command.name.split(' '))}\` for all options`,
        ]
  const { message, details } = fault
  if (fault.kind === 'other') return new InvalidArgsError(message, { details, hints: usage })
  const suggest = await suggester(table)
  if (fault.kind === 'unknown option') {
    const named = unknownOption(fault.rawName, command)
    const hints = [...suggest.nearOptions(fault.rawName, options), ...usage]
    return new InvalidArgsError(named.message, { details: named.details, hints })
  }
  const name = command?.name ?? ''
  // The command is also the name of a group: the next word was meant as a command of the group.
  const isGroup = table.below(name.split(' ')).length > 0
  if (isGroup && argumentEntries(command as AnyCommand).length === 0) {
    return suggest.unknownCommand([...name.split(' '), fault.value])
  }
  const prose = command === undefined ? undefined : argumentEntries(command).find(([, { isProse }]) => isProse === true)
  const quotes = prose === undefined ? [] : [`Put a ${prose[0]} with spaces in quotes: "Crash on start"`]
  return new InvalidArgsError(message, {
    details,
    hints: [...suggest.nearSubcommands(name, fault.value), ...quotes, ...usage],
  })
}
