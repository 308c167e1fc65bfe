/** The rows of a merge, as JSON that a person or a program has written. */
import { InvalidArgsError, parseForeignJson, shape } from '../../model/index.ts'
import { isStreamId, type StreamId, streamLimits } from '../../model/streams/index.ts'
import type { CustomRange, CustomRow } from '../../wal/streams/index.ts'

export const rowsBytesMax = 4 * 1024 * 1024

const range = shape.table({
  stream: shape.text({ accepts: isStreamId, words: 'a stream id' }),
  from: shape.integer(),
  to: shape.integer(),
})
const row = shape.table({
  stream: shape.optional(shape.text({ accepts: isStreamId, words: 'a stream id' })),
  from: shape.optional(shape.integer()),
  to: shape.optional(shape.integer()),
  interleave: shape.optional(shape.list(range, { countMax: streamLimits.mergeSourcesMax })),
})
const rowsShape = shape.list(row, { countMax: streamLimits.rowsMax })

/** @throws {InvalidArgsError} naming the row that is wrong */
export function parseMergeRows(text: string): readonly CustomRow[] {
  const limits = { name: 'the file of rows', sizeMax: rowsBytesMax, depthMax: 5 }
  const { value, problem } = parseForeignJson(text, rowsShape, limits)
  if (value === null) throw new InvalidArgsError(problem.message, { details: { field: 'rows' } })
  return value.map(({ stream, from, to, interleave }, index) => {
    const isAlone = stream !== undefined && from !== undefined && to !== undefined && interleave === undefined
    if (isAlone) return rangeOf({ stream, from, to })
    if (interleave !== undefined && stream === undefined) return { interleave: interleave.map(rangeOf) }
    const message = `the file of rows has a row ${index + 1} that is neither {"stream", "from", "to"} nor {"interleave"}`
    throw new InvalidArgsError(message, { details: { field: 'rows', value: index } })
  })
}

/** Both offsets of the file are inclusive. */
function rangeOf(found: { readonly stream: string; readonly from: number; readonly to: number }): CustomRange {
  return { streamId: found.stream as StreamId, from: found.from, to: found.to + 1 }
}
