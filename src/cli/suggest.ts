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
      const familiar = familiarHints(table, group, words[known] ?? '')
      if (familiar !== undefined) {
        return new InvalidArgsError(`unknown command '${written}'`, {
          details: { command: written },
          hints: [...familiar, `Run \`${shellCommand('grite', 'help', ...group)}\` to see the commands`],
        })
      }
      const names = table.commands.flatMap(({ name, shortForms = [] }) => [name, ...shortForms])
      const whole = words.length > known + 1 ? nearWords(words.slice(0, 3).join(' '), names) : []
      const near = new Set([
        ...whole,
        ...nearWords(written, [
          ...wordsBelow(table, group),
          ...shortFormsBelow(table, group),
          ...bareSubcommands(table, written),
        ]),
      ])
      const help = shellCommand('grite', 'help', ...group)
      return new InvalidArgsError(`unknown command '${written}'`, {
        details: { command: written },
        hints: [...[...near].slice(0, suggestionCountMax).map(didYouMean), `Run \`${help}\` to see the commands`],
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

/** Short forms are words of the top level. */
function shortFormsBelow(table: CommandTable, group: readonly string[]): readonly string[] {
  return group.length > 0 ? [] : table.commands.flatMap(({ shortForms = [] }) => shortForms)
}

/**
 * Words of git, gh and other trackers, at the top level or after `issue`, with the lines to type instead and what to know
 * first. A test checks that each line begins with an existing command.
 */
export const familiarWords: Readonly<Record<string, { readonly lines: readonly string[]; readonly says?: string }>> = {
  view: { lines: ['show <issue>'] },
  ls: { lines: ['list'] },
  add: { lines: ['new "Title"'] },
  new: { lines: ['new "Title"'] },
  log: { lines: ['log <issue>'] },
  rm: { lines: ['close <issue>'], says: 'Issues are never deleted, because the log only grows' },
  delete: { lines: ['close <issue>'], says: 'Issues are never deleted, because the log only grows' },
  done: { lines: ['close <issue>'] },
  push: { lines: ['sync', 'sync --push'] },
  pull: { lines: ['sync', 'sync --pull'] },
  fetch: { lines: ['sync', 'sync --pull'] },
  status: { lines: ['prime', 'ready'] },
  assign: { lines: ['issue update <issue> --assignee <user>', 'issue assignee add <issue> --user <user>'] },
  unassign: { lines: ['issue update <issue> --unassign <user>', 'issue assignee remove <issue> --user <user>'] },
  label: { lines: ['issue label add <issue> --label <label>', 'issue update <issue> --add-label <label>'] },
}

/** Undefined unless the unknown word is a familiar one of which the table has all commands. */
function familiarHints(table: CommandTable, group: readonly string[], word: string): string[] | undefined {
  if (group.join(' ') !== '' && group.join(' ') !== 'issue') return undefined
  const familiar = Object.hasOwn(familiarWords, word) ? familiarWords[word] : undefined
  if (familiar?.lines.every((line) => table.match(line.split(' ')) !== undefined) !== true) return undefined
  const says = familiar.says === undefined ? [] : [familiar.says]
  return [...says, ...familiar.lines.map((line) => `Did you mean \`${['grite', line].join(' ')}\`?`)]
}

/** `grite list` for `grite issue list`: the subcommand typed without its group. */
function bareSubcommands(table: CommandTable, written: string): string[] {
  const names = table.commands.map((command) => command.name)
  return names.filter((name) => name.includes(' ') && name.split(' ').at(-1) === written)
}
