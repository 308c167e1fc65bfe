/** Tests whether an issue matches a query. */

import { isOverdue } from '../due.ts'
import type { IssueStateWord } from '../event-kinds.ts'
import { type Fields, parseScopedLabel } from '../fields.ts'
import type { ActorId, IssueId } from '../ids.ts'
import { dayOf, parseAge, parseDay, parseTimeSpan } from '../moment.ts'
import {
  conditionsOf,
  type HasWord,
  type Operator,
  type OrderedKey,
  type QueryCondition,
  type QueryTerm,
} from './query.ts'

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
  /** Issues that `grite ready` lists. Needed when a query asks for that. */
  readonly ready: ReadonlySet<IssueId>
  /** Issues that `grite blocked` lists. Needed when a query asks for that. */
  readonly blocked: ReadonlySet<IssueId>
}

/** What a query tests besides the row. It is read only for issues whose rows leave the result open. */
export interface QueryDetail {
  /** The texts of `wantedTexts` that the body holds. */
  readonly inBody: ReadonlySet<string>
  /** When the issue was closed; null while it is open. */
  readonly closedTs: number | null
  /** Undefined when the comments were not read. */
  readonly comments?: CommentDetail
}

/** All visible comments of an issue. */
export interface CommentDetail {
  /** The texts of `wantedTexts` that they hold. */
  readonly texts: ReadonlySet<string>
  /** Time of the newest one; null without any. */
  readonly lastTs: number | null
}

/**
 * Tests one issue.
 *
 * @param detail - undefined when it was not read
 * @returns undefined when the result depends on something that was not read
 */
export type QueryTest = (row: QueryRow, detail: QueryDetail | undefined) => boolean | undefined

/** The texts that a query looks for, in lower case. */
export function wantedTexts(term: QueryTerm | null): readonly string[] {
  return [
    ...new Set([...conditionsOf(term)].flatMap((each) => (each.kind === 'text' ? [each.text.toLowerCase()] : []))),
  ]
}

/** The wanted texts that a text holds, ignoring case. */
export function textsIn(text: string, wanted: readonly string[]): string[] {
  if (wanted.length === 0) return []
  const lower = text.toLowerCase()
  return wanted.filter((each) => lower.includes(each))
}

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
      return (row, detail) => {
        const result = test(row, detail)
        return result === undefined ? undefined : !result
      }
    }
    default:
      return compileCondition(term, facts)
  }
}

/** One test that returns `decisive` decides; otherwise a test that depends on something unread leaves the result open. */
function decidedBy(tests: readonly QueryTest[], decisive: boolean): QueryTest {
  return (row, detail) => {
    let isOpen = false
    for (const test of tests) {
      const result = test(row, detail)
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
      return (row, detail) => {
        if (row.title.toLowerCase().includes(wanted)) return true
        if (detail === undefined) return undefined
        return detail.inBody.has(wanted) || (row.comment_count > 0 && detail.comments?.texts.has(wanted))
      }
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
    case 'ready':
    case 'blocked':
      return (row) => facts[condition.kind].has(row.issue_id)
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
  const placeAt = (ts: number | null | undefined) => (isAge && typeof ts === 'number' ? nowUnixMs - ts : ts)
  /** Undefined when it was not read, null when the issue has none. */
  const placeOf = (row: QueryRow, detail: QueryDetail | undefined): number | null | undefined => {
    switch (key) {
      case 'priority':
        return priorityRank(row.fields.priority) ?? null
      case 'due':
      case 'defer':
        return dayPlace(row.fields[key], isAge ? dayOf(nowUnixMs) : 0) ?? null
      case 'created':
        return placeAt(row.created_ts)
      case 'updated':
        return placeAt(row.updated_ts)
      case 'closed':
        return row.state === 'closed' ? placeAt(detail?.closedTs) : null
      case 'commented':
        return row.comment_count > 0 ? placeAt(detail?.comments?.lastTs) : null
    }
  }
  return (row, detail) => {
    const place = placeOf(row, detail)
    return place === undefined ? undefined : place !== null && test(place)
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
