/** Records and chunks with one fault each. */
import { blake2b256, type IssueId, parseHex } from '../../src/model/index.ts'

const cbor = {
  bytes: (hex: string) => Buffer.concat([head(2, hex.length / 2), Buffer.from(hex, 'hex')]),
  text: (text: string) => Buffer.concat([head(3, Buffer.byteLength(text)), Buffer.from(text)]),
  number: (value: number) => head(0, value),
  array: (items: readonly Uint8Array[]) => Buffer.concat([head(4, items.length), ...items]),
  none: Buffer.from([0xf6]),
}

function head(major: number, argument: number): Buffer {
  if (argument < 24) return Buffer.from([(major << 5) | argument])
  if (argument < 0x100) return Buffer.from([(major << 5) | 24, argument])
  if (argument < 0x1_0000) return Buffer.from([(major << 5) | 25, argument >> 8, argument & 255])
  const bytes = Buffer.alloc(9)
  bytes[0] = (major << 5) | 27
  bytes.writeBigUInt64BE(BigInt(argument), 1)
  return bytes
}

/** Makes a record with a correct id, and an unknown kind or a payload of the wrong length. */
export function strangeRecord(
  issue: IssueId,
  tag: number,
  payload: readonly string[] = ['from the future'],
  { actor = '0c'.repeat(16), tsUnixMs = 1_700_000_000_123 } = {},
): Uint8Array {
  const shared = [
    cbor.bytes(issue),
    cbor.bytes(actor),
    cbor.number(tsUnixMs),
    cbor.none,
    cbor.number(tag),
    cbor.array(payload.map(cbor.text)),
  ]
  const eventId = Buffer.from(blake2b256(cbor.array([cbor.number(1), ...shared]))).toString('hex')
  return cbor.array([cbor.bytes(eventId), ...shared, cbor.none])
}

/** Returns the id that a record claims. */
export const statedId = (record: Uint8Array): string => Buffer.from(record.subarray(3, 35)).toString('hex')

/** Returns a copy of the record with a wrong id. */
export function withWrongId(record: Uint8Array): Uint8Array {
  const changed = Uint8Array.from(record)
  changed.set(parseHex('ab'.repeat(32)) as Uint8Array, 3)
  return changed
}
