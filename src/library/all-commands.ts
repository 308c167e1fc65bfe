/** Every command. The build replaces this table by one that loads a command on first use. */
import type { AnyCommand } from '../commands/define-command.ts'
import { allCommands } from '../commands/index.ts'

export const libraryCommands: readonly AnyCommand[] = allCommands
