/** Suggests the nearest words of the command table. */
import type { OptionSpec } from '../commands/define-command.ts'
import { InvalidArgsError, nearWords, shellCommand, suggestionCountMax } from '../model/index.ts'
import type { CommandTable } from './command-table.ts'

export interface Suggester {
  readonly unknownCommand: (words: readonly string[]) => InvalidArgsError
  readonly nearOptions: (written: string, options: Readonly<Record<string, OptionSpec>>) => string[]
  readonly nearSubcommands: (name: string, word: string) => string[]
}

export function createSuggester(table: CommandTable): Suggester {
  return {
    unknownCommand(words) {
      const known = knownWordCount(table, words)
      const group = words.slice(0, known)
      const written = words.slice(0, known + 1).join(' ')
      const names = table.commands.map(({ name }) => name)
      const whole = words.length > known + 1 ? nearWords(words.slice(0, 3).join(' '), names) : []
      const near = [
        ...whole,
        ...nearWords(written, [...wordsBelow(table, group), ...bareSubcommands(table, written)]),
      ].slice(0, suggestionCountMax)
      const help = shellCommand('grite', 'help', ...group)
      return new InvalidArgsError(`unknown command '${written}'`, {
        details: { command: written },
        hints: [...near.map(didYouMean), `Run \`${help}\` to see the commands`],
      })
    },
    nearOptions(written, options) {
      const names = Object.keys(options).map((name) => `--${name}`)
      const near = nearWords(written.replace(/^-+/, '--'), names)
      return near.map((name) => `Did you mean ${name}?`)
    },
    nearSubcommands(name, word) {
      return nearWords(`${name} ${word}`, wordsBelow(table, name.split(' '))).map(didYouMean)
    },
  }
}

const didYouMean = (name: string) => `Did you mean \`${shellCommand('grite', ...name.split(' '))}\`?`

function knownWordCount(table: CommandTable, words: readonly string[]): number {
  let count = 0
  while (count < words.length && table.below(words.slice(0, count + 1)).length > 0) count++
  return Math.min(count, Math.max(0, words.length - 1))
}

/** Names one word longer than the group, of commands and of groups. */
function wordsBelow(table: CommandTable, group: readonly string[]): string[] {
  return table.below(group).map((command) =>
    command.name
      .split(' ')
      .slice(0, group.length + 1)
      .join(' '),
  )
}

/** `grite list` for `grite issue list`: the subcommand typed without its group. */
function bareSubcommands(table: CommandTable, written: string): string[] {
  const names = table.commands.map((command) => command.name)
  return names.filter((name) => name.includes(' ') && name.split(' ').at(-1) === written)
}
