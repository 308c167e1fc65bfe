import { Encoder } from 'cbor-x/index-no-eval'

/**
 * The deterministic CBOR subset of the log (RFC 8949 §4.2; spec §2.3): unsigned integers, byte strings, text, arrays,
 * null. Writers use only definite lengths and shortest forms.
 */
export type CborValue = number | bigint | string | Uint8Array | null | readonly CborValue[]

let made: Encoder | undefined

/** Created on first use: most reads never need it, and loading it costs 2 ms. */
function codec(): Encoder {
  made ??= new Encoder({
    useRecords: false,
    tagUint8Array: false,
    mapsAsObjects: false,
    int64AsNumber: false,
  } as object)
  return made
}

/**
 * Encodes a value in canonical form.
 * @throws {RangeError} on a number that is not an unsigned integer below 2^53
 */
export function encodeCbor(value: CborValue): Uint8Array {
  return codec().encode(toWritable(value))
}

/** cbor-x writes integers above 2^32 as floats unless they are BigInts (vectors 1-14 catch this). */
function toWritable(value: CborValue): CborValue {
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value) || value < 0)
      throw new RangeError(`${value} is not an unsigned integer below 2^53`)
    return value > 0xffff_ffff ? BigInt(value) : value
  }
  return Array.isArray(value) ? value.map(toWritable) : value
}

/**
 * Decodes one item that `scanCbor` has accepted. Integers above 2^32 are BigInts. Byte strings are views into `bytes`.
 */
export function decodeCbor(bytes: Uint8Array): unknown {
  return codec().decode(bytes)
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

const nullByte = 0xf6

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

/** A smaller argument would fit a shorter head. Indexed by log2 of the width. */
const smallestOfWidth = [24, 0x100, 0x1_0000, 0x1_0000_0000]
