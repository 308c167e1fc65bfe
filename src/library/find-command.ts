import type { AnyCommand } from '../commands/define-command.ts'
import { libraryCommands } from './all-commands.ts'

const commands = new Map(libraryCommands.map((command) => [command.name, command]))

/** The command with a name such as `issue create`; undefined when there is none. */
export function findCommand(name: string): AnyCommand | undefined {
  return commands.get(name)
}
