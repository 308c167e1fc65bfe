/**
 * A query as data (docs/queries.md). It holds no time and no person: `<7d` and `me` get their meaning where the query
 * runs, so a saved query stays valid.
 */
import type { IssueStateWord } from '../event-kinds.ts'

export interface Query {
  /** Null: every issue. */
  readonly filter: QueryTerm | null
  readonly sort: QuerySort | null
  readonly limit: number | null
}

/** Built only by `allOf`, `anyOf` and `not`, so that each meaning has one form. */
export type QueryTerm =
  | { readonly kind: 'all'; readonly terms: readonly QueryTerm[] }
  | { readonly kind: 'any'; readonly terms: readonly QueryTerm[] }
  | { readonly kind: 'not'; readonly term: QueryTerm }
  | QueryCondition

export type QueryCondition =
  /** In title, body or a comment, ignoring case. */
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'id'; readonly prefix: string }
  | { readonly kind: 'state'; readonly state: IssueStateWord | 'all' }
  | { readonly kind: 'label'; readonly label: string }
  | { readonly kind: 'assignee'; readonly who: Who }
  /** A name is a prefix of an actor id; the caller replaces an actor's label by its id. */
  | { readonly kind: 'author'; readonly who: Who }
  /** The parent is named as people name issues; the caller replaces it by the full id. */
  | { readonly kind: 'field'; readonly key: 'type' | 'status' | 'milestone' | 'parent'; readonly value: string }
  | { readonly kind: 'compare'; readonly key: OrderedKey; readonly operator: Operator; readonly value: string }
  | { readonly kind: 'range'; readonly key: OrderedKey; readonly from: string; readonly to: string }
  | { readonly kind: 'has'; readonly what: HasWord }
  | { readonly kind: 'overdue' }
  /** The issue has a live claim or lock. */
  | { readonly kind: 'claimed' }
  /** `grite ready` lists the issue, or `grite blocked` does. */
  | { readonly kind: 'ready' | 'blocked' }

export type Who = { readonly is: 'me' } | { readonly is: 'named'; readonly name: string }

/** Keys that can be compared. */
const orderedKeys = ['priority', 'due', 'defer', 'created', 'updated', 'closed', 'commented'] as const
export type OrderedKey = (typeof orderedKeys)[number]

/** Longest first, because the parser tries them in this order. */
export const operators = ['<=', '>=', '<', '>', '='] as const
export type Operator = (typeof operators)[number]

export const hasWords = [
  'label',
  'assignee',
  'comments',
  'priority',
  'type',
  'status',
  'due',
  'defer',
  'milestone',
  'parent',
] as const
export type HasWord = (typeof hasWords)[number]

export const querySortKeys = [
  'created',
  'updated',
  'title',
  'priority',
  'due',
  'milestone',
  'status',
  'type',
  'comments',
] as const
export type QuerySortKey = (typeof querySortKeys)[number]

export interface QuerySort {
  readonly key: QuerySortKey
  readonly direction: 'asc' | 'desc'
}

/** A sort in its default direction: newest update and most comments first, everything else ascending. */
export function usualSort(key: QuerySortKey): QuerySort {
  return { key, direction: key === 'updated' || key === 'comments' ? 'desc' : 'asc' }
}

/** All of some terms; null for none. */
export function allOf(terms: readonly QueryTerm[]): QueryTerm | null {
  return join('all', terms)
}

/** Any of some terms; null for none. */
export function anyOf(terms: readonly QueryTerm[]): QueryTerm | null {
  return join('any', terms)
}

function join(kind: 'all' | 'any', terms: readonly QueryTerm[]): QueryTerm | null {
  const flat = terms.flatMap((term) => (term.kind === kind ? term.terms : [term]))
  return flat.length > 1 ? { kind, terms: flat } : (flat[0] ?? null)
}

export function not(term: QueryTerm): QueryTerm {
  return term.kind === 'not' ? term.term : { kind: 'not', term }
}

/** Matches both queries; the second one's sort and limit win. */
export function joinQueries(first: Query, second: Query): Query {
  return {
    filter: allOf([first.filter, second.filter].filter((filter) => filter !== null)),
    sort: second.sort ?? first.sort,
    limit: second.limit ?? first.limit,
  }
}

/** Every condition of a term, at any depth. */
export function* conditionsOf(term: QueryTerm | null): Generator<QueryCondition> {
  if (term === null) return
  if (term.kind === 'all' || term.kind === 'any') for (const each of term.terms) yield* conditionsOf(each)
  else if (term.kind === 'not') yield* conditionsOf(term.term)
  else yield term
}

/** Whether a condition says which states are wanted. */
export function decidesState(condition: QueryCondition): boolean {
  switch (condition.kind) {
    case 'state':
    case 'overdue':
    case 'ready':
    case 'blocked':
      return true
    case 'compare':
    case 'range':
      return condition.key === 'closed'
    default:
      return false
  }
}

/** The same term with each condition replaced. */
export function mapConditions(term: QueryTerm, change: (condition: QueryCondition) => QueryTerm): QueryTerm {
  if (term.kind === 'all' || term.kind === 'any') {
    return join(
      term.kind,
      term.terms.map((each) => mapConditions(each, change)),
    ) as QueryTerm
  }
  return term.kind === 'not' ? not(mapConditions(term.term, change)) : change(term)
}
