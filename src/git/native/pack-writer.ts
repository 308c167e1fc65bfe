import { createHash } from 'node:crypto'
import { constants, deflateSync } from 'node:zlib'
import type { ObjectFormat, ObjectType, PendingObject } from '../port.ts'

const typeNumbers = { commit: 1, tree: 2, blob: 3, tag: 4 } as const satisfies Record<ObjectType, number>

/**
 * Builds a pack (gitformat-pack(5)) piece by piece: "PACK" ‖ u32 2 ‖ u32 count ‖ per object: type and size, deflated
 * content ‖ hash of all before. No deltas: grite's objects are small, or compress badly.
 */
export function* encodePack(format: ObjectFormat, objects: readonly PendingObject[]): Generator<Uint8Array> {
  const hash = createHash(format)
  const header = Buffer.alloc(12)
  header.write('PACK', 'latin1')
  header.writeUInt32BE(2, 4)
  header.writeUInt32BE(objects.length, 8)
  hash.update(header)
  yield header
  for (const { type, content, isStored } of objects) {
    const level = isStored === true ? constants.Z_NO_COMPRESSION : constants.Z_DEFAULT_COMPRESSION
    const deflated = deflateSync(content, { level })
    const piece = Buffer.concat([encodeEntryHeader(typeNumbers[type], content.byteLength), deflated])
    hash.update(piece)
    yield piece
  }
  yield hash.digest()
}

// Low four bits of the size beside the type, then seven per byte; the high bit marks a continuation.
function encodeEntryHeader(type: number, size: number): Buffer {
  const bytes: number[] = []
  let left = Math.floor(size / 16)
  let byte = (type << 4) | (size & 15)
  while (left > 0) {
    bytes.push(byte | 0x80)
    byte = left & 0x7f
    left = Math.floor(left / 128)
  }
  bytes.push(byte)
  return Buffer.from(bytes)
}
