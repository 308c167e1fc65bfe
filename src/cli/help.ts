/** Help for people, laid out by yargs from the command table, so that it always matches the parser. */
import type { Argv } from 'yargs'
import yargs from 'yargs/yargs'
import { type AnyCommand, globalOptions, type OptionSpec } from '../commands/define-command.ts'
import { argumentEntries, formatArgument, formatOption, formatUsage, optionEntries } from '../commands/option-text.ts'
import type { CommandTable } from './command-table.ts'
import { parserOptions } from './parse-argv.ts'

/** Longer lines are hard to read even on a wide terminal. */
const widthMax = 100

/** Headings of the top-level help, by first word, in this order; other commands are listed under the last one. */
const sections: readonly (readonly [heading: string, firstWords: readonly string[]])[] = [
  ['Start:', ['init', 'actor', 'config']],
  ['Issues:', ['issue', 'label', 'milestone', 'board', 'ready', 'query', 'search', 'undo', 'redo', 'batch']],
  ['Streams:', ['stream', 'record', 'branch', 'merge', 'materialize']],
  ['Share:', ['sync', 'lock', 'snapshot', 'export', 'changelog', 'import', 'bridge']],
  ['Context for agents:', ['context', 'install-skill', 'mcp', 'prime', 'remember', 'recall', 'forget']],
  ['Maintenance:', ['db', 'rebuild', 'doctor', 'daemon', 'completion', 'schema']],
]
const otherSection = 'More:'

/** What the first screen lists: commands of every day, by group. Together with its frame at most 24 lines. */
const firstScreen: readonly (readonly [group: string, names: readonly string[]])[] = [
  [
    'Issues',
    [
      ...['issue create', 'issue list', 'issue show', 'issue edit', 'issue comment', 'issue close'],
      ...['search', 'undo'],
    ],
  ],
  ['Plan', ['ready', 'board']],
  ['Agents', ['prime', 'issue claim', 'remember']],
  ['Share', ['init', 'sync', 'export']],
  ['Care', ['config list', 'doctor']],
]

export interface HelpRequest {
  /** The name of a command or of a group, or empty. */
  readonly words: readonly string[]
  /** Whether every command is listed, where no command is named. */
  readonly all: boolean
}

/** Returns the help of one command, of a group, or of everything. */
export async function renderHelp(table: CommandTable, { words, all }: HelpRequest, columns: number): Promise<string> {
  const width = Math.min(columns, widthMax)
  if (words.length === 0 && !all) return renderFirstScreen(table, width)
  const match = table.match(words)
  if (match === undefined) return renderList(table, words, width)
  const below = table.below(words)
  const own = await renderCommand(match.command, width)
  return below.length === 0 ? own : `${own}\n${await renderCommands('Subcommands:', below, width)}`
}

async function renderCommand(command: AnyCommand, width: number): Promise<string> {
  const { summary, shortForms = [], description, examples } = command
  const screen = blank(width)
  for (const [name, spec] of argumentEntries(command)) {
    screen.option(formatArgument(name, spec), { describe: spec.summary, group: argumentsHeading })
  }
  addOptions(screen, 'Options:', optionEntries(command))
  addOptions(screen, 'Global options:', Object.entries({ ...globalOptions, help: parserOptions.help }))
  const lines = examples.map(({ command: line, explains }) => `  # ${explains}\n  ${line}\n`)
  return [
    `Usage: ${formatUsage(command)}\n`,
    `${wrapText(summary, width)}\n`,
    ...(shortForms.length === 0 ? [] : [`Short form: grite ${shortForms.join(', grite ')}\n`]),
    ...(description === undefined ? [] : [`${wrapText(description, width)}\n`]),
    `${await print(screen)}`,
    `Examples:\n${lines.join('\n')}`,
  ].join('\n')
}

/** yargs prints entries of the group with this name without dashes. */
const argumentsHeading = 'Arguments:'

function wrapText(text: string, width: number): string {
  const lines: string[] = []
  for (const paragraph of text.split('\n')) {
    let line = ''
    for (const word of paragraph.split(' ')) {
      if (line !== '' && line.length + 1 + word.length > width) {
        lines.push(line)
        line = word
      } else line = line === '' ? word : `${line} ${word}`
    }
    lines.push(line)
  }
  return lines.join('\n')
}

function addOptions(line: Argv, group: string, entries: readonly (readonly [string, OptionSpec])[]): void {
  for (const [name, spec] of entries) {
    line.option(formatOption(name, spec).slice(2), {
      describe: describeOption(spec),
      group,
      ...(spec.short === undefined ? {} : { alias: spec.short }),
    })
  }
}

