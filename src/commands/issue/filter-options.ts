import type { OptionTable } from '../define-command.ts'

/** Options by which several commands choose among issues. */
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
    summary: 'Only issues with this label; several must all be there',
    repeatable: true,
    short: 'l',
    completes: 'label',
  },
  limit: { type: 'count', valueName: 'n', summary: 'At most so many', short: 'n' },
} as const satisfies OptionTable
