/**
 * Frames of a journal (docs/format.md#journal):
 *
 *     2   GJ
 *     8   token of the file
 *     8   nonce, random for each frame
 *     u64 byte position of this frame in the file
 *     u32 length of the payload
 *     u32 CRC-32C of the 30 bytes before and the payload
 *     …   payload: one CBOR array
 */
import { encodeCbor } from '../cbor.ts'
import { formatHex, parseHex } from '../hex.ts'
import { CborReader } from './cbor-reader.ts'
import { StreamFormatError } from './format-error.ts'
import { putRecord, recordEnd, type StreamRecord, sizeOf } from './record.ts'
import { type Incarnation, isStreamId, type StreamId } from './stream-id.ts'
import { streamLimits } from './stream-limits.ts'

/** CRC-32C of bytes; `before` is that of the bytes in front of them. */
export type Crc32c = (bytes: Uint8Array, before?: number) => number

/** Where a file goes on that ended: the token of that file, and the byte position of its end. */
export interface FileEnd {
  /** 16 hex. */
  readonly token: string
  readonly end: number
}

/** Why a file ended. `seal`: the next file goes on. `barrier`: an act comes first. `fault`: the next file replaces it. */
export type CloseReason = (typeof closeReasons)[number]
const closeReasons = ['seal', 'barrier', 'fault'] as const

/** The first frame of a file. */
export interface OpenFrame {
  readonly kind: 'open'
  readonly streamId: StreamId
  readonly incarnation: Incarnation
  readonly generation: number
  readonly epoch: number
  readonly firstOffset: number
  /** Hex of the commit that the file continues. */
  readonly sealedCommit: string
  /** Root of that commit, 32 bytes. */
  readonly sealedRoot: Uint8Array
  readonly previous: FileEnd | null
}

/** One atomic batch. */
export interface RecordsFrame {
  readonly kind: 'records'
  readonly firstOffset: number
  readonly count: number
}

/** The last frame of a file. */
export interface ClosedFrame {
  readonly kind: 'closed'
  readonly nextOffset: number
  readonly reason: CloseReason
  /** Token of the file that follows, 16 hex. */
  readonly nextToken: string
}

export type JournalPayload = OpenFrame | RecordsFrame | ClosedFrame

export const frameHeadBytes = 34
const payloadBytesMax = streamLimits.framePayloadBytesMax
export const frameBytesMax = frameHeadBytes + payloadBytesMax

const [magicFirst, magicSecond] = [0x47, 0x4a]
const tokenBytes = 8
const tokenStart = 2
const nonceStart = 10
const nonceBytes = 8
const positionStart = 18
const lengthStart = 26
const crcStart = 30

const kinds = { open: 0, records: 1, closed: 2 } as const

/**
 * Encodes frames one after the other into one buffer, which is used again for the next group.
 *
 * Invariant: the frames in the buffer state the positions from `begin(position)` on, without gaps.
 */
export class FrameEncoder {
  #token: Uint8Array
  readonly #crc32c: Crc32c
  readonly #random: (count: number) => Uint8Array
  #nonces: Uint8Array = new Uint8Array(0)
  #nonceEnd = 0
  #bytes = new Uint8Array(bufferBytes)
  #end = 0
  #position = 0
  /** Ends and numbers of records of the frames; only the first `frameCount` count. */
  readonly #ends: number[] = []
  readonly #counts: number[] = []
  #frameCount = 0
  #recordCount = 0

  /**
   * @param token - of the file, 16 hex
   * @param random - random bytes for the nonces
   */
  constructor(token: string, crc32c: Crc32c, random: (count: number) => Uint8Array) {
    this.#token = bytesOf(token)
    this.#crc32c = crc32c
    this.#random = random
  }

  /** Goes on with the frames of another file. @param token - 16 hex */
  useToken(token: string): void {
    this.#token = bytesOf(token)
  }

