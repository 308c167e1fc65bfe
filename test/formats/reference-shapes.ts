/** Our answers in the shape in which the Rust tool printed them (fixtures/repos/README.md). */
import type { IssueRow } from '../../src/view/index.ts'

/** An event of a JSON export. */
export interface Kinded {
  readonly event_id: string
  readonly kind: Readonly<Record<string, Readonly<Record<string, unknown>>>>
}

/** What the Rust tool lists of an issue. */
export function asSummary({
  issue_id,
  title,
  state,
  labels,
  assignees,
  created_ts,
  updated_ts,
  comment_count,
}: IssueRow) {
  return { issue_id, title, state, labels, assignees, created_ts, updated_ts, comment_count }
}

/** An event as the Rust tool exports it: its export has neither signatures nor symbols. */
export function asReferenceEvent({ kind, ...event }: Kinded): unknown {
  const { sig: _sig, ...rest } = event as typeof event & { sig?: string }
  const { symbols: _symbols, ...context } = kind.ContextUpdated ?? {}
  return { ...rest, kind: kind.ContextUpdated === undefined ? kind : { ContextUpdated: context } }
}
