import type { ActorId } from '../../model/index.ts'
import { ConflictError, InvalidArgsError } from '../../model/index.ts'
import {
  checkRecord,
  decodeRecord,
  type FrameEncoder,
  type StreamRecord,
  shownStreamId,
  streamLimits,
} from '../../model/streams/index.ts'
import type { AppendPlanner, JournalBatch } from './journal/index.ts'
import type { AppendedRecords, AppendOptions, RecordDraft } from './record-streams.ts'
import { ProducerWindow } from './seal-records.ts'
import type { StreamHead } from './stream-heads.ts'

export interface AppendRequest {
  /** That `checkDrafts` accepts. */
  readonly drafts: readonly RecordDraft[]
  /** About as many as they will take. */
  readonly bytes: number
  readonly options: AppendOptions
}

/**
 * Checks that drafts fit the limits at any time.
 * @returns about as many bytes as their stored records
 * @throws {InvalidArgsError} naming the first limit that they exceed
 */
export function checkDrafts(drafts: readonly RecordDraft[], recordBytesMax?: number): number {
  if (drafts.length === 0) throw new InvalidArgsError('an append needs a record', { details: { field: 'records' } })
  if (drafts.length > streamLimits.appendRecordsMax) {
    const message = `${drafts.length} records in one append, more than ${streamLimits.appendRecordsMax}`
    throw new InvalidArgsError(message, { details: { field: 'records', value: drafts.length } })
  }
  let bytes = 0
  for (const draft of drafts) {
    checkRecord(recordOf(draft, Number.MAX_SAFE_INTEGER), recordBytesMax)
    bytes += sizeOfDraft(draft)
  }
  if (bytes > streamLimits.appendBytesMax) {
    const message = `records of ${bytes} bytes in one append, more than ${streamLimits.appendBytesMax}`
    throw new InvalidArgsError(message, { details: { field: 'records', value: bytes } })
  }
  return bytes
}

/** About as many bytes as the stored record. */
function sizeOfDraft({ payload, key, headers = [] }: RecordDraft): number {
  let bytes = payload.length + (key?.length ?? 0) + 64
  for (const [name, value] of headers) bytes += name.length + value.length
  return bytes
}

function recordOf(draft: RecordDraft, tsUnixMs: number): StreamRecord {
  return {
    tsUnixMs,
    writer: (draft.writer ?? null) as ActorId | null,
    key: draft.key ?? null,
    contentType: draft.contentType ?? null,
    headers: draft.headers ?? [],
    producer: draft.producer ?? null,
    payload: draft.payload,
  }
}

/** What appends are planned on: the newest time, and the sequences of producers. Records of one group have one time. */
export class RecordPlanner implements AppendPlanner<AppendRequest, AppendedRecords> {
  readonly #head: StreamHead
  readonly #nowUnixMs: () => number
  readonly #producers: ProducerWindow
  #tsUnixMs: number
  /** Time of the group that is planned. */
  #groupTsUnixMs: number
  /** The newest sequences in the group. */
  readonly #planned = new Map<string, PlannedProducer>()
  /** Every sequence in the group, in its order. */
  #sequences: PlannedSequence[] = []

  /** @param tsUnixMs - time of the newest record before the journal */
  constructor(head: StreamHead, nowUnixMs: () => number, tsUnixMs: number) {
    this.#head = head
    this.#nowUnixMs = nowUnixMs
    this.#tsUnixMs = tsUnixMs
    this.#groupTsUnixMs = tsUnixMs
    this.#producers = new ProducerWindow(head.manifest.producers)
  }

  /** Counts records that stand in the journal, of this process or another. */
  note({ firstOffset, records }: JournalBatch): void {
    for (const [index, bytes] of records.entries()) {
      const { tsUnixMs, producer } = decodeRecord(bytes)
      this.#tsUnixMs = Math.max(this.#tsUnixMs, tsUnixMs)
      if (producer !== null) this.#producers.note({ ...producer, offset: firstOffset + index })
    }
  }

  /** The newest record is of a merge, and not in the journal. */
  noteAdopted(tsUnixMs: number): void {
    this.#tsUnixMs = tsUnixMs
  }

