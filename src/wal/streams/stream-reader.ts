/**
 * Reads sealed records as one commit gives them. Adopted rows lead to their sources; segments are loaded ahead of
 * the reader.
 *
 * Invariants
 * - Every segment is checked against its manifest, and the manifest against the span that led to it.
 * - An unreadable part is reported with its object id and its offsets, and skipped.
 * - Rows are resolved with a list of open tasks, not by recursion, whatever their depth.
 */
import type { GitPort, Oid } from '../../git/index.ts'
import { compareText } from '../../model/index.ts'
import {
  type AdoptedRange,
  type AdoptedRow,
  countOfRow,
  recordTime,
  StreamFormatError,
  streamLimits,
} from '../../model/streams/index.ts'
import type { ChainPlace } from './chain-cache.ts'
import { ManifestReader, UnreadableCommitError } from './commit-reader.ts'
import { isSameStream, Layout, type Span, type StreamIdentity } from './layout.ts'
import { loadSegmentTools } from './open-segment.ts'
import { isForChain, readChain } from './read-chain.ts'
import { type OnUnread, SegmentLoader, type SegmentPiece, type UnreadPart } from './segment-loader.ts'
import type { StoredRecord } from './stored-record.ts'

interface InterleavePiece {
  readonly kind: 'interleave'
  readonly row: Extract<AdoptedRow, { kind: 'interleave' }>
  readonly parents: readonly Oid[]
  /** Records of the row to skip, and to give. */
  readonly skip: number
  readonly count: number
  /** Offset of the first given record. */
  readonly firstOffset: number
  readonly depth: number
}

interface Task {
  readonly commit: Oid
  readonly from: number
  readonly to: number
  readonly shift: number
  readonly depth: number
}

/** Rows of rows of rows: deeper ones are damage, or an attack. */
const depthMax = 4096
/** Layouts of sources kept in memory, and the most spans of one that is kept. */
const keptLayoutsMax = 64
const keptSpansMax = 200_000
const keptOffsetsMax = 20_000
/** Segments that are found before the first of them is loaded. */
const segmentsMax = 8192

export class StreamReader {
  readonly #git: GitPort
  readonly manifests: ManifestReader
  readonly #segments: SegmentLoader
  readonly #chains: ChainPlace | null
  readonly #layouts = new Map<Oid, Layout>()
  /** What `oldestOffsetOf` found. */
  readonly #oldestOffsets = new Map<Oid, number>()

  /** @param chains - where caches of chains are; null for none */
  constructor(git: GitPort, chains: ChainPlace | null) {
    this.#git = git
    this.#chains = chains
    this.manifests = new ManifestReader(git)
    this.#segments = new SegmentLoader(git, this.manifests)
  }

