/** Segments: stored records one after the other, and the index of their lengths (docs/format.md#stream-commit). */
import { encodeCbor } from '../cbor.ts'
import { CborReader } from './cbor-reader.ts'
import { StreamFormatError } from './format-error.ts'

/** How a manifest describes the segment of its commit. */
export interface SegmentRow {
  /** `segment.cbor`, or `segment.cbor.zst`. */
  readonly codec: 'plain' | 'zstd'
  readonly rawSize: number
  readonly storedSize: number
  /** CRC-32C of the stored bytes. */
  readonly crc32c: number
  /** SHA-256 of the raw bytes. */
  readonly sha256: Uint8Array
  /** Roots of the maximal aligned subtrees of its records, from left to right. */
  readonly subtrees: readonly Uint8Array[]
}

/** @param records - stored records, by ascending offset */
export function encodeSegment(records: readonly Uint8Array[]): {
  readonly raw: Uint8Array
  readonly index: Uint8Array
} {
  let size = 0
  for (const record of records) size += record.length
  const raw = new Uint8Array(size)
  let end = 0
  for (const record of records) {
    raw.set(record, end)
    end += record.length
  }
  return { raw, index: encodeCbor(records.map((record) => record.length)) }
}

/**
 * The stored records of a segment, cut by its index. Makes no object per record, so that a reader of one record does not
 * pay for thousands.
 */
export class SegmentRecords {
  /** The records one after the other; views of it must not be changed. */
  readonly raw: Uint8Array
  readonly #ends: Uint32Array

  static readonly none = new SegmentRecords(new Uint8Array(0), new Uint32Array(0))

  private constructor(raw: Uint8Array, ends: Uint32Array) {
    this.raw = raw
    this.#ends = ends
  }

  /**
   * @param raw - whose form as records is not checked
   * @throws {StreamFormatError} on an index that is damaged or does not fit the segment
   */
  static cut(raw: Uint8Array, index: Uint8Array): SegmentRecords {
    const reader = new CborReader(index)
    const count = reader.count('lengths', raw.length)
    const ends = new Uint32Array(count)
    let end = 0
    for (let at = 0; at < count; at++) {
      const length = reader.unsigned('the length of a record')
      if (length === 0 || length > raw.length - end) reader.fail('the length of a record in the segment')
      end += length
      ends[at] = end
    }
    reader.end()
    if (end !== raw.length) throw new StreamFormatError(`the index ends at byte ${end} of a segment of ${raw.length}`)
    return new SegmentRecords(raw, ends)
  }

  get count(): number {
    return this.#ends.length
  }

  /** Byte position in `raw` of a record, or of the end for the count. */
  startOf(index: number): number {
    return index === 0 ? 0 : (this.#ends[index - 1] as number)
  }

  /** One record, as a view. */
  at(index: number): Uint8Array {
    return this.raw.subarray(this.startOf(index), this.startOf(index + 1))
  }

  /** All records, as views. */
  all(): readonly Uint8Array[] {
    return Array.from(this.#ends, (_end, index) => this.at(index))
  }
}
