/** What an import is asked for, and what it answers. */
export interface ImportData {
  readonly format: 'beads' | 'grite'
  readonly dry_run: boolean
  readonly created: number
  readonly updated: number
  readonly unchanged: number
  /** Lines or events left out, by reason. */
  readonly skipped: Readonly<Record<string, number>>
  readonly duplicate: number
  readonly superseded: number
  /** What could not be read: lines of a tracker, events of an export. */
  readonly malformed: number
  /** Of a tracker: what became of its memories, which are entries `memory.<key>` of the context store. */
  readonly memories?: Readonly<Record<'added' | 'unchanged' | 'superseded', number>>
  /** Issues of earlier imports whose edges lead to issues that this file has brought. */
  readonly connected?: number
  /** Edges that the log holds as text, because their other end is not here. */
  readonly waiting_edge_count?: number
  /** The first 10,000 of them. */
  readonly waiting_edges?: readonly WaitingEdgeData[]
  readonly event_count: number
  readonly commit_count: number
  /** The first 10,000 of what is malformed. */
  readonly errors: readonly { readonly line: number; readonly message: string }[]
  readonly wal_head: string | null
}

export interface WaitingEdgeData {
  readonly issue_id: string
  readonly original_id: string
  /** Original id of the other end. */
  readonly depends_on: string
  /** The word of the tracker. */
  readonly type: string
  /** The first two may change: `unknown` (not here), `tombstone`, `self`, `foreign` (of another issue), `too-long`. */
  readonly reason: string
}

export interface ImportRequest {
  readonly file: string
  readonly format: string | undefined
  readonly dryRun: boolean
  readonly includeTombstones: boolean
}
