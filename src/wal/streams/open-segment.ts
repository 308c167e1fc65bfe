import { createHash } from 'node:crypto'
import {
  SegmentRecords,
  type SegmentRow,
  StreamFormatError,
  sameBytes,
  streamLimits,
} from '../../model/streams/index.ts'
import { type Crc32c, loadCrc } from './crc32c.ts'
import { loadZstd, type Zstd } from './zstd.ts'

/** Packages that segments need, loaded on first use: no other command waits for them. */
export interface SegmentTools {
  readonly crc32c: Crc32c
  readonly zstd: Zstd
}

export async function loadSegmentTools(): Promise<SegmentTools> {
  const [crc32c, zstd] = await Promise.all([loadCrc(), loadZstd()])
  return { crc32c, zstd }
}

export interface SegmentFiles {
  readonly row: SegmentRow
  /** Records that the manifest counts. */
  readonly count: number
  readonly stored: Uint8Array
  readonly index: Uint8Array
}

/**
 * The stored records of a segment, checked against its row.
 *
 * @returns records whose form is not checked
 * @throws {StreamFormatError} on a wrong size, checksum, digest or index
 */
export function openSegment(tools: SegmentTools, { row, count, stored, index }: SegmentFiles): SegmentRecords {
  if (stored.length !== row.storedSize)
    throw new StreamFormatError(`segment of ${stored.length} bytes, not ${row.storedSize}`)
  if (row.rawSize > streamLimits.rawSegmentBytesMax)
    throw new StreamFormatError(`segment of ${row.rawSize} bytes, more than ${streamLimits.rawSegmentBytesMax}`)
  if (tools.crc32c(stored) !== row.crc32c) throw new StreamFormatError('the CRC-32C of the segment differs')
  const raw = row.codec === 'plain' ? stored : decompress(tools, stored, row.rawSize)
  if (!sameBytes(createHash('sha256').update(raw).digest(), row.sha256))
    throw new StreamFormatError('the SHA-256 of the segment differs')
  const records = SegmentRecords.cut(raw, index)
  if (records.count !== count) throw new StreamFormatError(`segment of ${records.count} records, not ${count}`)
  return records
}

function decompress({ zstd }: SegmentTools, stored: Uint8Array, rawSize: number): Uint8Array {
  const raw = zstd.decompress(stored, rawSize)
  if (raw.length !== rawSize) throw new StreamFormatError(`segment of ${raw.length} bytes, not ${rawSize}`)
  return raw
}
