/** Every command of the command line: those of commands/, and those that exist only here. */
import type { AnyCommand } from '../commands/define-command.ts'
import { allCommands } from '../commands/index.ts'
import { completion } from './completion-command.ts'
import { daemonCommands } from './daemon/index.ts'
import { mcp } from './mcp-command.ts'

export const commandLineCommands: readonly AnyCommand[] = [...allCommands, mcp, ...daemonCommands, completion]
