/** Commits of record streams as the engine's codec (docs/format.md#stream-commit). */
import type { CommitEntry, CommitFile, Oid, RefName, TreeFiles } from '../../git/index.ts'
import {
  commitMessage,
  decodeManifest,
  encodeManifest,
  type Manifest,
  nameOfAct,
  nextOffsetOf,
  rootOfManifest,
  StreamFormatError,
  streamLimits,
} from '../../model/streams/index.ts'
import { problemsOfEntry, whyUnread } from '../entry-problems.ts'
import type { Segment, SegmentCodec, SegmentCommit, StreamProblem } from '../segment-codec.ts'
import type { Stream } from '../stream.ts'
import { openSegment, type SegmentTools } from './open-segment.ts'
import { StoredRecord } from './stored-record.ts'

export const manifestFile = 'manifest.cbor'
export const indexFile = 'index.cbor'
export const segmentFiles = { plain: 'segment.cbor', zstd: 'segment.cbor.zst' } as const
const factsFile = 'meta.json'
/** Facts are for people, and come last where not all files fit. */
export const isNoFacts = (path: string): boolean => path !== factsFile

/** One commit to write. */
export interface StreamCommit {
  readonly manifest: Manifest
  /** Set exactly when the manifest has a segment. An id is a blob that the repository has. */
  readonly segment: { readonly stored: Uint8Array | Oid; readonly index: Uint8Array | Oid } | null
  /** Time of the last record; without one, of the act. */
  readonly tsUnixMs: number
}

/** One commit, read. Adopted records are not among its items: they are in other commits. */
export interface SealedSegment extends Segment<StoredRecord> {
  /** Null when it is damaged. */
  readonly manifest: Manifest | null
}

export type SegmentStream = Stream<StreamCommit, StoredRecord, SealedSegment>

/**
 * The stream of a ref, for the parts of the engine that all tenants share.
 *
 * @param tools - loaded packages
 */
export function segmentStream(ref: RefName, title: string, tools: SegmentTools): SegmentStream {
  return { ref, title, codec: segmentCodec(tools), divergence: { kind: 'refuse' }, keepsReflog: true }
}

/** The author and committer of every stream commit. */
const identity = { name: 'grite', email: 'grit@local' }

function segmentCodec(tools: SegmentTools): SegmentCodec<StreamCommit, StoredRecord, SealedSegment> {
  const decode = (entry: CommitEntry) => decodeEntry(entry, tools)
  return {
    markFile: manifestFile,
    fileBytesMax: streamLimits.rawSegmentBytesMax,
    comesFirst: isNoFacts,
    encode: encodeStreamCommit,
    decode,
    decodePair: () => null,
    // biome-ignore lint/correctness/useYield: a segment is decoded in one step, within a few milliseconds
    *decodeInSteps(entry) {
      return decode(entry)
    },
  }
}

/** The files and the message of a commit. */
function encodeStreamCommit({ manifest, segment, tsUnixMs }: StreamCommit): SegmentCommit {
  const files: Map<string, Uint8Array | Oid> = new Map()
  files.set(manifestFile, encodeManifest(manifest))
  files.set(factsFile, formatFacts(manifest))
  if (segment !== null && manifest.content?.kind === 'segment') {
    files.set(segmentFiles[manifest.content.row.codec], segment.stored)
    files.set(indexFile, segment.index)
  }
  return {
    files: files as TreeFiles,
    storedPaths: new Set([segmentFiles.zstd]),
    message: messageOf(manifest),
    identity,
    date: { unixSeconds: Math.floor(tsUnixMs / 1000), offsetMinutes: 0 },
  }
}

/** Whether the commit begins a stream: its parents in git are not of its chain. */
export function beginsStream({ commitCount, generation, act }: Manifest): boolean {
  return commitCount === 1 && (generation === 0 || act?.name !== 'carry')
}

function messageOf(manifest: Manifest): string {
  const { streamId, generation, act, lineage, firstOffset, count } = manifest
  return commitMessage({
    ...{ streamId, generation, firstOffset, count },
    act: act === null ? null : nameOfAct(act),
    parents: beginsStream(manifest) ? lineage.parents : [],
    root: rootOfManifest(manifest),
  })
}

/** For people only: readers take the manifest. */
function formatFacts(manifest: Manifest): Uint8Array {
  const { streamId, incarnation, generation, epoch, lineage, firstOffset, count, act } = manifest
  const facts = {
    stream: streamId,
    incarnation,
    generation,
    epoch: epoch.number,
    kind: lineage.kind,
    act: act === null ? null : nameOfAct(act),
    first_offset: firstOffset,
    count,
    next_offset: nextOffsetOf(manifest),
    root: Buffer.from(rootOfManifest(manifest)).toString('hex'),
  }
  return new TextEncoder().encode(`${JSON.stringify(facts, null, 2)}\n`)
}

function decodeEntry(entry: CommitEntry, tools: SegmentTools): SealedSegment {
  const problems = problemsOfEntry(entry)
  const shared = { commit: entry.oid, severity: 'damaged' } as const
  const fail = (objectId: Oid, reason: string): void => {
    problems.push({ ...shared, objectId, reason })
  }
  const files = new Map(entry.files.map((file) => [file.path, file]))
  const take = (path: string): Uint8Array | null => contentOf(entry.oid, path, files.get(path), problems)
  let manifest: Manifest | null = null
  let items: readonly StoredRecord[] = []
  const bytes = take(manifestFile)
  try {
    if (bytes !== null) manifest = decodeManifest(bytes)
    if (manifest?.content?.kind === 'segment') {
      const { row } = manifest.content
      const [stored, index] = [take(segmentFiles[row.codec]), take(indexFile)]
      if (stored !== null && index !== null) {
        const records = openSegment(tools, { row, count: manifest.count, stored, index })
        const { firstOffset } = manifest
        items = Array.from(
          { length: records.count },
          (_, at) => new StoredRecord(firstOffset + at, records, at, null, 0),
        )
      }
    }
  } catch (error) {
    if (!(error instanceof StreamFormatError)) throw error
    const path = manifest?.content?.kind === 'segment' ? segmentFiles[manifest.content.row.codec] : manifestFile
    fail(files.get(path)?.oid ?? entry.oid, `${path}: ${error.message}`)
  }
  return { commit: entry.oid, parents: entry.parents, items, problems, manifest }
}

function contentOf(
  commit: Oid,
  path: string,
  file: CommitFile | undefined,
  problems: StreamProblem[],
): Uint8Array | null {
  if (file === undefined) {
    problems.push({ commit, objectId: commit, severity: 'damaged', reason: `${path} is not in the commit` })
    return null
  }
  if (file.content === null) {
    const reason = `${path} is ${file.problem}`
    problems.push({ commit, objectId: file.oid, severity: 'damaged', reason, ...whyUnread(commit, file) })
  }
  return file.content
}
