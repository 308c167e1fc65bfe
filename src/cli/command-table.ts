/** The commands for lookup by words, in the order of the help. */
import type { AnyCommand } from '../commands/define-command.ts'

/** The words that call a command. */
export type CommandWords = Pick<AnyCommand, 'name' | 'shortForms'>

export interface CommandTable<Row extends CommandWords = AnyCommand> {
  readonly commands: readonly Row[]
  /** The command whose name or short form matches the most words at the start of `words`. */
  readonly match: (words: readonly string[]) => { readonly command: Row; readonly wordCount: number } | undefined
  /** Commands whose name starts with these words and has further ones. */
  readonly below: (words: readonly string[]) => readonly Row[]
}

/** Of a command's name, at most. */
const nameWordsMax = 3

export function buildCommandTable<Row extends CommandWords>(commands: readonly Row[]): CommandTable<Row> {
  // A line is looked up once or twice, in less time than it takes to fill a map.
  const matchName = (words: readonly string[]) => {
    for (let wordCount = Math.min(words.length, nameWordsMax); wordCount > 0; wordCount--) {
      const name = words.slice(0, wordCount).join(' ')
      const command = commands.find((each) => each.name === name)
      if (command !== undefined) return { command, wordCount }
    }
    return undefined
  }
  const withShortForm = (word: string) => commands.find(({ shortForms }) => shortForms?.includes(word))
  return {
    commands,
    match(words) {
      const own = matchName(words)
      const short = own === undefined ? withShortForm(words[0] ?? '') : undefined
      if (short === undefined) return own
      // `comment edit` is `issue comment edit`.
      const full = short.name.split(' ')
      const found = matchName([...full, ...words.slice(1)])
      return found && { ...found, wordCount: found.wordCount - full.length + 1 }
    },
    below(words) {
      if (words.length === 0) return commands
      const prefix = `${words.join(' ')} `
      return commands.filter((command) => command.name.startsWith(prefix))
    },
  }
}
