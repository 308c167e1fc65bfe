import type { IssueStateWord } from '../event-kinds.ts'
import { formatScopedLabel, isFieldKey } from '../fields.ts'
import type { QueryFacts } from './evaluate.ts'
import type { QueryTerm } from './query.ts'

/** The part of a query that an index can answer; every matching issue passes it. */
export interface QueryNarrowing {
  readonly state?: IssueStateWord
  readonly labels: readonly string[]
  readonly assignee?: string
}

/** Extracts the required conditions that have an index. A field's value is a present label. */
export function narrowQuery(term: QueryTerm | null, facts: QueryFacts): QueryNarrowing {
  const narrowing: { state?: IssueStateWord; labels: string[]; assignee?: string } = { labels: [] }
  const must = term === null ? [] : term.kind === 'all' ? term.terms : [term]
  for (const each of must) {
    if (each.kind === 'state' && each.state !== 'all') narrowing.state ??= each.state
    if ((each.kind === 'compare' || each.kind === 'range') && each.key === 'closed') narrowing.state ??= 'closed'
    if (each.kind === 'ready' || each.kind === 'blocked' || each.kind === 'overdue') narrowing.state ??= 'open'
    if (each.kind === 'label') narrowing.labels.push(each.label)
    if (each.kind === 'field') narrowing.labels.push(formatScopedLabel(each.key, each.value))
    if (each.kind === 'compare' && each.operator === '=' && isFieldKey(each.key)) {
      narrowing.labels.push(formatScopedLabel(each.key, each.value))
    }
    if (each.kind === 'assignee') {
      const name = each.who.is === 'me' ? facts.me?.name : each.who.name
      if (name !== undefined) narrowing.assignee ??= name
    }
  }
  return narrowing
}
