/** A small command table with one option and argument of each kind, so that these tests need no real command. */
import { type AnyCommand, defineCommand } from '../../src/commands/define-command.ts'
import { NotFoundError } from '../../src/model/errors/index.ts'

const issueCreate = defineCommand({
  name: 'issue create',
  summary: 'Create an issue',
  examples: [{ command: 'grite issue create --title "Crash on start"', explains: 'the least it needs' }],
  effect: 'reads',
  arguments: {},
  options: {
    title: { type: 'text', required: true, short: 't', summary: 'Title' },
    body: { type: 'text', summary: 'Body' },
    'body-file': { type: 'text', valueName: 'path', summary: 'Read the body from a file', completes: 'file' },
    label: { type: 'text', repeatable: true, short: 'l', summary: 'Label', completes: 'label' },
  },
  run: async (_context, input) => ({ data: { ...input } }),
})

const issueList = defineCommand({
  name: 'issue list',
  summary: 'List issues',
  description: 'All issues, or those that every given option selects.',
  examples: [{ command: 'grite issue list --state open', explains: 'what is left to do' }],
  effect: 'reads',
  arguments: {},
  options: {
    state: { type: 'text', choices: ['open', 'closed'], summary: 'Only issues in this state' },
    label: { type: 'text', repeatable: true, summary: 'Only issues with this label', completes: 'label' },
    limit: { type: 'count', short: 'n', summary: 'At most so many' },
    reverse: { type: 'boolean', summary: 'Newest first', aliases: ['descending'] },
  },
  run: async (_context, input) => ({ data: { ...input } }),
})

const issueShow = defineCommand({
  name: 'issue show',
  summary: 'Show an issue',
  examples: [{ command: 'grite issue show 4f2a', explains: 'an id prefix is enough' }],
  effect: 'reads',
  arguments: { id: { summary: 'Issue id or unique prefix', completes: 'issue' } },
  options: {
    id: { type: 'text', summary: 'The same, as an option' },
    from: { type: 'text', valueName: 'name', valueOptional: true, summary: 'Ask there, or at the usual place' },
  },
  async run(_context, { id }) {
    if (id === 'gone') throw new NotFoundError('issue gone', { details: { issue_id: 'gone' }, hints: ['Look again'] })
    if (id === 'bug') throw new TypeError('x is not a function')
    return { data: { id } }
  },
})

const labelAdd = defineCommand({
  name: 'issue label add',
  summary: 'Add labels',
  examples: [{ command: 'grite issue label add 4f2a bug', explains: 'one label' }],
  effect: 'reads',
  arguments: {
    id: { summary: 'Issue', completes: 'issue' },
    labels: { summary: 'Labels', repeatable: true, optional: true, completes: 'label' },
  },
  options: {},
  run: async (_context, input) => ({ data: { ...input } }),
})

const snapshot = defineCommand({
  name: 'snapshot',
  summary: 'Make a snapshot',
  examples: [{ command: 'grite snapshot', explains: 'of everything' }],
  effect: 'reads',
  arguments: {},
  options: {},
  async run({ warn }) {
    warn({ code: 'slow', message: 'this disk is slow\x1b[31m' })
    return { data: { event_count: 3 }, exitStatus: 1 }
  },
})

const snapshotList = defineCommand({
  name: 'snapshot list',
  summary: 'List snapshots',
  examples: [{ command: 'grite snapshot list', explains: 'newest first' }],
  effect: 'reads',
  arguments: {},
  options: {},
  run: async () => ({ data: { snapshots: [] } }),
})

const flood = defineCommand({
  name: 'flood',
  summary: 'Print much',
  examples: [{ command: 'grite flood', explains: 'for the tests of closed pipes' }],
  effect: 'reads',
  arguments: {},
  options: {},
  run: async () => ({ data: { lines: Array.from({ length: 200_000 }, (_, index) => `line ${index}`) } }),
})

const sleep = defineCommand({
  name: 'sleep',
  summary: 'Wait for a signal',
  examples: [{ command: 'grite sleep', explains: 'for the tests of signals' }],
  effect: 'reads',
  arguments: {},
  options: {},
  async run({ warn }) {
    warn({ code: 'sleeping', message: 'sleeping' })
    await new Promise((resolve) => setTimeout(resolve, 30_000))
    return { data: {} }
  },
})

export const fakeCommands: readonly AnyCommand[] = [
  issueCreate,
  issueList,
  issueShow,
  labelAdd,
  snapshot,
  snapshotList,
  flood,
  sleep,
]