  begin(): void {
    this.#groupTsUnixMs = Math.max(this.#nowUnixMs(), this.#tsUnixMs)
    this.#planned.clear()
    this.#sequences = []
  }

  plan({ drafts, options }: AppendRequest, firstOffset: number, group: FrameEncoder): AppendedRecords {
    options.signal?.throwIfAborted()
    const repeated = this.#findRepeated(drafts)
    const { durability: level, expectedOffset } = options
    if (repeated !== null) return this.#answer(repeated, drafts.length, level, true)
    if (expectedOffset !== undefined && expectedOffset !== firstOffset) {
      throw new ConflictError(`the next offset of stream '${this.#shown}' is ${firstOffset}, not ${expectedOffset}`, {
        details: { reason: 'offset', stream: this.#id, expected: expectedOffset, found: firstOffset },
        hints: [`Read from offset ${expectedOffset} on, and append again`],
      })
    }
    const sequences = this.#requireNewer(drafts, firstOffset)
    const tsUnixMs = this.#groupTsUnixMs
    group.addEncoded(
      firstOffset,
      drafts.map((draft) => recordOf(draft, tsUnixMs)),
    )
    if (sequences !== null) this.#plan(sequences, group.frameCount)
    return this.#answer(firstOffset, drafts.length, level, false)
  }

  #plan(sequences: ReadonlyMap<string, PlannedProducer>, frameCount: number): void {
    for (const [id, producer] of sequences) {
      this.#planned.set(id, producer)
      this.#sequences.push({ id, ...producer, frameCount })
    }
  }

  settle(frameCount: number): void {
    if (frameCount > 0) this.#tsUnixMs = this.#groupTsUnixMs
    for (const { id, sequence, offset, frameCount: needed } of this.#sequences)
      if (needed <= frameCount) this.#producers.note({ id, sequence, offset })
    this.#planned.clear()
    this.#sequences = []
  }

  get #id() {
    return this.#head.manifest.streamId
  }

  get #shown(): string {
    return shownStreamId(this.#id)
  }

  #answer(offset: number, count: number, level: AppendOptions['durability'], repeated: boolean): AppendedRecords {
    const { streamId, incarnation, epoch } = this.#head.manifest
    return { streamId, incarnation, epoch: epoch.number, offset, nextOffset: offset + count, level, repeated }
  }

  #lastOf(id: string): PlannedProducer | undefined {
    return this.#planned.get(id) ?? this.#producers.find(id)
  }

  /** The offset of an append that was made before: its last record has its producer's last sequence. */
  #findRepeated(drafts: readonly RecordDraft[]): number | null {
    const producer = drafts.at(-1)?.producer
    if (producer == null) return null
    const last = this.#lastOf(producer.id)
    if (last?.sequence !== producer.sequence) return null
    return last.offset - (drafts.length - 1)
  }

  /** The newest sequence of each producer; null without producers. */
  #requireNewer(drafts: readonly RecordDraft[], firstOffset: number): ReadonlyMap<string, PlannedProducer> | null {
    let found: Map<string, PlannedProducer> | null = null
    for (let index = 0; index < drafts.length; index++) {
      const producer = drafts[index]?.producer
      if (producer == null) continue
      found ??= new Map()
      const last = found.get(producer.id) ?? this.#lastOf(producer.id)
      if (last !== undefined && producer.sequence <= last.sequence) {
        const stated = `sequence ${producer.sequence} of producer '${shownStreamId(producer.id)}'`
        throw new ConflictError(`${stated} is not above ${last.sequence}, its last in stream '${this.#shown}'`, {
          details: {
            ...{ reason: 'sequence', stream: this.#id, producer: producer.id, expected: last.sequence + 1 },
            ...{ found: producer.sequence, offset: last.offset },
          },
          hints: [],
        })
      }
      found.set(producer.id, { sequence: producer.sequence, offset: firstOffset + index })
    }
    return found
  }
}

interface PlannedProducer {
  readonly sequence: number
  readonly offset: number
}

interface PlannedSequence extends PlannedProducer {
  readonly id: string
  /** The frames of the group up to its own. */
  readonly frameCount: number
}
