/** What the user may have meant: the nearest words of the table by edit distance. */
import leven from 'leven'
import type { OptionSpec } from '../commands/define-command.ts'
import { InvalidArgsError } from '../model/errors/index.ts'
import type { CommandTable } from './command-table.ts'

/** More candidates than this help nobody. */
const suggestionCountMax = 3

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
      const help = group.length === 0 ? 'grite help' : `grite help ${group.join(' ')}`
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

/**
 * Those of `candidates` that are close to what was written, nearest first; one that goes on from it counts as close.
 */
export function nearWords(written: string, candidates: readonly string[]): string[] {
  const folded = written.toLowerCase()
  return [...new Set(candidates)]
    .map((word) => {
      const distanceMax = tolerance(folded, word)
      const startsAlike = lastWord(folded).length >= 2 && lastWord(word).startsWith(lastWord(folded))
      const distance = startsAlike ? 0.5 : leven(folded, word, { maxDistance: distanceMax + 1 })
      return { word, distance, distanceMax }
    })
    .filter(({ distance, distanceMax }) => distance <= distanceMax)
    .sort((left, right) => left.distance - right.distance)
    .slice(0, suggestionCountMax)
    .map(({ word }) => word)
}

/** For each word that differs: a swap of two letters, which counts as two mistakes, from four letters on. */
function tolerance(written: string, candidate: string): number {
  const meant = candidate.split(' ')
  const differing = written.split(' ').filter((word, index) => word !== meant[index])
  return differing.reduce((sum, word) => sum + (word.length < 4 ? 1 : Math.max(2, Math.floor(word.length / 3))), 0)
}

const didYouMean = (name: string) => `Did you mean \`grite ${name}\`?`

const lastWord = (text: string) => text.split(' ').at(-1) ?? ''

function knownWordCount(table: CommandTable, words: readonly string[]): number {
  let count = 0
  while (count < words.length && table.below(words.slice(0, count + 1)).length > 0) count++
  return Math.min(count, Math.max(0, words.length - 1))
}

/** Names one word longer than the group: commands and groups alike. */
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
  return names.filter((name) => name.includes(' ') && lastWord(name) === written)
}
