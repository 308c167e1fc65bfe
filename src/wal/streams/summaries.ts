import { formatHex } from '../../model/index.ts'
import { type CloneId, nextOffsetOf, rootOfManifest } from '../../model/streams/index.ts'
import type { StreamSummary } from './record-streams.ts'
import { type StreamHead, stateOf } from './stream-heads.ts'

export interface SummaryFacts {
  readonly cloneId: CloneId
  /** Offset after the journal; undefined without one. */
  readonly journalEnd: number | undefined
  readonly firstOffset: number
}

export function summaryOf({ ref, commit, manifest }: StreamHead, facts: SummaryFacts): StreamSummary {
  const { lineage, epoch } = manifest
  const { createdTs, ...metadata } = lineage.metadata
  const sealedOffset = nextOffsetOf(manifest)
  return {
    streamId: manifest.streamId,
    incarnation: manifest.incarnation,
    generation: manifest.generation,
    ref,
    head: commit,
    kind: lineage.kind,
    parents: lineage.parents,
    metadata: { createdTsUnixMs: createdTs, ...metadata },
    epoch,
    nextOffset: Math.max(sealedOffset, facts.journalEnd ?? 0),
    sealedOffset,
    firstOffset: facts.firstOffset,
    commitCount: manifest.commitCount,
    entries: manifest.entries,
    root: formatHex(rootOfManifest(manifest)),
    state: stateOf(manifest),
    owner: epoch.owner === facts.cloneId ? 'ours' : 'foreign',
  }
}
