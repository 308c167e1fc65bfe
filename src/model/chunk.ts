import { CborSyntaxError, readHead, scanCbor } from './cbor.ts'
import type { Event } from './event.ts'
import { type DamagedRecord, decodeRecord, encodeRecord } from './event-codec.ts'
import { blake2b256, blake2b256InSteps } from './hash.ts'
import { formatHex } from './hex.ts'
import { limits } from './limits.ts'

/**
 * Chunk file (spec §1.2):
 *
 * | offset | bytes | meaning                                |
 * | 0      | 8     | `GRITECNK`                             |
 * | 8      | 2     | version 1, little-endian               |
 * | 10     | 1     | length of the codec name, 7            |
 * | 11     | 7     | `cbor-v1`                              |
 * | 18     | rest  | one CBOR array of event records        |
 */
const chunkHeader = new TextEncoder().encode('GRITECNK\u0001\u0000\u0007cbor-v1')

/** Position of the array of records. */
export const chunkHeaderBytes = chunkHeader.length

/** Encodes a chunk of encoded records, in this order. The list must not be empty. */
export function encodeChunk(records: readonly Uint8Array[]): Uint8Array {
  if (records.length === 0) throw new RangeError('a chunk holds at least one record')
  return joinRecords(chunkHeader, records)
}

/** Encodes a CBOR array of encoded records: a chunk without its header. */
export function encodeRecords(records: readonly Uint8Array[]): Uint8Array {
  return joinRecords(new Uint8Array(0), records)
}

function joinRecords(header: Uint8Array, records: readonly Uint8Array[]): Uint8Array {
  const head = encodeArrayHead(records.length)
  const length = records.reduce((sum, record) => sum + record.length, header.length + head.length)
  const bytes = new Uint8Array(length)
  bytes.set(header)
  bytes.set(head, header.length)
  let position = header.length + head.length
  for (const record of records) {
    bytes.set(record, position)
    position += record.length
  }
  return bytes
}

/** Encodes a chunk of events. */
export function encodeEventChunk(events: readonly Event[]): Uint8Array {
  return encodeChunk(events.map(encodeRecord))
}

function encodeArrayHead(count: number): Uint8Array {
  if (count < 24) return Uint8Array.of(0x80 | count)
  if (count < 0x100) return Uint8Array.of(0x98, count)
  if (count < 0x1_0000) return Uint8Array.of(0x99, count >> 8, count & 255)
  return Uint8Array.of(0x9a, count >>> 24, (count >> 16) & 255, (count >> 8) & 255, count & 255)
}

/** The hash that names a chunk: BLAKE2b-256 over the whole file, as hex. */
export function hashChunk(bytes: Uint8Array): string {
  return formatHex(blake2b256(bytes))
}

/** Like `hashChunk`, in steps. */
export function* hashChunkInSteps(bytes: Uint8Array): Generator<undefined, string> {
  return formatHex(yield* blake2b256InSteps(bytes, stepBytes))
}

/** Bytes hashed or decoded per step: about 50 ms of work. */
export const stepBytes = 1024 * 1024

/** Records without a valid id that are reported one by one; a chunk has room for 60 million of them. */
const damagedNamedMax = 1000

/** A verified event with the bytes of its record, a view into the chunk. */
export interface ChunkEvent {
  readonly event: Event
  readonly record: Uint8Array
}

export interface DecodedChunk {
  /** In stored order, every id verified. */
  readonly events: readonly ChunkEvent[]
  /** Records that this version cannot use; the other records are not affected. */
  readonly damaged: readonly (DamagedRecord & {
    /** Set when the id verifies: the record is sound, but of a newer or unknown kind. */
    readonly record: Uint8Array | null
  })[]
  /** Records that fail verification and are not in `damaged`, because there are too many. */
  readonly damagedUnnamed: number
  /** Why reading stopped before the end of the file; null when it did not. */
  readonly problem: string | null
}

/**
 * Decodes and verifies a chunk. Never throws on foreign bytes: returns the readable records and reports the rest. The
 * caller must not change `bytes` while it uses the records.
 */