  /** The frames since `begin`; a view that is valid until the next one. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#end)
  }

  get byteLength(): number {
    return this.#end
  }

  /** Where in the file the first frame is. */
  get position(): number {
    return this.#position
  }

  get frameCount(): number {
    return this.#frameCount
  }

  /** Of all frames. */
  get recordCount(): number {
    return this.#recordCount
  }

  /** The end of a frame in the bytes. */
  endOf(index: number): number {
    return this.#ends[index] as number
  }

  /** The number of records of a frame. */
  countOf(index: number): number {
    return this.#counts[index] as number
  }

  /** The stored records of the first frames, as copies. Every one of these frames must be of records. */
  copyRecords(frameCount: number): Uint8Array[] {
    const records: Uint8Array[] = []
    for (let index = 0; index < frameCount; index++) {
      const start = index === 0 ? 0 : this.endOf(index - 1)
      const payload = this.#bytes.slice(start + frameHeadBytes, this.endOf(index))
      const reader = new CborReader(payload)
      reader.tuple(3, 'records')
      reader.unsigned('the kind of a frame')
      for (const record of splitRecords(reader, payload)) records.push(record)
    }
    return records
  }

  /** Starts a group whose first frame is at a byte position of the file. */
  begin(position: number): void {
    if (this.#bytes.length > keptBytesMax) this.#bytes = new Uint8Array(bufferBytes)
    this.#end = 0
    this.#position = position
    this.#frameCount = 0
    this.#recordCount = 0
  }

  /** @param records - stored records, at least one */
  addRecords(firstOffset: number, records: readonly Uint8Array[]): void {
    let size = recordsHeadBytes(firstOffset, records.length)
    for (const record of records) size += record.length
    const start = this.#reserve(size)
    let end = this.#putRecordsHead(start + frameHeadBytes, firstOffset, records.length)
    for (const record of records) {
      this.#bytes.set(record, end)
      end += record.length
    }
    this.#finish(start, size, records.length)
  }

  /** Encodes records into a frame, without a copy of each. @param records - that `checkRecord` accepts, at least one */
  addEncoded(firstOffset: number, records: readonly StreamRecord[]): void {
    let size = recordsHeadBytes(firstOffset, records.length)
    for (const record of records) size += sizeOf(record)
    const start = this.#reserve(size)
    let end = this.#putRecordsHead(start + frameHeadBytes, firstOffset, records.length)
    for (const record of records) end = putRecord(this.#bytes, end, record)
    this.#finish(start, size, records.length)
  }

  #putRecordsHead(start: number, firstOffset: number, count: number): number {
    const bytes = this.#bytes
    bytes[start] = 0x83
    bytes[start + 1] = kinds.records
    return putHead(bytes, putHead(bytes, start + 2, 0, firstOffset), 0x80, count)
  }

  addOpen(frame: Omit<OpenFrame, 'kind'>): void {
    const { previous } = frame
    this.#addPayload(
      encodeCbor([
        kinds.open,
        frame.streamId,
        bytesOf(frame.incarnation),
        frame.generation,
        frame.epoch,
        frame.firstOffset,
        bytesOf(frame.sealedCommit),
        frame.sealedRoot,
        previous === null ? null : [bytesOf(previous.token), previous.end],
      ]),
    )
  }

  addClosed({ nextOffset, reason, nextToken }: Omit<ClosedFrame, 'kind'>): void {
    this.#addPayload(encodeCbor([kinds.closed, nextOffset, closeReasons.indexOf(reason), bytesOf(nextToken)]))
  }

