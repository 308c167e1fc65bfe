/**
 * Makes the commits that seal records. The same manifest and records give the same bytes in every process: no clock, no
 * fact of a machine.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import {
  appendSubtrees,
  encodeSegment,
  LeafList,
  type Manifest,
  nextOffsetOf,
  PeakList,
  type ProducerState,
  producerOf,
  recordTime,
  requestProducerPrefix,
  sha256,
  streamLimits,
} from '../../model/streams/index.ts'
import type { SegmentTools } from './open-segment.ts'
import type { StreamCommit } from './stream-codec.ts'

/** An atomic batch of stored records. */
export interface SealedBatch {
  readonly firstOffset: number
  readonly records: readonly Uint8Array[]
}

/**
 * Cuts batches into the records of one segment each: a segment ends with the batch that reaches a limit, and batches
 * are never split.
 */
export function* cutSegments(batches: Iterable<SealedBatch>): Generator<readonly Uint8Array[]> {
  let records: Uint8Array[] = []
  let bytes = 0
  for (const batch of batches) {
    for (const record of batch.records) {
      records.push(record)
      bytes += record.length
    }
    if (bytes < streamLimits.segmentBytesMax && records.length < streamLimits.segmentRecordsMax) continue
    yield records
    records = []
    bytes = 0
  }
  if (records.length > 0) yield records
}

/** Records hashed before other work gets a turn: about a millisecond. */
const recordsOfTurn = 512
/** Smaller segments are stored as they are: a frame of zstd would save nothing. */
const compressedBytesMin = 512

/** The commit that seals records on top of another commit of the stream. Lets other work go on meanwhile. */
export async function sealRecords(
  tools: SegmentTools,
  previous: Manifest,
  records: readonly Uint8Array[],
): Promise<StreamCommit> {
  const steps = sealInSteps(tools, previous, records)
  for (let step = steps.next(); ; step = steps.next()) {
    if (step.done === true) return step.value
    await nextTurn()
  }
}

/** Like `sealRecords`; yields where other work can go on, after a few milliseconds at most. */
export function* sealInSteps(
  tools: SegmentTools,
  previous: Manifest,
  records: readonly Uint8Array[],
): Generator<undefined, StreamCommit> {
  const leaves = new LeafList(records.length)
  const producers = new ProducerWindow(previous.producers)
  const firstOffset = nextOffsetOf(previous)
  for (const [index, record] of records.entries()) {
    leaves.addRecord(record)
    const producer = producerOf(record)
    if (producer !== null) producers.note({ ...producer, offset: firstOffset + index })
    if (index % recordsOfTurn === recordsOfTurn - 1) yield
  }
  const subtrees = leaves.subtrees(previous.entries)
  const peaks = PeakList.of(previous.entries, previous.peaks)
  appendSubtrees(peaks, previous.entries, records.length, subtrees)
  const { raw, index } = encodeSegment(records)
  yield
  const compressed = raw.length < compressedBytesMin ? raw : tools.zstd.compress(raw)
  yield
  const isSmaller = compressed.length < raw.length
  const stored = isSmaller ? compressed : raw
  const row = {
    codec: isSmaller ? ('zstd' as const) : ('plain' as const),
    rawSize: raw.length,
    storedSize: stored.length,
    crc32c: tools.crc32c(stored),
    sha256: sha256(raw),
    subtrees,
  }
  const manifest: Manifest = {
    ...previous,
    commitCount: previous.commitCount + 1,
    firstOffset,
    count: records.length,
    content: { kind: 'segment', row },
    producers: producers.list(),
    entries: peaks.entries,
    peaks: peaks.peaks,
    act: null,
  }
  return { manifest, segment: { stored, index }, tsUnixMs: recordTime(records.at(-1) as Uint8Array, 0) }
}

/** The latest producers, by their newest record; at most a part of them stands for a request each. */
export class ProducerWindow {
  readonly #latest = new Map<string, ProducerState>()
  /** Those that stand for a request, in the same order. */
  readonly #requests = new Set<string>()

  /** @param producers - by ascending offset */
  constructor(producers: Iterable<ProducerState>) {
    for (const producer of producers) this.note(producer)
  }

  find(id: string): ProducerState | undefined {
    return this.#latest.get(id)
  }

  note(producer: ProducerState): void {
    const { id } = producer
    this.#forget(id)
    this.#latest.set(id, producer)
    if (id.startsWith(requestProducerPrefix)) {
      this.#requests.add(id)
      if (this.#requests.size > streamLimits.requestProducersMax) this.#forget(firstOf(this.#requests))
    }
    if (this.#latest.size > streamLimits.producersMax) this.#forget(firstOf(this.#latest.keys()))
  }

  #forget(id: string): void {
    this.#latest.delete(id)
    this.#requests.delete(id)
  }

  list(): readonly ProducerState[] {
    return [...this.#latest.values()]
  }
}

function firstOf(ids: Iterable<string>): string {
  for (const id of ids) return id
  throw new RangeError('there is no id')
}