export function decodeChunk(bytes: Uint8Array): DecodedChunk {
  const headerProblem = findHeaderProblem(bytes)
  return headerProblem === null ? new RecordReader(bytes, chunkHeader.length).readAll() : noChunk(headerProblem)
}

/** Like `decodeChunk`; yields now and then so that the caller can do other work. */
export function* decodeChunkInSteps(bytes: Uint8Array): Generator<undefined, DecodedChunk> {
  const headerProblem = findHeaderProblem(bytes)
  if (headerProblem !== null) return noChunk(headerProblem)
  const reader = new RecordReader(bytes, chunkHeader.length)
  for (;;) {
    const chunk = reader.read(stepBytes)
    if (chunk !== null) return chunk
    yield
  }
}

/** Like `decodeChunk`, for an array of records. */
export function decodeRecords(bytes: Uint8Array): DecodedChunk {
  return new RecordReader(bytes, 0).readAll()
}

/** Runs all steps at once. */
export function runSteps<Result>(steps: Generator<undefined, Result>): Result {
  for (;;) {
    const step = steps.next()
    if (step.done) return step.value
  }
}

function noChunk(problem: string): DecodedChunk {
  return { events: [], damaged: [], damagedUnnamed: 0, problem }
}

/** Reads an array of records that begins at `start` and ends with the bytes. */
class RecordReader {
  readonly #bytes: Uint8Array
  readonly #events: ChunkEvent[] = []
  readonly #damaged: (DamagedRecord & { record: Uint8Array | null })[] = []
  #unsound = 0
  #position: number
  /** Records not yet read; null until the head of the array is read. */
  #left: number | null = null

  constructor(bytes: Uint8Array, start: number) {
    this.#bytes = bytes
    this.#position = start
  }

  readAll(): DecodedChunk {
    return this.read(Number.POSITIVE_INFINITY) as DecodedChunk
  }

