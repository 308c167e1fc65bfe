/** Reads or follows a stream for a reader that wants some of the records. */
import type { StreamId, StreamRecord } from '../../model/streams/index.ts'
import type { ReadRecord, RecordStreams, StreamDamage, StreamSummary } from '../../wal/streams/index.ts'
import type { RecordFilter } from './record-filter.ts'

export interface DecodedRecord {
  readonly read: ReadRecord
  readonly record: StreamRecord
}

export interface BatchRequest {
  readonly from: number
  /** Up to, not including, this offset; default the end. Only without `follows`. */
  readonly to?: number | undefined
  /** Whether to wait for new records at the end. */
  readonly follows: boolean
  readonly filter?: RecordFilter | undefined
  readonly countMax?: number | undefined
  readonly signal: AbortSignal
  readonly onDamage: (damage: StreamDamage) => void
}

/** Why reading ended. */
export type ReadEnd = 'count' | 'end' | 'interrupted'

/** What a reader of a stream has got, in its JSON form. */
export interface GivenRecords {
  readonly stream: string
  readonly incarnation: string
  readonly records: number
  readonly next_offset: number
  readonly ended: ReadEnd
}

/**
 * Gives batches to a reader until they end.
 *
 * @param give - returns how many records of the batch it took
 */
export async function giveRecords(
  streams: RecordStreams,
  { streamId, incarnation }: Pick<StreamSummary, 'streamId' | 'incarnation'>,
  request: BatchRequest,
  give: (batch: readonly DecodedRecord[]) => Promise<number>,
): Promise<GivenRecords> {
  let [records, nextOffset] = [0, request.from]
  const batches = recordBatches(streams, streamId, request)
  try {
    let step = await batches.next()
    for (; step.done !== true; step = await batches.next()) {
      const taken = await give(step.value)
      records += taken
      nextOffset = (step.value[taken - 1]?.read.offset ?? nextOffset - 1) + 1
    }
    return { stream: streamId, incarnation, records, next_offset: nextOffset, ended: step.value }
  } finally {
    await batches.return('interrupted')
  }
}

/** Yields batches that are not empty; ends without an error when the signal aborts. */
export async function* recordBatches(
  streams: RecordStreams,
  streamId: StreamId,
  { from, to, follows, filter, countMax = Number.POSITIVE_INFINITY, signal, onDamage }: BatchRequest,
): AsyncGenerator<readonly DecodedRecord[], ReadEnd, undefined> {
  if (countMax === 0) return 'count'
  const limitRecords = filter === undefined && countMax !== Number.POSITIVE_INFINITY ? countMax : undefined
  const batches = follows
    ? streams.follow(streamId, { from, signal, onDamage })
    : streams.read(streamId, { from, to, limitRecords, signal, includeTail: true, onDamage })
  let count = 0
  try {
    for await (const batch of batches) {
      const wanted = selectRecords(batch, filter, countMax - count)
      count += wanted.length
      if (wanted.length > 0) yield wanted
      if (count >= countMax) return 'count'
      if (signal.aborted) return 'interrupted'
    }
  } catch (error) {
    // Errors during shutdown are expected.
    if (!signal.aborted) throw error
  }
  return signal.aborted ? 'interrupted' : 'end'
}

function selectRecords(
  batch: readonly ReadRecord[],
  filter: RecordFilter | undefined,
  countMax: number,
): readonly DecodedRecord[] {
  const wanted: DecodedRecord[] = []
  for (const read of batch) {
    if (wanted.length >= countMax) break
    const record = read.record()
    if (filter === undefined || filter(record)) wanted.push({ read, record })
  }
  return wanted
}
