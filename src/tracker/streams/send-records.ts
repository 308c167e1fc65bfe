/**
 * Sends records to a stream in atomic appends, in order, one append at a time: while one is flushed, the next is gathered.
 *
 * Invariants
 * - After a failed append nothing more is sent, so that no record is missing before one that is there.
 * - With a producer, a record whose sequence was appended before is not sent again, and counts as repeated.
 */
import { ConflictError, InvalidArgsError } from '../../model/index.ts'
import { checkRecord, type StreamId, streamLimits } from '../../model/streams/index.ts'
import type { AppendedRecords, LocalDurability, RecordDraft, RecordStreams } from '../../wal/streams/index.ts'

/** What was acknowledged. */
export interface SentRecords {
  readonly records: number
  readonly repeated: number
  readonly firstOffset: number | null
  readonly nextOffset: number | null
  readonly last: AppendedRecords | null
}

/** Bytes of payloads in one append; far below the limit, so that a flush is never long. */
const appendBytes = 1024 * 1024

export class RecordSender {
  readonly #streams: RecordStreams
  readonly #streamId: StreamId
  readonly #durability: LocalDurability
  readonly #onAppended: (records: number) => void
  #waiting: RecordDraft[] = []
  #waitingBytes = 0
  #underWay: Promise<void> | undefined
  #failure: { readonly error: unknown } | undefined
  #records = 0
  #repeated = 0
  /** Number of the next record that is sent, from 0. */
  #taken = 0
  /** The last sequence of each producer that is in the stream or on the way. */
  readonly #lastSequences = new Map<string, number>()
  #first: number | null = null
  #last: AppendedRecords | null = null

  constructor(
    streams: RecordStreams,
    streamId: StreamId,
    options: { readonly durability: LocalDurability; readonly onAppended: (records: number) => void },
  ) {
    this.#streams = streams
    this.#streamId = streamId
    this.#durability = options.durability
    this.#onAppended = options.onAppended
  }

  get sent(): SentRecords {
    return {
      records: this.#records,
      repeated: this.#repeated,
      firstOffset: this.#first,
      nextOffset: this.#last?.nextOffset ?? null,
      last: this.#last,
    }
  }

  /** Takes records, and waits while more than one append is waiting. @throws the error of an earlier append */
  async push(drafts: Iterable<RecordDraft>): Promise<void> {
    for (const draft of drafts) {
      if (this.#isRepeated(draft)) {
        this.#repeated++
        continue
      }
      const isFull =
        this.#waiting.length >= streamLimits.appendRecordsMax ||
        (this.#waiting.length > 0 && this.#waitingBytes + draft.payload.length > appendBytes)
      if (isFull) {
        await this.#underWay
        this.#start()
      }
      this.#throwFailure()
      this.#waiting.push(draft)
      this.#waitingBytes += draft.payload.length
    }
    if (this.#underWay === undefined) this.#start()
  }

  /** Sends the rest. @throws the error of an append */
  async end(): Promise<void> {
    while (this.#underWay !== undefined || (this.#waiting.length > 0 && this.#failure === undefined)) {
      await this.#underWay
      this.#start()
    }
    this.#throwFailure()
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error
  }

  #start(): void {
    if (this.#underWay !== undefined || this.#waiting.length === 0 || this.#failure !== undefined) return
    const batch = this.#waiting
    this.#waiting = []
    this.#waitingBytes = 0
    this.#underWay = this.#append(batch)
      .catch((error: unknown) => {
        this.#failure = { error }
      })
      .finally(() => {
        this.#underWay = undefined
        // What has gathered meanwhile.
        this.#start()
      })
  }

  #isRepeated({ producer }: RecordDraft): boolean {
    if (producer === null || producer === undefined) return false
    if (producer.sequence <= (this.#lastSequences.get(producer.id) ?? -1)) return true
    this.#lastSequences.set(producer.id, producer.sequence)
    return false
  }

  async #append(batch: readonly RecordDraft[]): Promise<void> {
    const begin = this.#taken
    try {
      this.#note(batch.length, await this.#streams.append(this.#streamId, batch, { durability: this.#durability }))
    } catch (error) {
      const fresh = this.#withoutRepeated(batch, error)
      if (fresh !== undefined && fresh.length < batch.length) {
        this.#repeated += batch.length - fresh.length
        this.#taken += batch.length - fresh.length
        if (fresh.length > 0) await this.#append(fresh)
        return
      }
      const wrong = error instanceof InvalidArgsError ? findWrong(batch) : undefined
      if (wrong === undefined) throw error
      const before = batch.slice(0, wrong.index)
      if (before.length > 0) await this.#append(before)
      const number = begin + wrong.index + 1
      throw new InvalidArgsError(`record ${number}: ${wrong.error.message}`, {
        details: { ...wrong.error.details, record: number },
        cause: wrong.error,
      })
    }
  }

  /** The records that their producer has not sent before, when that was the conflict. */
  #withoutRepeated(batch: readonly RecordDraft[], error: unknown): readonly RecordDraft[] | undefined {
    if (!(error instanceof ConflictError)) return undefined
    const { reason, producer: id, expected } = error.details
    if (reason !== 'sequence' || typeof id !== 'string' || typeof expected !== 'number') return undefined
    this.#lastSequences.set(id, Math.max(expected - 1, this.#lastSequences.get(id) ?? 0))
    return batch.filter(({ producer }) => producer?.id !== id || producer.sequence >= expected)
  }

  #note(count: number, appended: AppendedRecords): void {
    this.#taken += count
    this.#last = appended
    if (appended.repeated) {
      this.#repeated += count
      return
    }
    this.#records += count
    this.#first ??= appended.offset
    this.#onAppended(this.#records)
  }
}

function findWrong(
  batch: readonly RecordDraft[],
): { readonly index: number; readonly error: InvalidArgsError } | undefined {
  for (const [index, draft] of batch.entries()) {
    try {
      checkRecord({
        tsUnixMs: 0,
        writer: null,
        key: draft.key ?? null,
        contentType: draft.contentType ?? null,
        headers: draft.headers ?? [],
        producer: draft.producer ?? null,
        payload: draft.payload,
      })
    } catch (error) {
      if (error instanceof InvalidArgsError) return { index, error }
      throw error
    }
  }
  return undefined
}
