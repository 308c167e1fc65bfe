/** A request that is made again, because its answer was lost, and finds what it made the first time. */
import { ConflictError } from '../../model/index.ts'
import { requestProducerPrefix, type StreamId } from '../../model/streams/index.ts'
import type { RecordDraft, RecordStreams, StreamSummary } from '../../wal/streams/index.ts'
import type { Workspace } from '../workspace.ts'

/**
 * Makes a stream, or returns the one that this request has made before: it is empty but for what it inherits, and has the
 * facts that the request gives.
 *
 * @throws {ConflictError} when another stream has the id
 */
export async function makeOnce(
  repository: Workspace,
  streams: RecordStreams,
  streamId: StreamId,
  { make, isSame }: { make: () => Promise<StreamSummary>; isSame: (found: StreamSummary) => boolean },
): Promise<StreamSummary> {
  try {
    return await make()
  } catch (error) {
    if (!(error instanceof ConflictError) || repository.facts.mayBeRepeated?.() !== true) throw error
    const found = await streams.status(streamId)
    const isOwn = found.nextOffset === (found.kind === 'branch' ? found.parents[0]?.offset : 0)
    if (isOwn && isSame(found)) return found
    throw error
  }
}

/** What the metadata of a made stream must be. */
export interface MadeFacts {
  readonly actor: string
  readonly reason: string | null
  readonly labels: StreamSummary['metadata']['labels']
}

export function hasFacts({ metadata }: StreamSummary, { actor, reason, labels }: MadeFacts): boolean {
  const isSameLabels =
    metadata.labels.length === labels.length &&
    labels.every(([key, value], index) => metadata.labels[index]?.[0] === key && metadata.labels[index]?.[1] === value)
  return metadata.actor === actor && metadata.reason === reason && isSameLabels
}

/** The producer of a record without one: a request with a key appends it once. Null without a key. */
export function producerOfRequest(repository: Workspace): RecordDraft['producer'] {
  const key = repository.nextRequestKey()
  return key === null ? null : { id: `${requestProducerPrefix}${key}`, sequence: 0 }
}
