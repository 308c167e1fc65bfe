import {
  allOf,
  conditionsOf,
  decidesState,
  InvalidArgsError,
  type IssueStateWord,
  joinQueries,
  parseAge,
  parseDayWord,
  parseQualifier,
  parseQuery,
  type QualifierKey,
  type Query,
  type QueryTerm,
  qualifiers,
  usualSort,
} from '../../model/index.ts'
import type { Clock } from '../../tracker/effects.ts'
import { localDay, parseMoment } from '../../tracker/parse-time.ts'
import { type DataOf, defineCommand, type GivenInput, type InputOf } from '../define-command.ts'
import { filterOptions } from './filter-options.ts'
import { listIssues, listOptions } from './list-issues.ts'

const options = {
  state: filterOptions.state,
  label: filterOptions.label,
  assignee: filterOptions.assignee,
  author: {
    type: 'text',
    valueName: 'actor',
    summary: 'Only issues created by this actor (name, id or prefix), or by `me`',
    completes: 'actor',
  },
  priority: {
    type: 'text',
    valueName: 'P0…P4',
    summary: 'Only this priority; "<=P1" is P0 and P1',
    short: 'p',
    completes: 'priority',
  },
  type: filterOptions.type,
  status: filterOptions.status,
  milestone: filterOptions.milestone,
  parent: { type: 'text', valueName: 'issue', summary: 'Only parts of this issue', completes: 'issue' },
  overdue: { type: 'boolean', summary: 'Only open issues whose due date has passed' },
  'due-before': {
    type: 'text',
    valueName: 'date|7d',
    summary: 'Only issues due before a date or a day such as friday, or within a time such as 7d or 1mo',
  },
  since: { type: 'text', valueName: '7d|date|ms', summary: 'Only issues changed since then' },
  text: {
    type: 'text',
    valueName: 'words',
    summary: 'Only issues with this text in title, body or a comment, ignoring case',
  },
  query: { type: 'text', valueName: 'query', summary: 'Only issues that match this query; see `grite help search`' },
  ...listOptions,
} as const

export const issueList = defineCommand({
  name: 'issue list',
  readsRows: 'lists',
  shortForms: ['list'],
  summary: 'List issues',
  description:
    'Lists open issues, newest change first; --state and --sort change that. For scripts, --json and --exit-status list ' +
    'issues in all states, --json in order of creation. An issue must match all options, including --query. For type, ' +
    'status, milestone, priority, parent and assignee, "none" matches issues without a value. Days are UTC; a ' +
    'word such as friday is the day where you are.',
  examples: [
    { command: 'grite issue list', explains: 'open issues, newest change first' },
    { command: 'grite issue list --state all --limit 20', explains: 'the latest changes, closed issues included' },
    { command: 'grite issue list --label bug --label ui --assignee ann', explains: 'issues that match all conditions' },
    { command: "grite issue list --priority '<=P1' --sort due", explains: 'urgent issues' },
    { command: 'grite issue list --state all --since 7d', explains: 'changes of this week' },
    {
      command: "grite issue list --query 'is:open label:blocker -assignee:none' --exit-status",
      explains: 'fail a CI job if any issue matches',
    },
    { command: 'grite issue list --json --fields issue_id,title', explains: 'only the keys that a script needs' },
  ],
  served: true,
  isKept: true,
  effect: 'reads',
  arguments: {},
  options,
  run(context, input) {
    const filter = allOf(termsOf(input, context.clock))
    const plain: Query = { filter, sort: null, limit: null }
    const query = input.query === undefined ? plain : joinQueries(plain, parseQuery(input.query))
    return listIssues(context, context.isJson === false ? forPeople(query, input.exitStatus) : query, input)
  },
})

export type IssueListInput = GivenInput<typeof issueList>
export type IssueListData = DataOf<typeof issueList>

/**
 * People look for open issues and recent changes, unless they say otherwise. A gate must give the same status with and
 * without --json, so it gets no state.
 */
function forPeople(query: Query, isGate: boolean): Query {
  const keepsState = isGate || [...conditionsOf(query.filter)].some(decidesState)
  const filter: QueryTerm | null = keepsState ? null : { kind: 'state', state: 'open' }
  return joinQueries({ filter, sort: usualSort('updated'), limit: null }, query)
}

/** The state given by `--state`; undefined for all. @throws {InvalidArgsError} on anything but open, closed, all */
export function parseState(text: string | undefined): IssueStateWord | undefined {
  const term = text === undefined ? undefined : termOf('state', 'state', text)
  return term?.kind === 'state' && term.state !== 'all' ? term.state : undefined
}

/** The options as query terms. */
function termsOf(input: InputOf<Record<never, never>, typeof options>, clock: Clock): QueryTerm[] {
  const plain = (['state', 'assignee', 'author', 'priority', 'type', 'status', 'milestone', 'parent'] as const).flatMap(
    (key) => (input[key] === undefined ? [] : [termOf(key, key, input[key])]),
  )
  return [
    ...plain,
    ...input.label.map((label) => termOf('label', 'label', label, true)),
    ...(input.overdue ? [{ kind: 'overdue' } as const] : []),
    ...(input.dueBefore === undefined ? [] : [dueBefore(input.dueBefore, clock)]),
    ...(input.since === undefined ? [] : [changedSince(input.since, clock.nowUnixMs())]),
    ...(input.text === undefined ? [] : [termOf('text', 'text', input.text, true)]),
  ]
}

/** @throws {InvalidArgsError} naming the option, its value and the allowed values */
export function termOf(option: string, key: QualifierKey, value: string, isLiteral = false): QueryTerm {
  const term = parseQualifier(key, value, isLiteral)
  if (term !== undefined) return term
  const rule: { readonly allowed: string; readonly choices?: readonly string[] } = qualifiers[key]
  throw new InvalidArgsError(`--${option} must be ${rule.allowed}, got '${value}'`, {
    details: { field: option, value, allowed: rule.choices ?? rule.allowed },
    hints: key === 'author' ? ['Run `grite actor list` to see the actors of this repository'] : [],
  })
}

function dueBefore(value: string, clock: Clock): QueryTerm {
  // An age stays one, so that its end moves with the day on which the query runs.
  const day = parseAge(value) === undefined ? parseDayWord(value, localDay(clock)) : undefined
  const term = parseQualifier('due', `<${day ?? value}`, false)
  if (term !== undefined) return term
  const allowed = 'a day such as 2026-12-01 or friday, or a time from today such as 7d, 2w, 1mo or 1y'
  throw new InvalidArgsError(`--due-before must be ${allowed}, got '${value}'`, {
    details: { field: 'due-before', value, allowed },
  })
}

/** Includes the moment itself, unlike `updated:<7d`. @throws {InvalidArgsError} on text that is not a moment */
function changedSince(value: string, nowUnixMs: number): QueryTerm {
  parseMoment('since', value, nowUnixMs)
  return { kind: 'compare', key: 'updated', operator: parseAge(value) === undefined ? '>=' : '<=', value }
}
