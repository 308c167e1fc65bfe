import type { OptionTable } from '../define-command.ts'

/** Options to filter issues, shared by several commands. */
export const filterOptions = {
  state: {
    type: 'text',
    valueName: 'open|closed|all',
    summary: 'Only issues in this state',
    short: 's',
    completes: 'state',
  },
  label: {
    type: 'text',
    valueName: 'label',
    summary: 'Only issues with this label; if repeated, with all of them',
    repeatable: true,
    short: 'l',
    completes: 'label',
  },
  limit: { type: 'count', valueName: 'n', summary: 'List at most n issues', short: 'n' },
  after: { type: 'text', valueName: 'cursor', summary: 'Continue after the page that returned this `next_cursor`' },
} as const satisfies OptionTable