  #addPayload(payload: Uint8Array): void {
    const start = this.#reserve(payload.length)
    this.#bytes.set(payload, start + frameHeadBytes)
    this.#finish(start, payload.length, 0)
  }

  /** Makes room for a frame. @returns its start in the buffer */
  #reserve(payloadLength: number): number {
    if (payloadLength > payloadBytesMax)
      throw new RangeError(`a journal frame of ${payloadLength} bytes exceeds ${payloadBytesMax}`)
    const start = this.#end
    this.#end = start + frameHeadBytes + payloadLength
    if (this.#end > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(2 * this.#bytes.length, this.#end))
      larger.set(this.#bytes.subarray(0, start))
      this.#bytes = larger
    }
    return start
  }

  #finish(start: number, payloadLength: number, recordCount: number): void {
    const bytes = this.#bytes
    // Four bytes late, directly before the payload: so one call of the CRC covers both.
    const head = start + frameHeadBytes - crcStart
    bytes[head] = magicFirst
    bytes[head + 1] = magicSecond
    for (let index = 0; index < tokenBytes; index++) bytes[head + tokenStart + index] = this.#token[index] as number
    this.#putNonce(head + nonceStart)
    const position = this.#position + start
    putU32(bytes, head + positionStart, Math.floor(position / 2 ** 32))
    putU32(bytes, head + positionStart + 4, position)
    putU32(bytes, head + lengthStart, payloadLength)
    const crc = this.#crc32c(bytes.subarray(head, this.#end))
    bytes.copyWithin(start, head, head + crcStart)
    putU32(bytes, start + crcStart, crc)
    this.#ends[this.#frameCount] = this.#end
    this.#counts[this.#frameCount++] = recordCount
    this.#recordCount += recordCount
  }

  #putNonce(at: number): void {
    if (this.#nonceEnd === this.#nonces.length) {
      this.#nonces = this.#random(nonceBytes * noncesAtOnce)
      this.#nonceEnd = 0
    }
    for (let index = 0; index < nonceBytes; index++) this.#bytes[at + index] = this.#nonces[this.#nonceEnd++] as number
  }
}

const bufferBytes = 64 * 1024
/** A larger buffer is not kept for the next group. */
const keptBytesMax = 4 * 1024 * 1024
const noncesAtOnce = 512

function bytesOf(hex: string): Uint8Array {
  const bytes = parseHex(hex)
  if (bytes === undefined) throw new RangeError(`'${hex}' is not hexadecimal`)
  return bytes
}

function recordsHeadBytes(firstOffset: number, count: number): number {
  return 2 + headBytes(firstOffset) + headBytes(count)
}

function headBytes(argument: number): number {
  if (argument < 24) return 1
  if (argument < 0x100) return 2
  if (argument < 0x1_0000) return 3
  return argument < 0x1_0000_0000 ? 5 : 9
}

function putHead(bytes: Uint8Array, start: number, major: number, argument: number): number {
  const size = headBytes(argument)
  if (size === 1) {
    bytes[start] = major + argument
    return start + 1
  }
  bytes[start] = major + (size === 2 ? 24 : size === 3 ? 25 : size === 5 ? 26 : 27)
  for (let index = start + size - 1, rest = argument; index > start; index--, rest = Math.floor(rest / 256))
    bytes[index] = rest % 256
  return start + size
}

function putU32(bytes: Uint8Array, start: number, value: number): void {
  bytes[start] = value >>> 24
  bytes[start + 1] = value >>> 16
  bytes[start + 2] = value >>> 8
  bytes[start + 3] = value
}

function getU32(bytes: Uint8Array, start: number): number {
  const high = ((bytes[start] as number) << 24) | ((bytes[start + 1] as number) << 16)
  return (high | ((bytes[start + 2] as number) << 8) | (bytes[start + 3] as number)) >>> 0
}

/**
 * A part of a journal, by byte positions in the file:
 * - `frame`: stands at the position that it states, with the token, CRC and payload of a frame
 * - `void`: a frame that states another position; its writer lost a race
 * - `junk`: no frame; a frame follows
 * - `rest`: no frame up to the end of the bytes. It may be the beginning of one.
 */
export type ScannedPart =
  | { readonly kind: 'frame'; readonly start: number; readonly end: number; readonly payload: JournalPayload }
  | { readonly kind: 'void' | 'junk' | 'rest'; readonly start: number; readonly end: number }

