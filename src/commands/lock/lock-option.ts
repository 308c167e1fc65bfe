import type { OptionTable } from '../define-command.ts'

/** For writes that shall have their issues to themselves. */
export const lockOption = {
  lock: { type: 'boolean', summary: 'Hold the lock of the issue meanwhile; fails when somebody else has it' },
} as const satisfies OptionTable
