/**
 * Loads the records of segments, a few ahead of their reader.
 *
 * Invariants
 * - Every segment is checked against its manifest, and the manifest against the span that led to it.
 * - An unreadable segment is reported with its object id and its offsets, and gives no records.
 * - Segments are loaded ahead, but their records are made in small batches: a batch that its reader is done with is then
 *   still young, and V8 frees it without growing the heap.
 */
import type { CommitEntry, GitPort, Oid } from '../../git/index.ts'
import { nextOffsetOf, type SegmentRecords, streamLimits } from '../../model/streams/index.ts'
import { type ManifestReader, UnreadableCommitError } from './commit-reader.ts'
import { isSameStream, type Span, type StreamIdentity } from './layout.ts'
import { loadSegmentTools, type SegmentTools } from './open-segment.ts'
import { manifestOfEntry, segmentOfEntry } from './segment-entry.ts'
import { StoredRecord } from './stored-record.ts'
import { isNoFacts } from './stream-codec.ts'

/** An unreadable part of a stream: from its offset `from` up to, not including, `to`. */
export interface UnreadPart {
  readonly objectId: Oid
  readonly reason: string
  readonly from: number
  readonly to: number
}

export type OnUnread = (part: UnreadPart) => void

/** Records of one segment to read. */
export interface SegmentPiece {
  readonly kind: 'segment'
  readonly span: Span
  /** In the owner's offsets. */
  readonly from: number
  readonly to: number
  /** Added to the owner's offsets, it gives those of the stream that is read. */
  readonly shift: number
}

/** Whose records have no other origin, and who receives what is unreadable. */
export interface LoadFor {
  readonly identity: StreamIdentity
  readonly onUnread: OnUnread
}

/** Segments loaded ahead of the reader. */
const prefetchMax = 2
/** Segments in a row from which on git reads them in one walk, and the most of one walk. */
const runMin = 24
const runMax = 8192
/** Larger segments are read one by one: the pipe from git costs more than finding their objects. */
export const walkedRecordsMax = 512
/** Records of a batch from many small segments. */
const batchRecords = 4096
/** Records of a batch from a large segment. */
const batchOfSegmentRecords = 256
/** Segments kept for readers that come back to them. Bytes. */
const keptBytesMax = 8 * 1024 * 1024

export class SegmentLoader {
  readonly #git: GitPort
  readonly #manifests: ManifestReader
  /** By commit, the latest last. */
  readonly #kept = new Map<Oid, SegmentRecords>()
  #keptBytes = 0

  constructor(git: GitPort, manifests: ManifestReader) {
    this.#git = git
    this.#manifests = manifests
  }

  /** Records of pieces by ascending offset, in batches. */
  async *load(pieces: readonly SegmentPiece[], reader: LoadFor): AsyncGenerator<readonly StoredRecord[]> {
    let single: SegmentPiece[] = []
    for (const run of runsOf(pieces)) {
      if (!isForWalk(run)) {
        single.push(...run)
        continue
      }
      yield* this.#loadAhead(single, reader)
      single = []
      yield* this.#walk(run, reader)
    }
    yield* this.#loadAhead(single, reader)
  }

