/** The records that only one of two streams holds, told apart by where they were appended. */
import type { StreamId } from '../../model/streams/index.ts'
import type { ReadRecord, RecordStreams, StreamDamage, StreamSummary } from '../../wal/streams/index.ts'
import type { Lineages } from './lineage.ts'
import { type PositionJson, type RecordJson, recordJson } from './record-json.ts'
import { forkOffset } from './stream-json.ts'

export interface SideJson {
  readonly stream: string
  readonly incarnation: string
  /** Records that the other stream does not hold. */
  readonly count: number
  /** The first of them. */
  readonly records: readonly RecordJson[]
}

export interface Comparison {
  /** The last position up to which both hold the same records by inheritance; null when there is none. */
  readonly common: PositionJson | null
  readonly left: SideJson
  readonly right: SideJson
}

export interface CompareOptions {
  /** Records of each side that are listed. */
  readonly limit: number
  readonly signal: AbortSignal
  readonly onDamage: (damage: StreamDamage) => void
}

export async function compareStreams(
  streams: RecordStreams,
  lineages: Lineages,
  [left, right]: readonly [StreamSummary, StreamSummary],
  options: CompareOptions,
): Promise<Comparison> {
  const shared = lineages.commonPrefix(left, right)
  const from = shared?.offset ?? 0
  const read = (stream: StreamSummary) => {
    const { signal, onDamage } = options
    return streams.read(stream.streamId, {
      from: Math.max(from, stream.firstOffset),
      signal,
      includeTail: true,
      onDamage,
    })
  }
  const originsOf = async (stream: StreamSummary): Promise<Origins> => {
    const origins = new Origins(stream)
    for await (const batch of read(stream)) for (const record of batch) origins.add(record)
    return origins
  }
  const [ofLeft, ofRight] = [await originsOf(left), await originsOf(right)]
  const sideOf = async (stream: StreamSummary, own: Origins, other: Origins): Promise<SideJson> => {
    const records: RecordJson[] = []
    let count = 0
    for await (const batch of read(stream)) {
      for (const record of batch) {
        if (other.has(own.originOf(record))) continue
        count++
        if (records.length < options.limit) records.push(recordJson(stream, { read: record, record: record.record() }))
      }
    }
    return { stream: stream.streamId, incarnation: stream.incarnation, count, records }
  }
  const last = shared === null ? null : forkOffset(shared.offset)
  return {
    common:
      shared === null || last === null
        ? null
        : { stream: shared.streamId, incarnation: shared.incarnation, offset: last },
    left: await sideOf(left, ofLeft, ofRight),
    right: await sideOf(right, ofRight, ofLeft),
  }
}

interface Origin {
  readonly key: string
  readonly offset: number
}

/** A set of positions as ranges: a stream holds long runs of the same origin. */
class Origins {
  readonly #stream: Pick<StreamSummary, 'streamId' | 'incarnation'>
  readonly #ranges = new Map<string, { from: number; to: number }[]>()

  constructor(stream: { readonly streamId: StreamId; readonly incarnation: StreamSummary['incarnation'] }) {
    this.#stream = stream
  }

  originOf({ origin, offset }: ReadRecord): Origin {
    const { streamId, incarnation } = origin ?? this.#stream
    return { key: `${incarnation} ${streamId}`, offset: origin?.offset ?? offset }
  }

  add(record: ReadRecord): void {
    const { key, offset } = this.originOf(record)
    const ranges = this.#ranges.get(key)
    const last = ranges?.at(-1)
    if (ranges === undefined) this.#ranges.set(key, [{ from: offset, to: offset + 1 }])
    else if (last !== undefined && last.to === offset) last.to++
    else ranges.push({ from: offset, to: offset + 1 })
  }

  has({ key, offset }: Origin): boolean {
    return this.#ranges.get(key)?.some(({ from, to }) => offset >= from && offset < to) === true
  }
}
