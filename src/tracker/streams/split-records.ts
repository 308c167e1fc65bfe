/** Cuts bytes into records at a delimiter. */
import { InvalidArgsError } from '../../model/index.ts'
import { streamLimits } from '../../model/streams/index.ts'

/**
 * Yields, for each chunk, the records that end in it, without their delimiters. The last record may lack one; an empty rest
 * is none. The records are views of the chunks where they can be.
 *
 * @throws {InvalidArgsError} when a record is longer than any record may be
 */
export class RecordSplitter {
  readonly #delimiter: Buffer
  #rest: Buffer = Buffer.alloc(0)
  #count = 0

  constructor(delimiter: Uint8Array) {
    this.#delimiter = Buffer.from(delimiter)
  }

  /** Number of the next record, from 1. */
  get nextNumber(): number {
    return this.#count + 1
  }

  push(chunk: Uint8Array): Uint8Array[] {
    const delimiter = this.#delimiter
    const fresh = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    // A delimiter of several bytes may begin in the rest.
    const searched = Math.max(0, this.#rest.length - delimiter.length + 1)
    const bytes = this.#rest.length === 0 ? fresh : Buffer.concat([this.#rest, fresh])
    const records: Uint8Array[] = []
    let start = 0
    const find = (from: number) =>
      delimiter.length === 1 ? bytes.indexOf(delimiter[0] as number, from) : bytes.indexOf(delimiter, from)
    for (let end = find(searched); end >= 0; end = find(start)) {
      records.push(bytes.subarray(start, end))
      start = end + delimiter.length
    }
    this.#count += records.length
    this.#rest = bytes.subarray(start)
    if (this.#rest.length > restBytesMax) {
      throw new InvalidArgsError(`record ${this.nextNumber} is longer than ${restBytesMax} bytes`, {
        details: { field: 'stdin', record: this.nextNumber, bytes_max: restBytesMax },
      })
    }
    return records
  }

  end(): Uint8Array[] {
    const rest = this.#rest
    this.#rest = Buffer.alloc(0)
    if (rest.length === 0) return []
    this.#count++
    return [rest]
  }
}

/** As NDJSON, a payload takes up to six times its length. */
const restBytesMax = 8 * streamLimits.recordBytesCeiling
