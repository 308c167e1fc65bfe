import { closeSync, openSync, readSync } from 'node:fs'
import { constants, inflateSync } from 'node:zlib'
import { findInPacks } from '../durable/pack-index.ts'
import { hashObject } from '../object-codec.ts'
import type { GitObject, ObjectType, Oid, RepositoryLayout } from '../port.ts'

/** Types of whole objects, by the number in the pack (gitformat-pack(5)); the others are deltas. */
const types: Readonly<Record<number, ObjectType>> = { 1: 'commit', 2: 'tree', 3: 'blob', 4: 'tag' }
/** Larger objects are left to git: a segment of records has at most about this, and takes 5 ms. */
const contentBytesMax = 4 * 1024 * 1024
/** One read of this size gets most commits whole. */
const headBytes = 4096

/**
 * Reads one object that is no delta from a pack of this repository and verifies that its bytes match its id: starting git
 * would take 20 times as long as a small one, and its pipe as long as a large one.
 *
 * @returns null when git must be asked: the object is in no pack of ours, large, a delta, or damaged
 */
export function readWholePackedObject(layout: RepositoryLayout, oid: Oid, bytesMax: number): GitObject | null {
  const found = findInPacks(layout, oid)
  if (found === null || found.offset === null) return null
  const head = readFrom(found.pack, found.offset, headBytes)
  const header = parseHeader(head)
  if (header === null || header.size > Math.min(bytesMax, contentBytesMax)) return null
  // deflate expands incompressible bytes by less than 1/1000 plus a few bytes.
  const entryBytes = header.start + Math.ceil(header.size * 1.01) + 256
  const bytes = entryBytes <= headBytes ? head : readFrom(found.pack, found.offset, entryBytes)
  const content = inflate(bytes.subarray(header.start), header.size)
  if (content?.length !== header.size || hashObject(layout.objectFormat, header.type, content) !== oid) return null
  return { oid, type: header.type, content }
}

function readFrom(path: string, offset: number, length: number): Buffer {
  let descriptor: number
  try {
    descriptor = openSync(path, 'r')
  } catch {
    return Buffer.alloc(0)
  }
  try {
    const bytes = Buffer.allocUnsafe(length)
    return bytes.subarray(0, readSync(descriptor, bytes, 0, length, offset))
  } catch {
    return Buffer.alloc(0)
  } finally {
    closeSync(descriptor)
  }
}

/** The first byte: a bit for more bytes, 3 bits of type, 4 bits of size. Then 7 more bits of size each. */
function parseHeader(bytes: Buffer): { type: ObjectType; size: number; start: number } | null {
  const first = bytes[0]
  if (first === undefined) return null
  const type = types[(first >> 4) & 7]
  if (type === undefined) return null
  let size = first & 15
  let start = 1
  for (let bits = 4; ((bytes[start - 1] as number) & 0x80) !== 0; bits += 7) {
    const next = bytes[start]
    if (next === undefined || bits > 18) return null
    size += (next & 0x7f) * 2 ** bits
    start += 1
  }
  return { type, size, start }
}

function inflate(bytes: Buffer, size: number): Buffer | null {
  try {
    // Room for the whole object and a little more, so that zlib fills one buffer.
    return inflateSync(bytes, { maxOutputLength: size + 1, chunkSize: Math.max(constants.Z_MIN_CHUNK, size + 1) })
  } catch {
    return null
  }
}
