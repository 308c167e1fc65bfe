/** Rows that adopt records of other streams by reference (docs/format.md#adopted-rows). */
import { type CborValue, encodeCbor } from '../cbor.ts'
import type { CborReader } from './cbor-reader.ts'
import { streamLimits } from './stream-limits.ts'

/** The records of one parent commit from an offset up to, not including, another. */
export interface AdoptedRange {
  /** Index into the parents of the commit. */
  readonly source: number
  readonly from: number
  readonly to: number
}

export type AdoptedRow =
  | ({ readonly kind: 'range' } & AdoptedRange)
  | {
      readonly kind: 'interleave'
      readonly ranges: readonly AdoptedRange[]
      /** For each multiple of 4,096 records below the count: the next offset of each range. */
      readonly marks: readonly (readonly number[])[]
    }

export function rangesOfRow(row: AdoptedRow): readonly AdoptedRange[] {
  return row.kind === 'range' ? [row] : row.ranges
}

/** Number of records that a row adopts. */
export function countOfRow(row: AdoptedRow): number {
  return rangesOfRow(row).reduce((count, { from, to }) => count + to - from, 0)
}

export function rowValue(row: AdoptedRow): CborValue {
  if (row.kind === 'range') return [0, row.source, row.from, row.to]
  return [1, row.ranges.map(({ source, from, to }) => [source, from, to]), row.marks]
}

/** The bytes that the leaf of a row is made from. */
export function encodeRow(row: AdoptedRow): Uint8Array {
  return encodeCbor(rowValue(row))
}

export function readRow(reader: CborReader): AdoptedRow {
  const elements = reader.count('elements of a row', 4)
  if (elements === 0) reader.fail('a row')
  const kind = reader.unsigned('a kind of row')
  if (kind === 0 && elements === 4) return { kind: 'range', ...readRange(reader) }
  if (kind !== 1 || elements !== 3) reader.fail('a row of a known kind')
  const ranges = reader.list('ranges', streamLimits.mergeSourcesMax + 1, () => {
    reader.tuple(3, 'a range')
    return readRange(reader)
  })
  if (ranges.length === 0) reader.fail('a range')
  return { kind: 'interleave', ranges, marks: readMarks(reader, ranges) }
}

function readRange(reader: CborReader): AdoptedRange {
  const source = reader.unsigned('a source')
  if (source > streamLimits.mergeSourcesMax) reader.fail('a source among the parents')
  const from = reader.unsigned('the begin of a range')
  const to = reader.unsigned('the end of a range')
  if (to <= from) reader.fail('a range with a record')
  return { source, from, to }
}

function readMarks(reader: CborReader, ranges: readonly AdoptedRange[]): number[][] {
  const total = ranges.reduce((count, { from, to }) => count + to - from, 0)
  const markCount = Math.floor((total - 1) / streamLimits.interleaveMarkRecords)
  reader.tuple(markCount, 'marks')
  let previous = ranges.map(({ from }) => from)
  return Array.from({ length: markCount }, () => {
    reader.tuple(ranges.length, 'a mark')
    let passed = 0
    const mark = ranges.map(({ to }, index) => {
      const offset = reader.unsigned('an offset')
      const before = previous[index] as number
      if (offset < before || offset > to) reader.fail('a mark inside its range')
      passed += offset - before
      return offset
    })
    if (passed !== streamLimits.interleaveMarkRecords)
      reader.fail(`a mark after ${streamLimits.interleaveMarkRecords} records`)
    previous = mark
    return mark
  })
}
