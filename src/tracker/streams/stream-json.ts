/** The JSON form of streams. */
import type { LineageParent, RetentionPolicy } from '../../model/streams/index.ts'
import type { StreamSummary } from '../../wal/streams/index.ts'

export interface ParentJson {
  readonly stream: string
  readonly incarnation: string
  /** The last offset that is inherited, or up to which a merge went; null for none. */
  readonly fork_offset: number | null
  /** Root of the parent's commit that holds it. */
  readonly root: string
}

export interface StreamJson {
  readonly stream: string
  readonly incarnation: string
  readonly generation: number
  readonly kind: 'root' | 'branch' | 'merge'
  readonly state: 'live' | 'deleted' | 'continued'
  /** Whether this clone may append. */
  readonly owner: 'ours' | 'foreign'
  readonly epoch: number
  readonly created_ts: number
  /** Id of the actor that created it. */
  readonly actor: string | null
  readonly reason: string | null
  readonly labels: Readonly<Record<string, string>>
  readonly retention: RetentionJson | null
  readonly parents: readonly ParentJson[]
  /** Oldest readable offset: above 0 after retention. */
  readonly oldest_offset: number
  /** Offset of the next record. */
  readonly next_offset: number
  /** Offset after the newest record that is sealed in a commit; the ones from there on are in the journal. */
  readonly sealed_offset: number
  /** Newest commit. */
  readonly head: string
  /** Root of that commit. */
  readonly root: string
}

export interface RetentionJson {
  readonly max_age_ms: number | null
  readonly max_bytes: number | null
  readonly max_count: number | null
}

export function streamJson(summary: StreamSummary): StreamJson {
  const { streamId, metadata, epoch } = summary
  return {
    stream: streamId,
    incarnation: summary.incarnation,
    generation: summary.generation,
    kind: summary.kind,
    state: summary.state,
    owner: summary.owner,
    epoch: epoch.number,
    created_ts: metadata.createdTsUnixMs,
    actor: metadata.actor,
    reason: metadata.reason,
    labels: Object.fromEntries(metadata.labels),
    retention: metadata.retention === null ? null : retentionJson(metadata.retention),
    parents: summary.parents.map(parentJson),
    oldest_offset: summary.firstOffset,
    next_offset: summary.nextOffset,
    sealed_offset: summary.sealedOffset,
    head: summary.head,
    root: summary.root,
  }
}

function parentJson({ streamId, incarnation, offset, root }: LineageParent): ParentJson {
  return { stream: streamId, incarnation, fork_offset: forkOffset(offset), root }
}

/** @param bound - the number of records below it */
export const forkOffset = (bound: number): number | null => (bound === 0 ? null : bound - 1)

function retentionJson({ maxAgeMs, maxBytes, maxCount }: RetentionPolicy): RetentionJson {
  return { max_age_ms: maxAgeMs, max_bytes: maxBytes, max_count: maxCount }
}
