/** Completion at the cursor: commands, options, choices, and values from the repository. */
import { type AnyCommand, type Completed, globalOptions, type OptionSpec } from '../commands/define-command.ts'
import { argumentEntries, optionEntries } from '../commands/option-text.ts'
import { fieldKeys, isDayField, isFieldKey, qualifiers, weekdays } from '../model/index.ts'
import type { CommandTable } from './command-table.ts'
import { shells } from './completion-command.ts'
import { escapeLine } from './render/escape-for-terminal.ts'

export type CompletedKind = Exclude<Completed, 'state' | 'priority' | 'day' | 'shell' | 'field' | 'file'>

/** Values from the repository that start with `prefix`; empty outside a repository. Never fails. */
export type CompleteValue = (kind: CompletedKind, prefix: string) => Promise<readonly string[]>

/** A shell cannot show more, and a large repository must not stall the prompt. */
export const candidateCountMax = 200

/** Makes the scripts fall back to file names. */
const completeFiles = ':files'

const anyOptions: Readonly<Record<string, OptionSpec>> = {
  ...globalOptions,
  help: { type: 'boolean', short: 'h', summary: 'Show help' },
}

/**
 * @param words - the words after the program name up to the cursor; the last one may be incomplete or empty
 * @returns lines `value<TAB>description`, or only `:files`
 */
export async function completeLine(
  words: readonly string[],
  table: CommandTable,
  completeValue: CompleteValue,
): Promise<readonly string[]> {
  const typed = words.at(-1) ?? ''
  const before = words.slice(0, -1)
  const helped = before[0] === 'help' ? before.slice(1) : before
  const { positionals, pending } = readBefore(helped, table)
  const match = table.match(positionals)
  const options = optionsAt(match?.command)

  if (pending !== undefined) return valuesOf(pending, typed, '', completeValue)
  const inline = /^(--[^=]+)=(.*)$/s.exec(typed)
  if (inline?.[1] !== undefined) {
    const spec = options[inline[1].slice(2)]
    return spec === undefined ? [] : valuesOf(spec, inline[2] ?? '', `${inline[1]}=`, completeValue)
  }
  if (typed.startsWith('-') && !before.includes('--')) return optionNames(options, before, typed)

  const next = nextWords(table, positionals, typed)
  if (match === undefined || (next.length > 0 && positionals.length === match.wordCount)) return next
  const specs = argumentEntries(match.command).map(([, spec]) => spec)
  const spec = specs[positionals.length - match.wordCount] ?? specs.findLast(({ repeatable }) => repeatable === true)
  return spec === undefined ? [] : valuesOf({ ...spec, type: 'text' }, typed, '', completeValue)
}

/** The positional words so far, and the option whose value is at the cursor. */
function readBefore(words: readonly string[], table: CommandTable) {
  const positionals: string[] = []
  let pending: OptionSpec | undefined
  let onlyPositionals = false
  for (const word of words) {
    const isValue = pending !== undefined && !(pending.valueOptional === true && word.startsWith('-'))
    pending = undefined
    if (isValue) continue
    if (onlyPositionals || word === '-' || !word.startsWith('-')) positionals.push(word)
    else if (word === '--') onlyPositionals = true
    else if (!word.includes('=')) {
      const spec = findOption(optionsAt(table.match(positionals)?.command), word)
      if (spec !== undefined && spec.type !== 'boolean') pending = spec
    }
  }
  return { positionals, pending }
}

function optionsAt(command: AnyCommand | undefined): Readonly<Record<string, OptionSpec>> {
  return command === undefined ? anyOptions : { ...Object.fromEntries(optionEntries(command)), ...anyOptions }
}

function findOption(options: Readonly<Record<string, OptionSpec>>, word: string): OptionSpec | undefined {
  if (!word.startsWith('--')) return Object.values(options).find(({ short }) => short === word.slice(1))
  const name = word.slice(2)
  return options[name] ?? Object.values(options).find(({ aliases }) => aliases?.includes(name) === true)
}

