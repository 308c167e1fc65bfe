import { compareText, fieldKeys, InvalidArgsError, type IssueStateWord, issueStates } from '../../model/index.ts'
import type { IssueRow } from '../../view/index.ts'
import { defineCommand } from '../define-command.ts'
import { parseMoment } from '../parse-time.ts'
import { shortIdLength } from './change-command.ts'

const sortKeys = ['created', 'updated', 'title', 'priority'] as const

const rowKeys = [
  'issue_id',
  'short_id',
  'title',
  'state',
  'labels',
  'assignees',
  'created_ts',
  'updated_ts',
  'comment_count',
  'fields',
  'author',
] as const

export const issueList = defineCommand({
  name: 'issue list',
  summary: 'List issues',
  examples: [
    { command: 'grite issue list --state open', explains: 'what is open' },
    { command: 'grite issue list --label bug --label ui --assignee ann', explains: 'all of these must hold' },
    { command: 'grite issue list --since 7d --sort updated --limit 20', explains: 'what changed this week' },
    { command: 'grite issue list --json --fields issue_id,title', explains: 'only what a script needs' },
  ],
  arguments: {},
  options: {
    state: { type: 'text', valueName: 'open|closed|all', summary: 'Only issues in this state', short: 's' },
    label: {
      type: 'text',
      valueName: 'label',
      summary: 'Only issues with this label; several must all be there',
      repeatable: true,
      short: 'l',
      completes: 'label',
    },
    assignee: {
      type: 'text',
      valueName: 'user',
      summary: 'Only issues assigned to this user',
      short: 'a',
      completes: 'assignee',
    },
    author: {
      type: 'text',
      valueName: 'actor',
      summary: 'Only issues created by this actor (id or prefix)',
      completes: 'actor',
    },
    since: { type: 'text', valueName: '7d|date|ms', summary: 'Only issues changed since' },
    text: { type: 'text', valueName: 'words', summary: 'Only issues with this in title or text, in any case' },
    sort: {
      type: 'text',
      choices: sortKeys,
      summary: 'Order: created (oldest first), updated (newest first), title, priority',
    },
    reverse: { type: 'boolean', summary: 'Turn the order round' },
    limit: { type: 'count', valueName: 'n', summary: 'At most so many', short: 'n' },
    fields: { type: 'text', valueName: 'a,b', summary: 'Only these keys of each issue' },
  },
  async run(context, input) {
    const keys = input.fields === undefined ? undefined : parseFields(input.fields)
    const state = parseState(input.state)
    const filter = {
      labels: input.label,
      ...(state === undefined ? {} : { state }),
      ...(input.assignee === undefined ? {} : { assignee: input.assignee }),
      ...(input.author === undefined ? {} : { author: parseAuthor(input.author) }),
      ...(input.since === undefined
        ? {}
        : { updatedSince: parseMoment('since', input.since, context.clock.nowUnixMs()) }),
      ...(input.text === undefined ? {} : { text: input.text }),
    }
    const view = await (await context.repository()).view()
    const found = sortRows(await view.listIssues(filter), input.sort as (typeof sortKeys)[number] | undefined)
    if (input.reverse) found.reverse()
    const rows = input.limit === undefined ? found : found.slice(0, input.limit)
    const shortIds = await view.shortIds(
      rows.map((row) => row.issue_id),
      shortIdLength,
    )
    const issues = rows.map((row) => ({ ...row, short_id: shortIds.get(row.issue_id) ?? row.issue_id }))
    const picked = keys === undefined ? issues : issues.map((issue) => pick(issue, keys))
    const openCount = found.filter((row) => row.state === 'open').length
    return {
      data: {
        issues: picked,
        total: found.length,
        open_count: openCount,
        closed_count: found.length - openCount,
        issue_count: view.issueCount,
        ...(keys === undefined ? {} : { columns: keys }),
      },
    }
  },
})

/** @throws {InvalidArgsError} on anything but open, closed, all */
export function parseState(text: string | undefined): IssueStateWord | undefined {
  const word = text?.toLowerCase()
  if (word === undefined || word === 'all') return undefined
  if (issueStates.includes(word as IssueStateWord)) return word as IssueStateWord
  throw new InvalidArgsError(`--state must be open, closed or all, got '${text}'`, {
    details: { field: 'state', value: text, allowed: [...issueStates, 'all'] },
  })
}

/** @throws {InvalidArgsError} on text that no actor id begins with */
function parseAuthor(text: string): string {
  if (/^[0-9a-fA-F]{1,32}$/.test(text)) return text.toLowerCase()
  throw new InvalidArgsError(`--author must be an actor id or a prefix of one, in hexadecimal, got '${text}'`, {
    details: { field: 'author', value: text },
    hints: ['Run `grite actor list` to see the actors of this repository'],
  })
}

type RowKey = (typeof rowKeys)[number]

function parseFields(text: string): string[] {
  const keys = text.split(',').map((key) => key.trim())
  const allowed = [...rowKeys, ...fieldKeys]
  for (const key of keys) {
    if (allowed.includes(key as RowKey)) continue
    throw new InvalidArgsError(`--fields has no '${key}'; allowed are ${allowed.join(', ')}`, {
      details: { field: 'fields', value: key, allowed },
    })
  }
  return keys
}

/** The chosen keys, in the order asked for; a field such as `priority` is taken out of `fields`. */
function pick(issue: IssueRow & { readonly short_id: string }, keys: readonly string[]): Record<string, unknown> {
  const all: Record<string, unknown> = { ...issue }
  const fields: Record<string, unknown> = { ...issue.fields }
  return Object.fromEntries(keys.map((key) => [key, key in all ? all[key] : (fields[key] ?? null)]))
}

/** Stable over the order of creation in which rows come. */
function sortRows(rows: readonly IssueRow[], key: (typeof sortKeys)[number] | undefined): IssueRow[] {
  switch (key) {
    case undefined:
    case 'created':
      return [...rows]
    case 'updated':
      return [...rows].sort((left, right) => right.updated_ts - left.updated_ts)
    case 'title':
      return [...rows].sort((left, right) => compareText(left.title, right.title))
    case 'priority':
      return [...rows].sort((left, right) => compareText(priorityRank(left), priorityRank(right)))
  }
}

/** Issues without a priority come last. */
function priorityRank(row: IssueRow): string {
  return row.fields.priority ?? '\u{10ffff}'
}