  /** Reads up to this many more bytes. Null when there is more. */
  read(bytesMax: number): DecodedChunk | null {
    const until = this.#position + bytesMax
    try {
      if (this.#left === null) {
        const array = readHead(this.#bytes, this.#position)
        if (array.major !== 4) return this.#finish('chunk does not hold an array')
        this.#position = array.end
        this.#left = array.argument
      }
      for (; this.#left > 0; this.#left--) {
        if (this.#position >= until) return null
        this.#readRecord()
      }
      const trailing = this.#bytes.length - this.#position
      return this.#finish(trailing > 0 ? `${trailing} bytes after the array of records` : null)
    } catch (error) {
      if (error instanceof CborSyntaxError) return this.#finish(error.message)
      throw error
    }
  }

  #readRecord(): void {
    const scan = scanCbor(this.#bytes, this.#position, limits.cborNestingMax)
    const record = this.#bytes.subarray(this.#position, scan.end)
    this.#position = scan.end
    // Too short for an id, and enough such records are reported.
    if (record.length < sharedStart && this.#unsound >= damagedNamedMax) {
      this.#unsound += 1
      return
    }
    const decoded = decodeRecord(record)
    const verifies = recordVerifies(record, scan.canonical, decoded)
    if ('damaged' in decoded) {
      if (verifies) this.#damaged.push({ ...decoded.damaged, record })
      else this.#noteUnsound(decoded.damaged)
    } else if (!verifies) {
      this.#noteUnsound({ eventId: decoded.event.eventId, reason: 'event_id does not match its content' })
    } else if (!textIsUtf8(record, decoded.event)) {
      this.#noteUnsound({ eventId: decoded.event.eventId, reason: 'text is not UTF-8' })
    } else {
      this.#events.push({ event: decoded.event, record })
    }
  }

  #noteUnsound({ eventId, reason }: DamagedRecord): void {
    this.#unsound += 1
    if (this.#unsound <= damagedNamedMax) this.#damaged.push({ eventId, reason, record: null })
  }

  #finish(problem: string | null): DecodedChunk {
    const damagedUnnamed = Math.max(0, this.#unsound - damagedNamedMax)
    return { events: this.#events, damaged: this.#damaged, damagedUnnamed, problem }
  }
}

/**
 * Finds the records of a chunk without decoding or verifying them; null when the layout is not a writer's. The records
 * are views into `bytes`.
 */
export function sliceChunk(bytes: Uint8Array): readonly Uint8Array[] | null {
  return findHeaderProblem(bytes) === null ? sliceRecords(bytes, chunkHeader.length) : null
}

/** Like `sliceChunk`, for an array of records that begins at `start` and ends with the bytes. */
export function sliceRecords(bytes: Uint8Array, start = 0): readonly Uint8Array[] | null {
  try {
    const array = readHead(bytes, start)
    if (array.major !== 4) return null
    const records: Uint8Array[] = []
    let position = array.end
    for (let index = 0; index < array.argument; index++) {
      const { end } = scanCbor(bytes, position, limits.cborNestingMax)
      // Shorter than any record: a chunk has room for 60 million of them.
      if (end - position < sharedStart) return null
      records.push(bytes.subarray(position, end))
      position = end
    }
    return position === bytes.length ? records : null
  } catch (error) {
    if (error instanceof CborSyntaxError) return null
    throw error
  }
}

/** Why the bytes are not a chunk; null when the header is right. */
export function findHeaderProblem(bytes: Uint8Array): string | null {
  if (bytes.length < chunkHeader.length) return 'chunk is shorter than its header'
  for (let index = 0; index < chunkHeader.length; index++) {
    if (bytes[index] !== chunkHeader[index]) return `chunk header differs at byte ${index}`
  }
  return null
}

/** Bytes before the shared elements: 88, 58 20 <event id> in a canonical record, the version in the preimage. */
const sharedStart = 35
const eventIdStart = 3
const preimageHead = Uint8Array.of(0x87, 0x01)

/** The preimage shares elements 1 to 6 with a canonical record, so checking an id needs no re-encoding. */
function recordVerifies(record: Uint8Array, canonical: boolean, decoded: ReturnType<typeof decodeRecord>): boolean {
  const eventId = 'event' in decoded ? decoded.event.eventId : decoded.damaged.eventId
  if (eventId === null || !canonical) return false
  const digest = blake2b256(preimageHead, record.subarray(sharedStart, findSharedEnd(record, decoded)))
  for (let index = 0; index < digest.length; index++) {
    if (digest[index] !== record[eventIdStart + index]) return false
  }
  return true
}

/** The position of the signature, the last element. */
function findSharedEnd(record: Uint8Array, decoded: ReturnType<typeof decodeRecord>): number {
  if ('event' in decoded && decoded.event.sig === null) return record.length - 1
  let end = sharedStart
  for (let element = 1; element < 7; element++) end = scanCbor(record, end, limits.cborNestingMax - 1).end
  return end
}

/** Decoding replaces invalid UTF-8 by U+FFFD, so only records that contain one are checked. */
function textIsUtf8(record: Uint8Array, event: Event): boolean {
  if (!showsReplacement(event.body)) return true
  try {
    decodeTexts(record, 0)
    return true
  } catch {
    return false
  }
}

function showsReplacement(value: unknown): boolean {
  if (typeof value === 'string') return value.includes('\ufffd')
  if (typeof value !== 'object' || value === null) return false
  return Object.values(value).some(showsReplacement)
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true })

/** Decodes each text of one item strictly; returns the position after it. @throws {TypeError} on invalid UTF-8 */
function decodeTexts(bytes: Uint8Array, start: number): number {
  const head = readHead(bytes, start)
  if (head.major === 4) {
    let end = head.end
    for (let index = 0; index < head.argument; index++) end = decodeTexts(bytes, end)
    return end
  }
  if (head.major !== 2 && head.major !== 3) return head.end
  const end = head.end + head.argument
  if (head.major === 3) strictUtf8.decode(bytes.subarray(head.end, end))
  return end
}
