/** Segments of commits that git gave with all their files. */
import type { CommitEntry } from '../../git/index.ts'
import { decodeManifest, type Manifest, type SegmentRecords, StreamFormatError } from '../../model/streams/index.ts'
import { openSegment, type SegmentTools } from './open-segment.ts'
import { indexFile, manifestFile, segmentFiles } from './stream-codec.ts'

/** Null when it is missing or damaged: reading the commit alone says what is wrong. */
export function manifestOfEntry(entry: CommitEntry): Manifest | null {
  const bytes = entry.problem === null ? fileOf(entry, manifestFile) : null
  return bytes === null ? null : tryFormat(() => decodeManifest(bytes))
}

/** The checked records of a commit's segment; null when it has none, or they are damaged. */
export function segmentOfEntry(
  tools: SegmentTools,
  entry: CommitEntry,
  { content, count }: Manifest,
): SegmentRecords | null {
  if (content?.kind !== 'segment') return null
  const { row } = content
  const [stored, index] = [fileOf(entry, segmentFiles[row.codec]), fileOf(entry, indexFile)]
  if (stored === null || index === null) return null
  return tryFormat(() => openSegment(tools, { row, count, stored, index }))
}

function fileOf({ files }: CommitEntry, name: string): Uint8Array | null {
  for (const { path, content } of files) if (path === name) return content
  return null
}

function tryFormat<Result>(open: () => Result): Result | null {
  try {
    return open()
  } catch (error) {
    if (error instanceof StreamFormatError) return null
    throw error
  }
}
