/** The commands for lookup by words, in the order of the help. */
import type { AnyCommand } from '../commands/define-command.ts'

export interface CommandTable {
  readonly commands: readonly AnyCommand[]
  /** The command whose name matches the most words at the start of `words`. */
  readonly match: (words: readonly string[]) => { readonly command: AnyCommand; readonly wordCount: number } | undefined
  /** Commands whose name starts with these words and has further ones. */
  readonly below: (words: readonly string[]) => readonly AnyCommand[]
}

export function buildCommandTable(commands: readonly AnyCommand[]): CommandTable {
  const byName = new Map(commands.map((command) => [command.name, command]))
  const wordCountMax = Math.max(0, ...commands.map((command) => command.name.split(' ').length))
  return {
    commands,
    match(words) {
      for (let wordCount = Math.min(words.length, wordCountMax); wordCount > 0; wordCount--) {
        const command = byName.get(words.slice(0, wordCount).join(' '))
        if (command !== undefined) return { command, wordCount }
      }
      return undefined
    },
    below(words) {
      if (words.length === 0) return commands
      const prefix = `${words.join(' ')} `
      return commands.filter((command) => command.name.startsWith(prefix))
    },
  }
}