function describeOption(spec: OptionSpec): string {
  const notes = [
    ...(spec.required === true ? ['required'] : []),
    ...(spec.repeatable === true ? ['may be repeated'] : []),
    ...(spec.choices !== undefined && spec.valueName !== undefined ? [`one of ${spec.choices.join(', ')}`] : []),
  ]
  return notes.length === 0 ? spec.summary : `${spec.summary} (${notes.join('; ')})`
}

function renderFirstScreen(table: CommandTable, width: number): string {
  const rows = firstScreen.flatMap(([group, names]) =>
    names
      .flatMap((name) => table.match(name.split(' '))?.command ?? [])
      .map((command, index) => {
        const short = { ...command, name: typedName(command) }
        return [index === 0 ? group : '', synopsis(short), command.summary] as const
      }),
  )
  const [groupWidth, nameWidth] = [0, 1].map((at) => Math.max(0, ...rows.map((row) => (row[at] ?? '').length)))
  const lines = rows.map(([group, name, summary]) => {
    const start = `${group.padEnd(groupWidth as number)}  ${name.padEnd(nameWidth as number)}`
    return `${start}  ${cutAtWord(summary, width - start.length - 2)}`.trimEnd()
  })
  return [
    'Usage: grite <command> [options]',
    '',
    ...lines,
    '',
    'grite help <command>  explains a command',
    'grite help --all      lists every command',
    '',
  ].join('\n')
}

/** The command as people type it: `grite new` for `issue create`. */
function typedName({ name, shortForms }: AnyCommand): string {
  return shortForms?.[0] ?? name
}

/** A line that would be too long ends at a word, with dots. */
function cutAtWord(text: string, width: number): string {
  if (text.length <= width) return text
  const cut = text.slice(0, Math.max(0, width - 2)).replace(/[\s,;:]+\S*$/, '')
  return width < 12 || cut === '' ? '' : `${cut} …`
}

async function renderList(table: CommandTable, words: readonly string[], width: number): Promise<string> {
  const commands = table.below(words)
  const parts = [`Usage: grite ${[...words, '<command>'].join(' ')} [options]\n`]
  if (words.length > 0) parts.push(await renderCommands('Commands:', commands, width))
  else {
    parts.push(`${wrapText('An issue tracker and event store inside your git repository.', width)}\n`)
    parts.push(await renderShortForms(commands, width))
    for (const [heading, members] of groupBySection(commands)) parts.push(await renderCommands(heading, members, width))
  }
  const tail = blank(width)
  addOptions(tail, 'Global options:', Object.entries({ ...globalOptions, ...parserOptions }))
  parts.push(await print(tail))
  parts.push(`${wrapText('Run `grite help <command>` for its options and examples.', width)}\n`)
  return parts.filter((part) => part !== '').join('\n')
}

function groupBySection(commands: readonly AnyCommand[]): [string, AnyCommand[]][] {
  const headingOf = new Map(sections.flatMap(([heading, firstWords]) => firstWords.map((word) => [word, heading])))
  const headings = [...sections.map(([heading]) => heading), otherSection]
  return headings
    .map((heading): [string, AnyCommand[]] => [
      heading,
      commands.filter(({ name }) => (headingOf.get(name.split(' ')[0] ?? '') ?? otherSection) === heading),
    ])
    .filter(([, members]) => members.length > 0)
}

async function renderCommands(heading: string, commands: readonly AnyCommand[], width: number): Promise<string> {
  const screen = blank(width).updateStrings({ 'Commands:': heading })
  for (const command of commands) screen.command(synopsis(command), command.summary)
  return print(screen)
}

/** Empty when no command has a short form. */
async function renderShortForms(commands: readonly AnyCommand[], width: number): Promise<string> {
  const screen = blank(width).updateStrings({ 'Commands:': 'Short forms of issue commands:' })
  const withShort = commands.filter(({ shortForms = [] }) => shortForms.length > 0)
  for (const command of withShort) {
    for (const word of command.shortForms ?? []) screen.command(synopsis({ ...command, name: word }), command.summary)
  }
  return withShort.length === 0 ? '' : print(screen)
}

/** Removes the empty lines that yargs prints for missing parts. */
async function print(screen: Argv): Promise<string> {
  return `${(await screen.getHelp()).trim()}\n`
}

function synopsis(command: AnyCommand): string {
  return [command.name, ...argumentEntries(command).map(([name, spec]) => formatArgument(name, spec))].join(' ')
}

/** A yargs instance without argv, locale, and built-in help and version options. */
function blank(width: number): Argv {
  const strings = { 'Positionals:': argumentsHeading }
  return yargs([]).scriptName('').usage('').locale('en').updateStrings(strings).wrap(width).help(false).version(false)
}