/**
 * Splits bytes of a journal into frames and what is none.
 *
 * @param position - byte position of the bytes in the file
 * @param token - of the file, 16 hex
 */
export function* scanFrames(
  bytes: Uint8Array,
  position: number,
  token: string,
  crc32c: Crc32c,
): Generator<ScannedPart, void, undefined> {
  const scan = new Scan(bytes, position, parseHex(token) ?? new Uint8Array(tokenBytes), crc32c)
  for (let at = 0; at < bytes.length; ) {
    const found = scan.frameAt(at)
    if (found !== null) {
      yield found
      at = found.end - position
      continue
    }
    const next = scan.findFrame(at + 1)
    const end = position + (next === null ? bytes.length : next)
    yield { kind: next === null ? 'rest' : 'junk', start: position + at, end }
    at = end - position
  }
}

class Scan {
  readonly #bytes: Uint8Array
  readonly #base: number
  readonly #token: Uint8Array
  readonly #crc32c: Crc32c

  constructor(bytes: Uint8Array, base: number, token: Uint8Array, crc32c: Crc32c) {
    this.#bytes = bytes
    this.#base = base
    this.#token = token
    this.#crc32c = crc32c
  }

  /** The whole frame at an index, valid or void; null for any other bytes. */
  frameAt(start: number): (ScannedPart & { readonly kind: 'frame' | 'void' }) | null {
    const bytes = this.#bytes
    if (!this.#isHeadAt(start)) return null
    const length = getU32(bytes, start + lengthStart)
    const end = start + frameHeadBytes + length
    if (length > payloadBytesMax || end > bytes.length) return null
    const payload = bytes.subarray(start + frameHeadBytes, end)
    const crc = this.#crc32c(payload, this.#crc32c(bytes.subarray(start, start + crcStart)))
    if (crc >>> 0 !== getU32(bytes, start + crcStart)) return null
    const place = { start: this.#base + start, end: this.#base + end }
    if (!this.#isAtOwnPosition(start)) return { kind: 'void', ...place }
    try {
      return { kind: 'frame', ...place, payload: decodeJournalPayload(payload) }
    } catch (error) {
      if (!(error instanceof StreamFormatError)) throw error
      return null
    }
  }

  /** Index of the next whole frame that stands at its own position; after damage nothing else is trusted. */
  findFrame(from: number): number | null {
    for (let start = from; ; start++) {
      start = this.#bytes.indexOf(magicFirst, start)
      if (start < 0) return null
      if (this.#isHeadAt(start) && this.#isAtOwnPosition(start) && this.frameAt(start) !== null) return start
    }
  }

  #isHeadAt(start: number): boolean {
    const bytes = this.#bytes
    if (bytes[start] !== magicFirst || bytes[start + 1] !== magicSecond) return false
    if (start + frameHeadBytes > bytes.length) return false
    for (let index = 0; index < tokenBytes; index++)
      if (bytes[start + tokenStart + index] !== this.#token[index]) return false
    return true
  }

  #isAtOwnPosition(start: number): boolean {
    const stated = start + positionStart
    return getU32(this.#bytes, stated) * 2 ** 32 + getU32(this.#bytes, stated + 4) === this.#base + start
  }
}

/** @throws {StreamFormatError} on bytes that are not the payload of a frame in canonical form */
export function decodeJournalPayload(payload: Uint8Array): JournalPayload {
  const reader = new CborReader(payload)
  const elements = reader.count('elements of a frame', 9)
  const kind = reader.unsigned('the kind of a frame')
  if (kind === kinds.records && elements === 3) return decodeRecords(reader, payload)
  if (kind === kinds.open && elements === 9) return decodeOpen(reader)
  if (kind === kinds.closed && elements === 4) return decodeClosed(reader)
  return reader.fail('a known frame')
}

function decodeRecords(reader: CborReader, payload: Uint8Array): RecordsFrame {
  const firstOffset = reader.unsigned('an offset')
  const count = reader.count('records', payload.length)
  if (count === 0) reader.fail('a record')
  let end = reader.position
  for (let index = 0; index < count; index++) end = recordEnd(payload, end)
  if (end !== payload.length) throw new StreamFormatError(`${payload.length - end} bytes follow the records`)
  return { kind: 'records', firstOffset, count }
}

function decodeOpen(reader: CborReader): OpenFrame {
  const streamId = reader.text('a stream id')
  if (!isStreamId(streamId)) reader.fail('a stream id')
  const incarnation = reader.hex('an incarnation', 8) as Incarnation
  const generation = reader.unsigned('a generation')
  const epoch = reader.unsigned('an epoch')
  const firstOffset = reader.unsigned('an offset')
  const commit = reader.bytes('a commit')
  if (commit.length !== 20 && commit.length !== 32) reader.fail('a commit of 20 or 32 bytes')
  const sealedRoot = reader.bytes('a root', 32).slice()
  const previous = reader.orNull((): FileEnd => {
    reader.tuple(2, 'the end of a file')
    return { token: reader.hex('a token', tokenBytes), end: reader.unsigned('a byte position') }
  })
  reader.end()
  const sealedCommit = formatHex(commit)
  return { kind: 'open', streamId, incarnation, generation, epoch, firstOffset, sealedCommit, sealedRoot, previous }
}

function decodeClosed(reader: CborReader): ClosedFrame {
  const nextOffset = reader.unsigned('an offset')
  const reason = closeReasons[reader.unsigned('a reason')]
  if (reason === undefined) return reader.fail('a reason')
  const nextToken = reader.hex('a token', tokenBytes)
  reader.end()
  return { kind: 'closed', nextOffset, reason, nextToken }
}

/**
 * The stored records of a frame that was judged before, as views.
 *
 * @param frame - its bytes, whose head is changed
 * @param position - byte position of the frame in the file
 * @param token - of the file, 8 bytes
 * @returns null when the bytes are no longer that frame
 */
export function takeRecords(
  frame: Uint8Array,
  position: number,
  token: Uint8Array,
  crc32c: Crc32c,
): readonly Uint8Array[] | null {
  if (!isHeadOf(frame, position, token)) return null
  const crc = getU32(frame, crcStart)
  // As it was encoded: directly before the payload, so one call of the CRC covers both.
  frame.copyWithin(frameHeadBytes - crcStart, 0, crcStart)
  if (crc32c(frame.subarray(frameHeadBytes - crcStart)) >>> 0 !== crc) return null
  const payload = frame.subarray(frameHeadBytes)
  try {
    const reader = new CborReader(payload)
    const isRecords =
      reader.count('elements of a frame', 9) === 3 && reader.unsigned('the kind of a frame') === kinds.records
    return isRecords ? splitRecords(reader, payload) : null
  } catch (error) {
    if (!(error instanceof StreamFormatError)) throw error
    return null
  }
}

function isHeadOf(frame: Uint8Array, position: number, token: Uint8Array): boolean {
  if (frame.length < frameHeadBytes || frame[0] !== magicFirst || frame[1] !== magicSecond) return false
  for (let index = 0; index < tokenBytes; index++) if (frame[tokenStart + index] !== token[index]) return false
  const stated = getU32(frame, positionStart) * 2 ** 32 + getU32(frame, positionStart + 4)
  return stated === position && getU32(frame, lengthStart) === frame.length - frameHeadBytes
}

function splitRecords(reader: CborReader, payload: Uint8Array): readonly Uint8Array[] {
  reader.unsigned('an offset')
  const records: Uint8Array[] = []
  const count = reader.count('records', payload.length)
  let start = reader.position
  for (let index = 0; index < count; index++) {
    const end = recordEnd(payload, start)
    records.push(payload.subarray(start, end))
    start = end
  }
  if (start !== payload.length) throw new StreamFormatError(`${payload.length - start} bytes follow the records`)
  return records
}