async function valuesOf(
  spec: Pick<OptionSpec, 'type' | 'choices' | 'completes'>,
  typed: string,
  before: string,
  completeValue: CompleteValue,
): Promise<readonly string[]> {
  if (spec.choices !== undefined) return startingWith(spec.choices, typed, before)
  const { completes } = spec
  if (completes === undefined) return []
  if (completes === 'file') return [completeFiles]
  if (completes === 'field') return fieldValues(typed, before, completeValue)
  const fixed: readonly string[] = Object.hasOwn(fixedWords, completes) ? fixedWords[completes as FixedKind] : []
  // Outside a repository, or with a damaged one, completion silently offers nothing.
  const known = isFixed(completes) ? [] : await completeValue(completes, typed).catch(() => [])
  return startingWith([...new Set([...fixed, ...known])], typed, before)
}

/** Words known without a repository. For `type`, other words are valid, too. */
const fixedWords = {
  state: qualifiers.state.choices,
  priority: ['P0', 'P1', 'P2', 'P3', 'P4'],
  type: ['bug', 'feature', 'task', 'epic', 'chore'],
  day: ['today', 'tomorrow', ...weekdays, '7d', '2w', '1mo'],
  shell: shells,
} as const satisfies Partial<Record<Completed, readonly string[]>>
type FixedKind = keyof typeof fixedWords

function isFixed(completes: Completed): completes is 'state' | 'priority' | 'day' | 'shell' | 'field' | 'file' {
  return completes !== 'type' && Object.hasOwn(fixedWords, completes)
}

/** Completes `key=`, then a value of that field. */
async function fieldValues(typed: string, before: string, completeValue: CompleteValue): Promise<readonly string[]> {
  const [, key, value = ''] = /^([^=]*)=(.*)$/s.exec(typed) ?? []
  if (key === undefined) {
    return startingWith(
      fieldKeys.map((each) => `${each}=`),
      typed,
      before,
    )
  }
  if (!isFieldKey(key)) return []
  const completes = key === 'parent' ? 'issue' : isDayField(key) ? 'day' : key
  return valuesOf({ type: 'text', completes }, value, `${before}${key}=`, completeValue)
}

function startingWith(values: readonly string[], typed: string, before: string): readonly string[] {
  return values
    .filter((value) => value.startsWith(typed) && isPrintable(value))
    .slice(0, candidateCountMax)
    .map((value) => before + value)
}

/** False for values with control or hidden characters, which cannot be typed. A tab separates the description. */
function isPrintable(value: string): boolean {
  const text = value.replace('\t', '')
  return escapeLine(text) === text
}

function optionNames(
  options: Readonly<Record<string, OptionSpec>>,
  before: readonly string[],
  typed: string,
): readonly string[] {
  return Object.entries(options)
    .filter(
      ([name, spec]) => `--${name}`.startsWith(typed) && (spec.repeatable === true || !before.includes(`--${name}`)),
    )
    .map(([name, spec]) => `--${name}\t${spec.summary}`)
}

function nextWords(table: CommandTable, words: readonly string[], typed: string): readonly string[] {
  const summaries = new Map<string, string>()
  for (const command of table.below(words)) {
    const names = command.name.split(' ')
    const word = names[words.length] ?? ''
    if (!word.startsWith(typed)) continue
    const isCommand = names.length === words.length + 1
    if (isCommand || !summaries.has(word)) summaries.set(word, isCommand ? command.summary : `${word} …`)
  }
  for (const { shortForms = [], summary } of words.length === 0 ? table.commands : []) {
    for (const word of shortForms) if (word.startsWith(typed) && !summaries.has(word)) summaries.set(word, summary)
  }
  if (words.length === 0 && 'help'.startsWith(typed)) summaries.set('help', 'Show help of a command')
  return [...summaries].map(([word, summary]) => `${word}\t${summary}`)
}
