/** Rows that the caller of a merge gives, for `custom:<name>`. */
import type { Oid } from '../../../git/index.ts'
import { InvalidArgsError } from '../../../model/index.ts'
import { type AdoptedRow, interleavedRow, type StreamId, shownStreamId } from '../../../model/streams/index.ts'
import type { ActPlace } from './act-place.ts'
import { readTimes } from './merge-rows.ts'

export interface CustomRange {
  readonly streamId: StreamId
  /** The records from this offset up to, not including, `to`. */
  readonly from: number
  readonly to: number
}

/** One range, or several by the time of their records. */
export type CustomRow = CustomRange | { readonly interleave: readonly CustomRange[] }

interface RowSource {
  readonly streamId: StreamId
  readonly commit: Oid
  readonly offset: number
}

/**
 * @param firstSource - index of the first source among the parents of the merge
 * @throws {InvalidArgsError} naming the row that does not fit
 */
export async function customRows(
  { reader }: Pick<ActPlace, 'reader'>,
  rows: readonly CustomRow[],
  sources: readonly RowSource[],
  firstSource: number,
): Promise<readonly AdoptedRow[]> {
  const adopted: AdoptedRow[] = []
  for (const [index, row] of rows.entries()) {
    const ranges = 'interleave' in row ? row.interleave : [row]
    const refuse = (fault: string): never => {
      throw new InvalidArgsError(`row ${index + 1} ${fault}`, { details: { field: 'rows', value: index } })
    }
    if (ranges.length === 0) refuse('has no range')
    const open: { source: number; from: number; to: number; streamId: string; times: Float64Array }[] = []
    for (const { streamId, from, to } of ranges) {
      const at = sources.findIndex((source) => source.streamId === streamId)
      const source = sources[at]
      if (source === undefined) return refuse(`names '${shownStreamId(streamId)}', which is not a source`)
      if (!Number.isSafeInteger(from) || !Number.isSafeInteger(to) || from < 0 || to <= from)
        return refuse(`has the range ${from} to ${to}; it must begin at 0 or later and end after its begin`)
      if (to > source.offset)
        return refuse(`ends at ${to}, but '${shownStreamId(streamId)}' is merged up to ${source.offset}`)
      const oldest = await reader.oldestOffsetOf(source.commit)
      if (from < oldest) return refuse(`begins at ${from}, below the oldest record of the source, ${oldest}`)
      const isAlone = ranges.length === 1
      const times = isAlone ? new Float64Array() : await readTimes(reader, source.commit, from, to)
      const { manifest } = await reader.manifests.read(source.commit)
      if (open.some((other) => other.source === at + firstSource)) return refuse('names a source twice')
      open.push({ source: at + firstSource, from, to, streamId: manifest.streamId, times })
    }
    const made = interleavedRow(open)
    if (made !== undefined) adopted.push(made)
  }
  return adopted
}