  layoutOf(commit: Oid): Layout {
    const kept = this.#layouts.get(commit)
    this.#layouts.delete(commit)
    const layout =
      kept === undefined || kept.broken !== null ? new Layout(this.#git, this.manifests, commit, this.#chains) : kept
    this.#layouts.set(commit, layout)
    for (const [oid, { spanCount }] of this.#layouts) {
      if (this.#layouts.size > keptLayoutsMax || (spanCount > keptSpansMax && oid !== commit)) this.#layouts.delete(oid)
    }
    return layout
  }

  /**
   * The oldest offset that a commit's stream holds. Only retention, which begins a generation, removes the oldest records,
   * so a stream without one, and without a parent, is not walked; what a fork inherits is asked once for its parent.
   * Where a fork cannot be followed to its beginning, 0: a reader then says what is missing.
   *
   * @throws {UnreadableCommitError} when the commit is unreadable
   */
  async oldestOffsetOf(commit: Oid): Promise<number> {
    const passed: Oid[] = []
    for (let at = commit; ; ) {
      const kept = this.#oldestOffsets.get(at)
      const found = kept === undefined ? await this.#beginningOf(at, at === commit) : { oldest: kept }
      passed.push(at)
      if (found === null) return 0
      if ('oldest' in found) {
        if (this.layoutOf(at).broken === null) for (const oid of passed) this.#keepOldest(oid, found.oldest)
        return found.oldest
      }
      at = found.forkedFrom
    }
  }

  /** Null where the stream cannot be followed to its beginning. */
  async #beginningOf(
    commit: Oid,
    isRequired: boolean,
  ): Promise<{ readonly oldest: number } | { readonly forkedFrom: Oid } | null> {
    try {
      const { generation, lineage } = (await this.manifests.read(commit)).manifest
      if (generation > 0) return { oldest: await this.layoutOf(commit).oldestOffset() }
      if (lineage.kind !== 'branch') return { oldest: 0 }
      const forkedFrom = await this.layoutOf(commit).forkedFrom()
      return forkedFrom === null ? null : { forkedFrom }
    } catch (error) {
      if (isRequired || !(error instanceof UnreadableCommitError)) throw error
      return null
    }
  }

  #keepOldest(commit: Oid, offset: number): void {
    this.#oldestOffsets.set(commit, offset)
    if (this.#oldestOffsets.size > keptOffsetsMax)
      this.#oldestOffsets.delete(this.#oldestOffsets.keys().next().value as Oid)
  }

  /**
   * Records of one commit's stream from an offset up to, not including, another, in batches.
   *
   * @param identity - of the stream that is read; its records have no other origin
   */
  async *read(
    commit: Oid,
    identity: StreamIdentity,
    { from, to }: { readonly from: number; readonly to: number },
    onUnread: OnUnread,
  ): AsyncGenerator<readonly StoredRecord[]> {
    const start = yield* this.#readChain(commit, identity, { from, to })
    if (start < to) yield* this.#read({ commit, from: start, to, shift: 0, depth: 0 }, identity, onUnread)
  }

  /** @returns where to go on */
  async *#readChain(
    commit: Oid,
    identity: StreamIdentity,
    range: { readonly from: number; readonly to: number },
  ): AsyncGenerator<readonly StoredRecord[], number, undefined> {
    const head = await this.manifests.read(commit).catch(() => null)
    if (head === null || !isSameStream(head.manifest, identity) || !isForChain(head, range)) return range.from
    return yield* readChain({ git: this.#git, tools: await loadSegmentTools() }, head, range.to)
  }

  async *#read(task: Task, identity: StreamIdentity, onUnread: OnUnread): AsyncGenerator<readonly StoredRecord[]> {
    let segments: SegmentPiece[] = []
    for await (const piece of this.#pieces(task, onUnread)) {
      if (piece.kind === 'segment') {
        segments.push(piece)
        if (segments.length < segmentsMax) continue
      }
      yield* this.#segments.load(segments, { identity, onUnread })
      segments = []
      if (piece.kind === 'interleave') yield* this.#interleave(piece, identity, onUnread)
    }
    yield* this.#segments.load(segments, { identity, onUnread })
  }

  /** Parts to read, by ascending offset, found as the reader goes on. */
  async *#pieces(first: Task, onUnread: OnUnread): AsyncGenerator<SegmentPiece | InterleavePiece> {
    const open: (Task | SegmentPiece | InterleavePiece)[] = [first]
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      if ('kind' in next) {
        yield next
        continue
      }
      open.push(...(await this.#resolve(next, onUnread)).reverse())
    }
  }

  async #resolve(
    { commit, from, to, shift, depth }: Task,
    onUnread: OnUnread,
  ): Promise<(Task | SegmentPiece | InterleavePiece)[]> {
    const layout = this.layoutOf(commit)
    const spans = await layout.spansOf(from, to)
    const parts: (Task | SegmentPiece | InterleavePiece)[] = []
    let expected = from
    for (const span of spans) {
      if (span.firstOffset > expected) this.#reportGap(layout, expected, span.firstOffset, shift, onUnread)
      const piece = { from: Math.max(from, span.firstOffset), to: Math.min(to, span.to) }
      if (span.adopted === null) parts.push({ kind: 'segment', span, ...piece, shift })
      else if (depth >= depthMax) {
        const reason = `commit ${span.commit} adopts records through more than ${depthMax} others`
        onUnread({ objectId: span.commit, reason, from: piece.from + shift, to: piece.to + shift })
      } else parts.push(...partsOfRows(span, piece, shift, depth, onUnread))
      expected = piece.to
    }
    if (expected < to) this.#reportGap(layout, expected, to, shift, onUnread)
    return parts
  }

