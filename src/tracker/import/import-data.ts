/** Options and result of an import. */
import type { FetchedJson } from '../streams/reach-remote.ts'

export interface ImportData {
  readonly format: 'beads' | 'grite' | 'bundle'
  readonly dry_run: boolean
  readonly created: number
  readonly updated: number
  readonly unchanged: number
  /** Number of skipped lines or events, by reason. */
  readonly skipped: Readonly<Record<string, number>>
  readonly duplicate: number
  readonly superseded: number
  /** Number of malformed lines of a tracker or events of an export. */
  readonly malformed: number
  /** For a tracker: its memories by outcome; they become entries `memory.<key>` of the context store. */
  readonly memories?: Readonly<Record<'added' | 'unchanged' | 'superseded', number>>
  /** Issues of earlier imports with edges to issues of this file. */
  readonly connected?: number
  /** Edges kept as text in the log, because their target is not in the log yet. */
  readonly waiting_edge_count?: number
  /** At most 10,000 of these edges. */
  readonly waiting_edges?: readonly WaitingEdgeData[]
  /** Of a bundle: its record streams. */
  readonly streams?: readonly FetchedJson[]
  readonly event_count: number
  readonly commit_count: number
  /** At most 10,000 errors. */
  readonly errors: readonly { readonly line: number; readonly message: string }[]
  readonly wal_head: string | null
}

export interface WaitingEdgeData {
  readonly issue_id: string
  readonly original_id: string
  /** Original id of the target. */
  readonly depends_on: string
  /** Edge type in the words of the tracker. */
  readonly type: string
  /** `unknown` (not here), `tombstone`, `self`, `foreign` (of another issue), `too-long`. The first two are not final. */
  readonly reason: string
}

export interface ImportRequest {
  readonly file: string
  readonly format: string | undefined
  readonly dryRun: boolean
  readonly includeTombstones: boolean
}
