import type { ActorId } from '../../../src/model/index.ts'
import type { StreamRecord } from '../../../src/model/streams/index.ts'
import type { DecodedRecord } from '../../../src/tracker/streams/record-batches.ts'

/** The id with a byte repeated. */
export const actorIdOf = (hex: string): ActorId => hex.repeat(16) as ActorId

/** A record that was read at an offset; what is not given is absent. */
export function decodedRecord(offset: number, given: Partial<StreamRecord>): DecodedRecord {
  const record: StreamRecord = {
    tsUnixMs: 1_700_000_000_000,
    writer: null,
    key: null,
    contentType: null,
    headers: [],
    producer: null,
    payload: new Uint8Array(0),
    ...given,
  }
  return { read: { offset, bytes: new Uint8Array(0), origin: null, record: () => record }, record }
}