  #reportGap(layout: Layout, from: number, to: number, shift: number, onUnread: OnUnread): void {
    const { broken, head } = layout
    const objectId = broken?.objectId ?? head
    const reason = broken?.reason ?? `no commit below ${head} holds offsets ${from} to ${to - 1}`
    onUnread({ objectId, reason, from: from + shift, to: to + shift })
  }

  /**
   * Merges the ranges of a row: always the record with the smallest time, stream id and offset. Where a source is
   * unreadable, the places of the others are unknown up to the next mark.
   */
  async *#interleave(
    piece: InterleavePiece,
    identity: StreamIdentity,
    onUnread: OnUnread,
  ): AsyncGenerator<readonly StoredRecord[]> {
    const { row, skip, count, firstOffset } = piece
    const whole = row.ranges.map(({ to }) => to)
    const faults: UnreadPart[] = []
    let given = 0
    for await (const records of this.#mergeRanges(piece, { skip, count, ends: whole }, identity, faults)) {
      given += records.length
      yield records
    }
    const every = streamLimits.interleaveMarkRecords
    while (given < count) {
      const at = skip + given
      const mark = Math.floor(at / every)
      const end = Math.min((mark + 1) * every, skip + count)
      const part = { skip: at, count: end - at, ends: row.marks[mark] ?? whole }
      faults.length = 0
      for await (const records of this.#mergeRanges(piece, part, identity, faults)) {
        given += records.length
        yield records
      }
      const [fault] = faults
      const [from, to] = [firstOffset + given, firstOffset + end - skip]
      if (fault !== undefined && from < to) onUnread({ ...fault, from, to })
      given = end - skip
    }
  }

  /** @param faults - receives what is unreadable; then it ends, because the places of later records are unknown */
  async *#mergeRanges(
    { row, parents, skip: firstSkip, firstOffset, depth }: InterleavePiece,
    part: { readonly skip: number; readonly count: number; readonly ends: readonly number[] },
    identity: StreamIdentity,
    faults: UnreadPart[],
  ): AsyncGenerator<readonly StoredRecord[]> {
    const { skip, count, ends } = part
    const markAt = Math.floor(skip / streamLimits.interleaveMarkRecords)
    const mark = markAt === 0 ? row.ranges.map(({ from }) => from) : (row.marks[markAt - 1] as readonly number[])
    const onFault: OnUnread = (fault) => faults.push(fault)
    const sources: InterleavedSource[] = []
    for (const [index, range] of row.ranges.entries()) {
      const commit = parents[range.source]
      if (commit === undefined) continue
      const source = await this.#sourceOf(commit, onFault)
      if (source === null) continue
      const task = { commit, from: mark[index] as number, to: ends[index] as number, shift: 0, depth: depth + 1 }
      sources.push(new InterleavedSource(source, this.#read(task, source, onFault)))
    }
    let passed = markAt * streamLimits.interleaveMarkRecords
    let batch: StoredRecord[] = []
    for (const source of sources) await source.fill()
    for (let given = 0; given < count && faults.length === 0; ) {
      const source = smallest(sources)
      if (source === undefined) break
      const record = source.take() as StoredRecord
      if (passed++ >= skip) {
        const offset = firstOffset + skip - firstSkip + given
        batch.push(adopt(record, offset, source.identity, identity))
        given++
      }
      if (source.isEmpty) await source.fill()
      if (batch.length >= batchRecords) {
        yield batch
        batch = []
      }
    }
    if (batch.length > 0) yield batch
    for (const source of sources) await source.close()
  }

  async #sourceOf(commit: Oid, onUnread: OnUnread): Promise<StreamIdentity | null> {
    try {
      return (await this.manifests.read(commit)).manifest
    } catch (error) {
      if (!(error instanceof UnreadableCommitError)) throw error
      onUnread({ objectId: error.objectId, reason: error.message, from: 0, to: 0 })
      return null
    }
  }
}

