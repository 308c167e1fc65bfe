import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs'
import { constants, inflateSync, type ZlibOptions } from 'node:zlib'
import { CorruptObjectError } from '../../model/errors/index.ts'
import { asStorageFailure, errnoOf } from '../durable/storage-failure.ts'
import { hashObject } from '../object-codec.ts'
import type { GitObject, ObjectType, Oid, RepositoryLayout } from '../port.ts'
import { looseObjectPath } from '../ref-paths.ts'
import { readStoredZlib } from '../stored-zlib.ts'
import { tooLargeError } from '../too-large-error.ts'

/**
 * These first bytes of the file always inflate to the whole header: a deflate block begins with its code tables, which
 * have less than 400 bytes. The inflated size is bounded too (1:1032).
 */
const headerInputBytes = 1024
/** One read of this size gets most objects whole. */
const headBytes = 4096

/**
 * Reads one loose object and verifies that its bytes match its id.
 *
 * @returns null when there is no loose object; it may be in a pack
 * @throws {ObjectTooLargeError} when its header states more than `bytesMax`
 * @throws {CorruptObjectError} when the file is not that object
 */
export function readLooseObject(layout: RepositoryLayout, oid: Oid, bytesMax: number): GitObject | null {
  const file = readLooseFile(looseObjectPath(layout, oid), bytesMax)
  if (file === null) return null
  const stored = readStoredZlib(file)
  const header = parseHeader(
    stored ?? inflate(oid, file.subarray(0, headerInputBytes), { finishFlush: constants.Z_SYNC_FLUSH }),
  )
  if (header === null) throw corrupt(oid)
  if (header.size > bytesMax) {
    throw tooLargeError({ oid, type: header.type, size: header.size, limit: bytesMax })
  }
  const length = header.start + header.size
  const whole = stored ?? inflate(oid, file, { maxOutputLength: length, chunkSize: chunkSizeFor(length) })
  const content = whole.subarray(header.start)
  if (content.length !== header.size || hashObject(layout.objectFormat, header.type, content) !== oid)
    throw corrupt(oid)
  return { oid, type: header.type, content }
}

// Reads only the head of a file too long for an object within the limit: its header then states the size.
function readLooseFile(path: string, bytesMax: number): Buffer | null {
  let descriptor: number
  try {
    descriptor = openSync(path, 'r')
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(errnoOf(error) ?? '')) return null
    throw asStorageFailure(error, 'reading an object')
  }
  try {
    const head = Buffer.allocUnsafe(headBytes)
    const length = readSync(descriptor, head, 0, headBytes, 0)
    // deflate expands incompressible bytes by less than 1/1000 plus a few bytes.
    const tooLong = length === headBytes && fstatSync(descriptor).size > bytesMax * 1.01 + headBytes
    return length < headBytes || tooLong ? head.subarray(0, length) : readFileSync(path)
  } finally {
    closeSync(descriptor)
  }
}

/** Room for the whole object and a little more, so that zlib fills one buffer: several would be copied into another. */
function chunkSizeFor(length: number): number {
  return Math.max(constants.Z_MIN_CHUNK, length + 1)
}

function parseHeader(bytes: Buffer): { type: ObjectType; size: number; start: number } | null {
  const end = bytes.subarray(0, 32).indexOf(0)
  const match = /^(commit|tree|blob|tag) (0|[1-9][0-9]{0,14})$/.exec(bytes.toString('latin1', 0, Math.max(end, 0)))
  return match ? { type: match[1] as ObjectType, size: Number(match[2]), start: end + 1 } : null
}

function inflate(oid: Oid, bytes: Buffer, options: ZlibOptions): Buffer {
  try {
    return inflateSync(bytes, options)
  } catch (cause) {
    throw new CorruptObjectError(`object ${oid} cannot be inflated`, { cause, details: { oid } })
  }
}

function corrupt(oid: Oid): CorruptObjectError {
  return new CorruptObjectError(`object ${oid}: stored bytes do not match the id`, { details: { oid } })
}
