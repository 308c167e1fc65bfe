/** Chunks of very many small events, created about as fast as they are hashed. */
import { blake2b256, encodeRecord, type IssueId } from '../../src/model/index.ts'
import { creation, makeEvent } from '../support/log.ts'

const preimageHead = Uint8Array.of(0x87, 0x01)
/** Bytes of a record before its issue id: array head, and the event id with its own head. */
const sharedStart = 35

/** Records of one issue: its creation, then label changes a millisecond apart. */
export function manyRecords(issue: IssueId, count: number): Uint8Array[] {
  const start = 1_700_000_000_000
  const records = [encodeRecord(creation(issue, 'busy'))]
  const model = encodeRecord(makeEvent(issue, { type: 'LabelAdded', label: 'x' }, { ts: start }))
  const tsAt = Buffer.from(model).indexOf(Buffer.from([0x1b, 0, 0, 1]), 60) + 1
  for (let index = 1; index < count; index++) {
    const record = Buffer.from(model)
    record.writeBigUInt64BE(BigInt(start + 86_400_000 + index), tsAt)
    record.set(blake2b256(preimageHead, record.subarray(sharedStart, record.length - 1)), 3)
    records.push(record)
  }
  return records
}
