import type { OptionTable } from './define-command.ts'

/** For commands that print a table. */
export const headerOption = {
  header: {
    type: 'boolean',
    summary: 'Without a terminal, print the names of the columns as first line',
    cliOnly: true,
  },
} as const satisfies OptionTable
