/**
 * Reads a long chain of small segments from its beginning, in one walk of git that gives commits and contents together:
 * to find the commits first would take as long again.
 *
 * Invariant: gives only what follows without a gap in one plain chain of checked segments. At anything else it ends, and
 * its caller goes on from there with a reader that can say what is wrong.
 */
import type { CommitEntry, GitPort, Oid } from '../../git/index.ts'
import { type Manifest, nextOffsetOf, streamLimits } from '../../model/streams/index.ts'
import type { ReadManifest } from './commit-reader.ts'
import { isSameStream } from './layout.ts'
import type { SegmentTools } from './open-segment.ts'
import { manifestOfEntry, segmentOfEntry } from './segment-entry.ts'
import { walkedRecordsMax } from './segment-loader.ts'
import { StoredRecord } from './stored-record.ts'
import { isNoFacts } from './stream-codec.ts'

/** Shorter chains are found at once. */
const commitsMin = 64
interface Range {
  readonly from: number
  readonly to: number
}

/** Whether most of a long chain of small segments is asked for, from a stream that inherits nothing. */
export function isForChain({ manifest, parents }: ReadManifest, { from, to }: Range): boolean {
  const { commitCount, lineage, generation } = manifest
  const end = nextOffsetOf(manifest)
  const isWhole = from === 0 && to > end / 2
  const isSmall = end <= commitCount * walkedRecordsMax
  return (
    isWhole &&
    isSmall &&
    commitCount >= commitsMin &&
    lineage.kind === 'root' &&
    generation === 0 &&
    parents.length === 1
  )
}

/** @returns the offset up to which records were given */
export async function* readChain(
  { git, tools }: { readonly git: GitPort; readonly tools: SegmentTools },
  { commit: head, manifest }: ReadManifest,
  to: number,
): AsyncGenerator<readonly StoredRecord[], number, undefined> {
  const walk = git.readHistory({ head, blobBytesMax: streamLimits.rawSegmentBytesMax, comesFirst: isNoFacts })
  let before: { readonly commit: Oid; readonly manifest: Manifest } | null = null
  let next = 0
  for await (const entries of walk) {
    const batch: StoredRecord[] = []
    let isOver = false
    for (const entry of entries) {
      const found = manifestOfEntry(entry)
      isOver = found === null || !isSameStream(found, manifest) || !follows(entry, found, before)
      if (found === null || isOver) break
      const records = segmentOfEntry(tools, entry, found)
      isOver = records === null && found.content !== null
      if (isOver) break
      const end = Math.min(nextOffsetOf(found), to)
      if (records !== null)
        for (let offset = next; offset < end; offset++)
          batch.push(new StoredRecord(offset, records, offset - next, null, offset))
      before = { commit: entry.oid, manifest: found }
      next = Math.max(next, end)
    }
    if (batch.length > 0) yield batch
    if (isOver || next >= to) break
  }
  return next
}

function follows(
  { parents }: CommitEntry,
  { commitCount, firstOffset }: Manifest,
  before: { readonly commit: Oid; readonly manifest: Manifest } | null,
): boolean {
  if (before === null) return parents.length === 0 && commitCount === 1 && firstOffset === 0
  const isNext = commitCount === before.manifest.commitCount + 1 && firstOffset === nextOffsetOf(before.manifest)
  return parents.length === 1 && parents[0] === before.commit && isNext
}