  async *#loadAhead(pieces: readonly SegmentPiece[], reader: LoadFor): AsyncGenerator<readonly StoredRecord[]> {
    const loading: Promise<SegmentRecords>[] = []
    for (let at = 0; at < pieces.length; at++) {
      for (let ahead = at + loading.length; ahead < pieces.length && loading.length <= prefetchMax; ahead++) {
        const segment = this.#segmentOf(pieces[ahead] as SegmentPiece)
        segment.catch(() => {})
        loading.push(segment)
      }
      yield* this.#batchesOf(pieces[at] as SegmentPiece, loading.shift() as Promise<SegmentRecords>, reader)
    }
  }

  /** Many small segments that follow each other on one chain, in one walk of git. */
  async *#walk(run: readonly SegmentPiece[], reader: LoadFor): AsyncGenerator<readonly StoredRecord[]> {
    const tools = await loadSegmentTools()
    const [first, last] = [run[0] as SegmentPiece, run.at(-1) as SegmentPiece]
    const exclude = first.span.onlyParent === null ? [] : [first.span.onlyParent]
    const walk = this.#git.readHistory({
      head: last.span.commit,
      exclude,
      blobBytesMax: streamLimits.rawSegmentBytesMax,
      comesFirst: isNoFacts,
    })
    let at = 0
    for await (const entries of walk) {
      let batch: StoredRecord[] = []
      for (const entry of entries) {
        const piece = run[at]
        if (piece?.span.commit !== entry.oid) continue
        at++
        // An unusual commit is read alone, which says what is wrong.
        const records = openEntry(tools, entry, piece)
        if (records !== null) addRecords(batch, piece, records, reader)
        else for await (const found of this.#batchesOf(piece, this.#segmentOf(piece), reader)) batch.push(...found)
        if (batch.length >= batchRecords) {
          yield batch
          batch = []
        }
      }
      if (batch.length > 0) yield batch
    }
    yield* this.#loadAhead(run.slice(at), reader)
  }

  async *#batchesOf(
    piece: SegmentPiece,
    loading: Promise<SegmentRecords>,
    reader: LoadFor,
  ): AsyncGenerator<readonly StoredRecord[]> {
    const { from, to, shift } = piece
    let segment: SegmentRecords
    try {
      segment = await loading
    } catch (error) {
      if (!(error instanceof UnreadableCommitError)) throw error
      reader.onUnread({ objectId: error.objectId, reason: error.message, from: from + shift, to: to + shift })
      return
    }
    for (let start = from; start < to; start += batchOfSegmentRecords) {
      const records: StoredRecord[] = []
      addRecords(records, { ...piece, from: start, to: Math.min(start + batchOfSegmentRecords, to) }, segment, reader)
      yield records
    }
  }

  async #segmentOf({ span }: SegmentPiece): Promise<SegmentRecords> {
    const found = await this.#manifests.read(span.commit)
    const { manifest } = found
    const isExpected =
      isSameStream(manifest, span.owner) &&
      manifest.content?.kind === 'segment' &&
      manifest.firstOffset === span.firstOffset &&
      manifest.firstOffset + manifest.count >= span.to
    if (!isExpected) {
      const reason = `the message of commit ${span.commit} states other records than its manifest`
      throw new UnreadableCommitError(span.commit, reason)
    }
    const kept = this.#kept.get(span.commit)
    if (kept === undefined) return this.#keep(span.commit, await this.#manifests.readSegment(found))
    this.#kept.delete(span.commit)
    this.#kept.set(span.commit, kept)
    return kept
  }

  #keep(commit: Oid, records: SegmentRecords): SegmentRecords {
    if (this.#kept.has(commit)) return records
    this.#kept.set(commit, records)
    this.#keptBytes += records.raw.length
    for (const [oldest, { raw }] of this.#kept) {
      if (this.#keptBytes <= keptBytesMax) break
      this.#kept.delete(oldest)
      this.#keptBytes -= raw.length
    }
    return records
  }
}

/** Pieces that follow each other on one chain. */
function* runsOf(pieces: readonly SegmentPiece[]): Generator<readonly SegmentPiece[]> {
  let run: SegmentPiece[] = []
  for (const piece of pieces) {
    if (run.length > 0 && (run.length >= runMax || !follows(run.at(-1) as SegmentPiece, piece))) {
      yield run
      run = []
    }
    run.push(piece)
  }
  if (run.length > 0) yield run
}

function follows(before: SegmentPiece, piece: SegmentPiece): boolean {
  return piece.span.onlyParent === before.span.commit && piece.shift === before.shift
}

function isForWalk(run: readonly SegmentPiece[]): boolean {
  if (run.length < runMin) return false
  const records = (run.at(-1) as SegmentPiece).to - (run[0] as SegmentPiece).from
  return records <= run.length * walkedRecordsMax
}

function addRecords(
  target: StoredRecord[],
  { span, from, to, shift }: SegmentPiece,
  records: SegmentRecords,
  { identity }: LoadFor,
): void {
  const { owner, firstOffset } = span
  const origin = shift === 0 && isSameStream(owner, identity) ? null : owner
  for (let offset = from; offset < to; offset++)
    target.push(new StoredRecord(offset + shift, records, offset - firstOffset, origin, offset))
}

/** The records of a plain segment commit that fits its span; null for any other. */
function openEntry(tools: SegmentTools, entry: CommitEntry, { span }: SegmentPiece): SegmentRecords | null {
  const manifest = manifestOfEntry(entry)
  if (manifest === null || !isSameStream(manifest, span.owner)) return null
  const fits = manifest.firstOffset === span.firstOffset && nextOffsetOf(manifest) >= span.to
  return fits ? segmentOfEntry(tools, entry, manifest) : null
}
