import type { OptionTable } from './define-command.ts'

/** For commands that print a table. Only the command line uses it. */
export const headerOption = {
  header: { type: 'boolean', summary: 'Without a terminal, print the names of the columns as first line' },
} as const satisfies OptionTable
