/**
 * The rows with which an everyday line is parsed. In the bundle, the other commands have only their words here: their
 * definitions are in another script.
 */
import type { AnyCommand } from '../commands/define-command.ts'
import { commandLineCommands } from './all-commands.ts'
import type { CommandWords } from './command-table.ts'

export const commandRows: readonly (AnyCommand | CommandWords)[] = commandLineCommands
