/** Tests whether an issue matches a query. */

import { isOverdue } from '../due.ts'
import type { IssueStateWord } from '../event-kinds.ts'
import { type Fields, parseScopedLabel } from '../fields.ts'
import type { ActorId, IssueId } from '../ids.ts'
import { dayOf, parseAge, parseDay, parseTimeSpan } from '../moment.ts'
import type { HasWord, Operator, OrderedKey, QueryCondition, QueryTerm } from './query.ts'

/** The data that a query tests: an issue as lists show it. */
export interface QueryRow {
  readonly issue_id: IssueId
  readonly title: string
  readonly state: IssueStateWord
  readonly labels: readonly string[]
  readonly assignees: readonly string[]
  readonly created_ts: number
  readonly updated_ts: number
  readonly comment_count: number
  readonly fields: Fields
  /** Actor of the creation. */
  readonly author: string
}

/** The meaning of `me`, ages and claims where a query runs. */
export interface QueryFacts {
  readonly nowUnixMs: number
  /** Null before an actor exists: `me` then matches nothing. */
  readonly me: { readonly name: string; readonly actor: ActorId | null } | null
  /** Issues with a live claim or lock. Needed when a query asks for that. */
  readonly claimed: ReadonlySet<IssueId>
}

/**
 * Tests one issue.
 *
 * @param body - its text; undefined when it was not read
 * @returns undefined when the result depends on the text, which was not read
 */
export type QueryTest = (row: QueryRow, body: string | undefined) => boolean | undefined

/** Prepares a query for many issues. */
export function compileQuery(term: QueryTerm | null, facts: QueryFacts): QueryTest {
  return term === null ? () => true : compileTerm(term, facts)
}

function compileTerm(term: QueryTerm, facts: QueryFacts): QueryTest {
  switch (term.kind) {
    case 'all':
      return decidedBy(
        term.terms.map((each) => compileTerm(each, facts)),
        false,
      )
    case 'any':
      return decidedBy(
        term.terms.map((each) => compileTerm(each, facts)),
        true,
      )
    case 'not': {
      const test = compileTerm(term.term, facts)
      return (row, body) => {
        const result = test(row, body)
        return result === undefined ? undefined : !result
      }
    }
    default:
      return compileCondition(term, facts)
  }
}

/** One test that returns `decisive` decides; otherwise a test that depends on the text leaves the result open. */
function decidedBy(tests: readonly QueryTest[], decisive: boolean): QueryTest {
  return (row, body) => {
    let isOpen = false
    for (const test of tests) {
      const result = test(row, body)
      if (result === decisive) return decisive
      if (result === undefined) isOpen = true
    }
    return isOpen ? undefined : !decisive
  }
}

function compileCondition(condition: QueryCondition, facts: QueryFacts): QueryTest {
  switch (condition.kind) {
    case 'text': {
      const wanted = condition.text.toLowerCase()
      return (row, body) => row.title.toLowerCase().includes(wanted) || body?.toLowerCase().includes(wanted)
    }
    case 'id':
      return (row) => row.issue_id.startsWith(condition.prefix)
    case 'state':
      return (row) => condition.state === 'all' || row.state === condition.state
    case 'label':
      return (row) => row.labels.includes(condition.label)
    case 'assignee': {
      const name = condition.who.is === 'me' ? facts.me?.name : condition.who.name
      return (row) => name !== undefined && row.assignees.includes(name)
    }
    case 'author': {
      const prefix = condition.who.is === 'me' ? (facts.me?.actor ?? undefined) : condition.who.name
      return (row) => prefix !== undefined && row.author.startsWith(prefix)
    }
    case 'field':
      return (row) => row.fields[condition.key] === condition.value
    case 'compare': {
      const test = compare(condition.operator, boundOf(condition.value))
      return compileOrdered(condition.key, condition.value, facts, test)
    }
    case 'range': {
      const [from, to] = [boundOf(condition.from), boundOf(condition.to)]
      const test = (place: number) => place >= from.first && place <= to.last
      return compileOrdered(condition.key, condition.from, facts, test)
    }
    case 'has':
      return (row) => has(row, condition.what)
    case 'overdue':
      return (row) => isOverdue(row, facts.nowUnixMs)
    case 'claimed':
      return (row) => facts.claimed.has(row.issue_id)
  }
}

function has(row: QueryRow, what: HasWord): boolean {
  switch (what) {
    case 'label':
      return row.labels.some((label) => parseScopedLabel(label) === undefined)
    case 'assignee':
      return row.assignees.length > 0
    case 'comments':
      return row.comment_count > 0
    default:
      return row.fields[what] !== undefined
  }
}

interface Bound {
  readonly first: number
  readonly last: number
}

/** The range of a value on the axis where issues are compared: a day is an interval, other values are points. */
function boundOf(value: string): Bound {
  const point = parseAge(value) ?? (value.startsWith('P') ? Number(value.slice(1)) : undefined)
  if (point !== undefined) return { first: point, last: point }
  return parseTimeSpan(value) ?? { first: Number.NaN, last: Number.NaN }
}

function compare(operator: Operator, { first, last }: Bound): (place: number) => boolean {
  switch (operator) {
    case '<':
      return (place) => place < first
    case '<=':
      return (place) => place <= last
    case '>':
      return (place) => place > last
    case '>=':
      return (place) => place >= first
    case '=':
      return (place) => place >= first && place <= last
  }
}

/** An issue without the value, or with a foreign one, matches neither direction. */
function compileOrdered(
  key: OrderedKey,
  value: string,
  { nowUnixMs }: QueryFacts,
  test: (place: number) => boolean,
): QueryTest {
  const isAge = parseAge(value) !== undefined
  const placeOf = (row: QueryRow): number | undefined => {
    switch (key) {
      case 'priority':
        return priorityRank(row.fields.priority)
      case 'due':
      case 'defer':
        return dayPlace(row.fields[key], isAge ? dayOf(nowUnixMs) : 0)
      case 'created':
        return isAge ? nowUnixMs - row.created_ts : row.created_ts
      case 'updated':
        return isAge ? nowUnixMs - row.updated_ts : row.updated_ts
    }
  }
  return (row) => {
    const place = placeOf(row)
    return place !== undefined && test(place)
  }
}

function priorityRank(priority: string | undefined): number | undefined {
  const [, rank] = /^P([0-4])$/.exec(priority ?? '') ?? []
  return rank === undefined ? undefined : Number(rank)
}

const dayMs = 86_400_000

/** Milliseconds from the start of a day number to that of a day as text. */
function dayPlace(text: string | undefined, from: number): number | undefined {
  const day = parseDay(text ?? '')
  return day === undefined ? undefined : (day - from) * dayMs
}
