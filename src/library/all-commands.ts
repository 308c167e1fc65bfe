/** Every command. The build replaces this table by one that loads the code of a command when it is run. */
import type { AnyCommand } from '../commands/define-command.ts'
import { allCommands } from '../commands/index.ts'

export const libraryCommands: readonly AnyCommand[] = allCommands
