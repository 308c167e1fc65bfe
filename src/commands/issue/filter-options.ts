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
  assignee: {
    type: 'text',
    valueName: 'user',
    summary: 'Only issues assigned to this user (name or actor id), to `me`, or to `none`',
    short: 'a',
    completes: 'assignee',
  },
  type: { type: 'text', valueName: 'word', summary: 'Only issues of this type', short: 't', completes: 'type' },
  status: { type: 'text', valueName: 'word', summary: 'Only issues with this status', completes: 'status' },
  milestone: { type: 'text', valueName: 'name', summary: 'Only issues of this milestone', completes: 'milestone' },
  limit: { type: 'count', valueName: 'n', summary: 'List at most n issues', short: 'n' },
  after: { type: 'text', valueName: 'cursor', summary: 'Continue after the page that returned this `next_cursor`' },
} as const satisfies OptionTable
