/**
 * The deterministic CBOR subset of the log (RFC 8949 §4.2; spec §2.3): unsigned integers, byte strings, text, arrays,
 * null. Writers use only definite lengths and shortest forms.
 *
 * Written here and not taken from a package, whose loading costs a short command more than all its events.
 */
import { CborWriter, nullByte, smallestOfWidth } from './cbor-writer.ts'

export type CborValue = number | bigint | string | Uint8Array | null | readonly CborValue[]

/**
 * Encodes a value in canonical form.
 * @throws {RangeError} on a number that is not an unsigned integer below 2^53, or a bigint above 2^64
 */
export function encodeCbor(value: CborValue): Uint8Array {
  writeItem(writer.start(), value)
  return writer.take()
}

/** Encodes what `write` writes as one value. It must not encode another one meanwhile. */
export function encodeWith(write: (writer: CborWriter) => void): Uint8Array {
  write(writer.start())
  return writer.take()
}

const writer = new CborWriter()

function writeItem(to: CborWriter, value: CborValue): void {
  if (value === null) to.writeNull()
  else if (typeof value === 'number' || typeof value === 'bigint') to.writeInteger(value)
  else if (typeof value === 'string') to.writeText(value)
  else if (value instanceof Uint8Array) to.writeBytes(value)
  else {
    to.writeArray(value.length)
    for (const item of value) writeItem(to, item)
  }
}

/**
 * Decodes one item that `scanCbor` has accepted. Integers of eight bytes are BigInts. Byte strings are views into
 * `bytes`. Bytes that are not UTF-8 become U+FFFD.
 */
export function decodeCbor(bytes: Uint8Array): unknown {
  return new Decoder(bytes).decode()
}

let utf8: InstanceType<typeof TextDecoder> | undefined

/** Decodes text; bytes that are not UTF-8 become U+FFFD. Creating the decoder takes longer than reading one issue. */
export function decodeText(bytes: Uint8Array): string {
  utf8 ??= new TextDecoder('utf-8', { ignoreBOM: true })
  return utf8.decode(bytes)
}

/** Below this length, a loop over ASCII is faster than the decoder. */
const shortTextBytes = 24

class Decoder {
  readonly #bytes: Uint8Array
  #position = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  decode(): unknown {
    const initial = this.#next()
    if (initial === nullByte) return null
    const [major, info] = [initial >> 5, initial & 31]
    if (major === 0 && info === 27) return this.#readBigInt()
    const argument = info < 24 ? info : this.#readNumber(1 << (info - 24))
    if (major === 0) return argument
    if (major === 4) return this.#readArray(argument)
    const start = this.#position
    this.#position += argument
    return major === 2 ? this.#bytes.subarray(start, this.#position) : this.#readText(start, this.#position)
  }

  #next(): number {
    return this.#bytes[this.#position++] as number
  }

  #readNumber(width: number): number {
    let value = 0
    for (let count = 0; count < width; count++) value = value * 256 + this.#next()
    return value
  }

  #readBigInt(): bigint {
    const high = BigInt(this.#readNumber(4))
    return (high << 32n) | BigInt(this.#readNumber(4))
  }

  #readArray(length: number): unknown[] {
    const items: unknown[] = []
    for (let index = 0; index < length; index++) items.push(this.decode())
    return items
  }

  #readText(start: number, end: number): string {
    if (end - start < shortTextBytes) {
      let text = ''
      let place = start
      for (; place < end; place++) {
        const byte = this.#bytes[place] as number
        if (byte > 0x7f) break
        text += String.fromCharCode(byte)
      }
      if (place === end) return text
    }
    return decodeText(this.#bytes.subarray(start, end))
  }
}

/** The result of a structural scan of one CBOR item. */
export interface CborScan {
  /** Byte position one past the item. */
  readonly end: number
  /** False when an integer or length is not in its shortest form. */
  readonly canonical: boolean
}

/** The bytes are not CBOR that this format allows. The chunk decoder catches it and reports the position. */
export class CborSyntaxError extends Error {
  override readonly name = 'CborSyntaxError'
}

/**
 * Walks one item without building it, so that hostile lengths and nesting are refused before any allocation.
 *
 * @param nestingMax - levels of arrays, counting the item itself
 * @throws {CborSyntaxError} on truncation, nesting, an indefinite length or a type outside the subset
 */
export function scanCbor(bytes: Uint8Array, start: number, nestingMax: number): CborScan {
  const head = readHead(bytes, start)
  let { canonical } = head
  if (head.major === 4) {
    if (nestingMax === 0) throw new CborSyntaxError(`nesting too deep at byte ${start}`)
    let end = head.end
    for (let index = 0; index < head.argument; index++) {
      const item = scanCbor(bytes, end, nestingMax - 1)
      end = item.end
      canonical &&= item.canonical
    }
    return { end, canonical }
  }
  if (head.major === 2 || head.major === 3) {
    if (head.argument > bytes.length - head.end)
      throw new CborSyntaxError(`string at byte ${start} ends after the data`)
    return { end: head.end + head.argument, canonical }
  }
  return { end: head.end, canonical }
}

/** The head of an item: major type, argument, and the position after it. */
export interface CborHead {
  readonly major: 0 | 2 | 3 | 4 | 7
  readonly argument: number
  readonly end: number
  readonly canonical: boolean
}

/** Reads one head. Integers above 2^53 saturate; string and array lengths above 2^53 fail as truncated. */
export function readHead(bytes: Uint8Array, start: number): CborHead {
  const initial = bytes[start]
  if (initial === undefined) throw new CborSyntaxError(`data ends at byte ${start}`)
  if (initial === nullByte) return { major: 7, argument: 22, end: start + 1, canonical: true }
  const major = initial >> 5
  const info = initial & 31
  if (major !== 0 && major !== 2 && major !== 3 && major !== 4) {
    throw new CborSyntaxError(`type byte 0x${initial.toString(16).padStart(2, '0')} at byte ${start} is not allowed`)
  }
  if (info < 24) return { major, argument: info, end: start + 1, canonical: true }
  if (info > 27) throw new CborSyntaxError(`indefinite or reserved length at byte ${start}`)
  const width = 1 << (info - 24)
  const end = start + 1 + width
  if (end > bytes.length) throw new CborSyntaxError(`data ends inside the head at byte ${start}`)
  let argument = 0
  for (let index = start + 1; index < end; index++) argument = argument * 256 + (bytes[index] as number)
  if (major === 4 && argument > bytes.length)
    throw new CborSyntaxError(`array at byte ${start} is longer than the data`)
  return { major, argument, end, canonical: argument >= (smallestOfWidth[info - 24] as number) }
}
