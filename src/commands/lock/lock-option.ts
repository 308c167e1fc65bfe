import type { OptionTable } from '../define-command.ts'

/** For writes that need exclusive access to their issues. */
export const lockOption = {
  lock: { type: 'boolean', summary: 'Lock the issue during the write; fail if somebody else holds its lock' },
} as const satisfies OptionTable
