/** Finds the stream that a person or program named. */
import { InvalidArgsError, makeVisible, NotFoundError, nearWords } from '../../model/index.ts'
import { isStreamId, parseStreamId, type StreamId } from '../../model/streams/index.ts'
import type { RecordStreams, StreamSummary } from '../../wal/streams/index.ts'

/** A stream up to an offset. */
export interface StreamTarget {
  readonly streamId: StreamId
  /** Inclusive; null for all records. */
  readonly offset: number | null
}

/**
 * Parses `<id>` or `<id>@<offset>`. An id may contain `@`: the text after the last one counts only when it is a number and
 * no stream has the whole text as its id.
 *
 * @throws {InvalidArgsError} naming the rule that the id breaks
 */
export async function parseTarget(streams: RecordStreams, text: string): Promise<StreamTarget> {
  const [, id = '', digits = ''] = /^(.+)@(\d+)$/s.exec(text) ?? []
  if (id === '' || (isStreamId(text) && (await exists(streams, text)))) {
    return { streamId: parseStreamId(text), offset: null }
  }
  const offset = Number(digits)
  if (!Number.isSafeInteger(offset)) {
    throw new InvalidArgsError(`the offset after @ must be a whole number below 2^53, got '${digits}'`, {
      details: { field: 'offset', value: digits },
    })
  }
  return { streamId: parseStreamId(id), offset }
}

async function exists(streams: RecordStreams, streamId: StreamId): Promise<boolean> {
  try {
    await streams.status(streamId)
    return true
  } catch (error) {
    if (error instanceof NotFoundError) return false
    throw error
  }
}

/** Adds ids that resemble the named one to the error of an unknown stream. */
export async function withNearIds<Result>(
  streams: RecordStreams,
  streamId: StreamId,
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    throw await explainUnknown(streams, streamId, error)
  }
}

/** The error itself, unless it says that the stream is unknown. */
export async function explainUnknown(streams: RecordStreams, streamId: StreamId, error: unknown): Promise<unknown> {
  if (!(error instanceof NotFoundError)) return error
  const known: readonly StreamSummary[] = await streams.list().catch(() => [])
  if (known.some((each) => each.streamId === streamId)) return error
  const near = nearWords(
    streamId,
    known.map((each) => each.streamId),
  )
  return new NotFoundError(`no stream has the id '${makeVisible(streamId)}'`, {
    details: { field: 'stream', value: streamId, ...(near.length === 0 ? {} : { near }) },
    hints:
      near.length > 0
        ? near.map((id) => `Did you mean '${makeVisible(id)}'?`)
        : ['Run `grite stream list` to see the streams, `grite stream create <id>` to create one'],
    cause: error,
  })
}
