/** Converts grite's answers to the form printed by the Rust tool (fixtures/repos/README.md). */
import type { IssueRow } from '../../src/view/index.ts'

/** An event of a JSON export. */
export interface Kinded {
  readonly event_id: string
  readonly kind: Readonly<Record<string, Readonly<Record<string, unknown>>>>
}

/** An issue as the Rust tool lists it. */
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

/** An event as the Rust tool exports it: without signatures and symbols. */
export function asReferenceEvent({ kind, ...event }: Kinded): unknown {
  const { sig: _sig, ...rest } = event as typeof event & { sig?: string }
  const { symbols: _symbols, ...context } = kind.ContextUpdated ?? {}
  return { ...rest, kind: kind.ContextUpdated === undefined ? kind : { ContextUpdated: context } }
}
