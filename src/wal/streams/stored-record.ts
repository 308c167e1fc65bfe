import { decodeRecord, type Incarnation, type StreamId, type StreamRecord } from '../../model/streams/index.ts'
import type { Position, ReadRecord } from './record-streams.ts'

/** A stream as the origin of records. */
export interface OriginStream {
  readonly streamId: StreamId
  readonly incarnation: Incarnation
}

/** Stored records by their index: a segment, or an array of views. */
export interface RecordSource {
  at(index: number): Uint8Array | undefined
}

/** A record as read. A class that takes its bytes on demand, because a reader makes a million of them. */
export class StoredRecord implements ReadRecord {
  readonly offset: number
  readonly #source: RecordSource
  readonly #index: number
  readonly #origin: OriginStream | null
  readonly #originOffset: number

  /**
   * @param index - of the record in its source
   * @param origin - null for a record of the stream that is read
   * @param originOffset - offset in the origin
   */
  constructor(offset: number, source: RecordSource, index: number, origin: OriginStream | null, originOffset: number) {
    this.offset = offset
    this.#source = source
    this.#index = index
    this.#origin = origin
    this.#originOffset = originOffset
  }

  get bytes(): Uint8Array {
    return this.#source.at(this.#index) as Uint8Array
  }

  get origin(): Position | null {
    if (this.#origin === null) return null
    const { streamId, incarnation } = this.#origin
    return { streamId, incarnation, offset: this.#originOffset }
  }

  /** The same record at another offset. */
  movedTo(offset: number, origin: OriginStream | null, originOffset: number): StoredRecord {
    return new StoredRecord(offset, this.#source, this.#index, origin, originOffset)
  }

  record(): StreamRecord {
    return decodeRecord(this.bytes)
  }
}
