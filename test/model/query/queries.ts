/** Random queries and issues for property tests, from small pools of words so that they often match. */
import fc from 'fast-check'
import {
  type ActorId,
  allOf,
  anyOf,
  type IssueId,
  not,
  type Query,
  type QueryCondition,
  type QueryRow,
  type QueryTerm,
  querySortKeys,
} from '../../../src/model/index.ts'
import { hasWords, operators } from '../../../src/model/query/query.ts'
import { text } from '../arbitraries.ts'

export const nowUnixMs = Date.UTC(2026, 3, 5, 12, 0, 0)
export const dayMs = 86_400_000

/** Words with a meaning elsewhere in a query, and words that need quotes. */
const name = fc.oneof(
  fc.constantFrom('ann', 'bug', 'area:ui', 'with space', 'me', 'none', 'P1', 'OR', '-x', '(', 'a)', '"', '\\', '\\"'),
  text.filter((each) => each !== ''),
)
const hex = fc.constantFrom('0', '5a', 'abcdef0123456789abcdef0123456789')
const who = fc.oneof(
  fc.constant({ is: 'me' as const }),
  name.map((each) => ({ is: 'named' as const, name: each })),
)
const priority = fc.constantFrom('P0', 'P1', 'P2', 'P3', 'P4')
const day = fc.constantFrom('2026-04-04', '2026-04-05', '2026-04-06', '2026-12-01')
const dueAge = fc.constantFrom('0d', '1d', '7d', '2w', '1mo', '1y')
const age = fc.constantFrom('0s', '90m', '1d', '7d', '4w')
const moment = fc.oneof(day, fc.constantFrom('2026-04-05T11:00:00Z', '2026-04-05T11:00', '1775000000000'))

/** Values of comparable keys: points first, then ages. */
const valuesOf = {
  priority: [priority],
  due: [day, dueAge],
  defer: [day, dueAge],
  created: [moment, age],
  updated: [moment, age],
  closed: [moment, age],
  commented: [moment, age],
} as const

const compare: fc.Arbitrary<QueryCondition> = fc
  .constantFrom(...(Object.keys(valuesOf) as (keyof typeof valuesOf)[]))
  .chain((key) => {
    const [point, length] = valuesOf[key] as readonly [fc.Arbitrary<string>, fc.Arbitrary<string>?]
    const others = operators.filter((operator) => operator !== '=')
    return fc
      .oneof(
        fc.record({ operator: fc.constantFrom(...operators), value: point }),
        ...(length === undefined ? [] : [fc.record({ operator: fc.constantFrom(...others), value: length })]),
      )
      .map((rest) => ({ kind: 'compare' as const, key, ...rest }))
  })

const range: fc.Arbitrary<QueryCondition> = fc.constantFrom<QueryCondition>(
  { kind: 'range', key: 'priority', from: 'P1', to: 'P3' },
  { kind: 'range', key: 'due', from: '0d', to: '7d' },
  { kind: 'range', key: 'defer', from: '1d', to: '1mo' },
  { kind: 'range', key: 'due', from: '2026-04-04', to: '2026-04-05' },
  { kind: 'range', key: 'created', from: '2026-04-04', to: '2026-04-04' },
  { kind: 'range', key: 'updated', from: '1d', to: '1w' },
  { kind: 'range', key: 'closed', from: '1d', to: '1w' },
)

export const anyCondition: fc.Arbitrary<QueryCondition> = fc.oneof(
  name.map((each) => ({ kind: 'text' as const, text: each })),
  hex.map((prefix) => ({ kind: 'id' as const, prefix })),
  fc
    .constantFrom('open' as const, 'closed' as const, 'all' as const)
    .map((state) => ({ kind: 'state' as const, state })),
  name.map((label) => ({ kind: 'label' as const, label })),
  who.map((each) => ({ kind: 'assignee' as const, who: each })),
  fc
    .oneof(
      fc.constant({ is: 'me' as const }),
      hex.map((each) => ({ is: 'named' as const, name: each })),
    )
    .map((each) => ({ kind: 'author' as const, who: each })),
  fc.record({
    kind: fc.constant('field' as const),
    key: fc.constantFrom('type' as const, 'status' as const, 'milestone' as const, 'parent' as const),
    value: name,
  }),
  compare,
  range,
  fc.constantFrom(...hasWords).map((what) => ({ kind: 'has' as const, what })),
  fc
    .constantFrom('overdue' as const, 'claimed' as const, 'ready' as const, 'blocked' as const)
    .map((kind) => ({ kind })),
)

export const anyTerm: fc.Arbitrary<QueryTerm> = fc.letrec<{ term: QueryTerm }>((tie) => {
  const some = fc.array(tie('term'), { minLength: 1, maxLength: 3 })
  return {
    term: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      anyCondition,
      some.map((terms) => allOf(terms) as QueryTerm),
      some.map((terms) => anyOf(terms) as QueryTerm),
      tie('term').map(not),
    ),
  }
}).term

export const anyQuery: fc.Arbitrary<Query> = fc
  .record({
    filter: fc.option(anyTerm),
    sort: fc.option(
      fc.record({
        key: fc.constantFrom(...querySortKeys),
        direction: fc.constantFrom('asc' as const, 'desc' as const),
      }),
    ),
    limit: fc.option(fc.nat()),
  })
  .map(plain)

/** Objects of `fc.record` have no prototype; those of the parser do. */
function plain<Value>(value: Value): Value {
  return structuredClone(value)
}

/** An issue row with values that the conditions above use. */
export const anyRow: fc.Arbitrary<QueryRow> = fc
  .record({
    issue_id: fc.constantFrom('5a'.repeat(16), '0'.repeat(32)) as fc.Arbitrary<IssueId>,
    title: name,
    state: fc.constantFrom('open' as const, 'closed' as const),
    words: fc.uniqueArray(name, { maxLength: 3 }),
    assignees: fc.uniqueArray(name, { maxLength: 2 }),
    created_ts: fc.integer({ min: nowUnixMs - 9 * dayMs, max: nowUnixMs + dayMs }),
    updated_ts: fc.integer({ min: nowUnixMs - 9 * dayMs, max: nowUnixMs + dayMs }),
    comment_count: fc.nat({ max: 2 }),
    fields: fc.record(
      {
        priority: fc.oneof(priority, fc.constant('high')),
        type: name,
        status: name,
        due: fc.oneof(day, fc.constant('soon')),
        defer: fc.oneof(day, fc.constant('soon')),
        milestone: name,
        parent: name,
      },
      { requiredKeys: [] },
    ),
    author: fc.constantFrom('5a'.repeat(16), '0'.repeat(32)) as fc.Arbitrary<ActorId>,
  })
  .map(({ words, ...row }) => ({
    ...row,
    labels: [...words, ...Object.entries(row.fields).map(([key, value]) => `${key}:${value}`)],
  }))

/** A default issue with some changes. */
export function makeRow(changes: Partial<QueryRow> = {}): QueryRow {
  return {
    issue_id: '5a'.repeat(16) as IssueId,
    title: 'Crash on first start',
    state: 'open',
    labels: [],
    assignees: [],
    created_ts: nowUnixMs - 10 * dayMs,
    updated_ts: nowUnixMs - 2 * dayMs,
    comment_count: 0,
    fields: {},
    author: '7f'.repeat(16),
    ...changes,
  }
}