/** Records of a merged batch. */
const batchRecords = 4096

function partsOfRows(
  { commit, firstOffset, adopted }: Span,
  { from, to }: { readonly from: number; readonly to: number },
  shift: number,
  depth: number,
  onUnread: OnUnread,
): (Task | InterleavePiece)[] {
  const parts: (Task | InterleavePiece)[] = []
  let start = firstOffset
  for (const row of adopted?.rows ?? []) {
    const end = start + countOfRow(row)
    const [low, high] = [Math.max(start, from), Math.min(end, to)]
    const parents = adopted?.parents ?? []
    const ranges: readonly AdoptedRange[] = row.kind === 'range' ? [row] : row.ranges
    if (low < high) {
      if (ranges.some(({ source }) => parents[source] === undefined)) {
        const reason = `commit ${commit} adopts records of a parent that it does not have`
        onUnread({ objectId: commit, reason, from: low + shift, to: high + shift })
      } else if (row.kind === 'range') {
        const delta = row.from - start
        parts.push({
          commit: parents[row.source] as Oid,
          ...{ from: low + delta, to: high + delta, shift: shift - delta, depth: depth + 1 },
        })
      } else {
        const firstGiven = low + shift
        parts.push({
          ...{ kind: 'interleave', row, parents, skip: low - start, count: high - low, firstOffset: firstGiven, depth },
        })
      }
    }
    start = end
  }
  return parts
}

function adopt(record: StoredRecord, offset: number, source: StreamIdentity, identity: StreamIdentity): StoredRecord {
  const { streamId, incarnation, offset: originOffset } = record.origin ?? { ...source, offset: record.offset }
  const isOwn = isSameStream({ streamId, incarnation }, identity) && originOffset === offset
  return record.movedTo(offset, isOwn ? null : { streamId, incarnation }, originOffset)
}

function tryOpen<Result>(open: () => Result): Result | null {
  try {
    return open()
  } catch (error) {
    if (error instanceof StreamFormatError) return null
    throw error
  }
}

/** One range of an interleaved row, with its next record in view. */
class InterleavedSource {
  readonly identity: StreamIdentity
  readonly #batches: AsyncGenerator<readonly StoredRecord[]>
  #batch: readonly StoredRecord[] = []
  #at = 0
  #time = 0

  constructor(identity: StreamIdentity, batches: AsyncGenerator<readonly StoredRecord[]>) {
    this.identity = identity
    this.#batches = batches
  }

  get isEmpty(): boolean {
    return this.#at >= this.#batch.length
  }

  async fill(): Promise<void> {
    while (this.isEmpty) {
      const step = await this.#batches.next()
      if (step.done === true) return
      this.#batch = step.value
      this.#at = 0
    }
    this.#look()
  }

  take(): StoredRecord | undefined {
    const record = this.#batch[this.#at++]
    if (!this.isEmpty) this.#look()
    return record
  }

  #look(): void {
    const { bytes } = this.#batch[this.#at] as StoredRecord
    // A hostile segment may hold anything; its records keep their order.
    this.#time = tryOpen(() => recordTime(bytes, 0)) ?? this.#time
  }

  isBefore(other: InterleavedSource): boolean {
    if (this.#time !== other.#time) return this.#time < other.#time
    const order = compareText(this.identity.streamId, other.identity.streamId)
    if (order !== 0) return order < 0
    return this.#next.offset < other.#next.offset
  }

  get #next(): StoredRecord {
    return this.#batch[this.#at] as StoredRecord
  }

  async close(): Promise<void> {
    await this.#batches.return(undefined)
  }
}

function smallest(sources: readonly InterleavedSource[]): InterleavedSource | undefined {
  let found: InterleavedSource | undefined
  for (const source of sources) if (!source.isEmpty && (found === undefined || source.isBefore(found))) found = source
  return found
}
