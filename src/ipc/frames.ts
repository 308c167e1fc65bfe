/** Frames between a client and the daemon: a length and one array (docs/ipc.md, Frames). */
import { decodeWireValue, encodeWireValue, KnownMap, WireSyntaxError, type WireValue } from './wire-values.ts'

/** Version of the protocol. A higher one of a client ends the daemon. */
export const protocolVersion = 1

/** Bytes of one frame after its length. */
export const frameBytesMax = 16 * 1024 * 1024
/** Bytes of a part of standard input or of the output. */
export const partBytesMax = 1024 * 1024
/** Unfinished requests of one connection. */
export const requestsMax = 256

/** Kinds of frames from a client. */
export const ask = {
  hello: 1,
  run: 2,
  stdin: 3,
  cancel: 4,
  closed: 5,
  call: 6,
  subscribe: 7,
  yield: 8,
  status: 9,
  stop: 10,
  credit: 11,
  append: 12,
  tail: 13,
} as const

/** Kinds of frames from the daemon. */
export const tell = {
  hello: 128,
  accepted: 129,
  refused: 130,
  stdout: 131,
  stderr: 132,
  wantStdin: 133,
  exit: 134,
  answer: 135,
  failure: 136,
  warning: 137,
  item: 138,
  part: 139,
  records: 140,
  notice: 192,
  goodbye: 193,
} as const

/** From this kind on, a reader ignores what it does not know. */
export const ignorableFrom = 192
export const kindMax = 255

/** Why a request was refused, so that the client has to do it by itself. */
export type Refusal =
  | 'version'
  | 'build'
  | 'local'
  | 'environment'
  | 'repository'
  | 'busy'
  | 'stopping'
  | 'frame'
  | 'command'

export type Frame = readonly [kind: number, ...rest: WireValue[]]

const lengthBytes = 4

/** @throws {RangeError} beyond the limit of a frame */
export function encodeFrame(frame: readonly WireValue[]): Buffer {
  const bytes = encodeWireValue(frame, lengthBytes)
  const length = bytes.length - lengthBytes
  if (length > frameBytesMax) throw new RangeError(`a frame of ${length} bytes; ${frameBytesMax} are allowed`)
  bytes.writeUInt32BE(length, 0)
  return bytes
}

/** From this length on, a byte string is not copied into its frame. */
const apartBytesMin = 0x1_0000

/** Encodes the frame `[kind, id, bytes]` in pieces, the last of which are the bytes themselves when they are many. */
export function encodePart(kind: number, id: number, bytes: Uint8Array): readonly Uint8Array[] {
  if (bytes.length < apartBytesMin) return [encodeFrame([kind, id, bytes])]
  const start = encodeWireValue([kind, id], lengthBytes)
  const head = Buffer.allocUnsafe(start.length + 5)
  start.copy(head)
  // Of the same array with one element more.
  head[lengthBytes] = 0x83
  head[start.length] = 0x5a
  head.writeUInt32BE(bytes.length, start.length + 1)
  head.writeUInt32BE(head.length - lengthBytes + bytes.length, 0)
  return [head, bytes]
}

/** Takes bytes as they arrive and gives whole frames. */
export class FrameReader {
  readonly #known = new KnownMap()
  #parts: Buffer[] = []
  #size = 0

  /** Whether a frame has begun and is not whole. */
  get isInFrame(): boolean {
    return this.#size > 0
  }

  /** @throws {WireSyntaxError} when the peer sends no frames */
  *take(bytes: Buffer): Generator<Frame> {
    this.#parts.push(bytes)
    this.#size += bytes.length
    while (this.#size >= lengthBytes) {
      const length = this.#peekLength()
      if (length > frameBytesMax) throw new WireSyntaxError(`a frame of ${length} bytes`)
      if (this.#size < lengthBytes + length) return
      const whole = this.#join()
      const end = lengthBytes + length
      const rest = whole.subarray(end)
      this.#parts = rest.length === 0 ? [] : [rest]
      this.#size = rest.length
      yield requireFrame(decodeWireValue(whole.subarray(lengthBytes, end), this.#known))
    }
  }

  #peekLength(): number {
    const first = this.#parts[0] as Buffer
    return (first.length >= lengthBytes ? first : this.#join()).readUInt32BE(0)
  }

  #join(): Buffer {
    if (this.#parts.length > 1) this.#parts = [Buffer.concat(this.#parts)]
    return this.#parts[0] as Buffer
  }
}

function requireFrame(value: WireValue): Frame {
  if (Array.isArray(value) && typeof value[0] === 'number') return value as unknown as Frame
  throw new WireSyntaxError('a frame is not an array that begins with its kind')
}
