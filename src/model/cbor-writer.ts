/**
 * Writes items of canonical CBOR one after the other into one growing buffer. An import or a sync encodes tens of thousands of
 * events, twice each: for the id and for the record.
 *
 * Invariants
 * - The buffer is reused from value to value; `take` copies the bytes out.
 * - A value that failed halfway leaves nothing behind: `start` begins again.
 */
export const nullByte = 0xf6

/** A smaller argument would fit a shorter head. Indexed by log2 of the width. */
export const smallestOfWidth = [24, 0x100, 0x1_0000, 0x1_0000_0000]

const bufferBytesMin = 1024
/** A longer buffer is not kept for the next value. */
const bufferBytesKept = 64 * 1024
const headBytesMax = 9
/** Below this length, a loop over ASCII is faster than the encoder. UTF-16 units. */
const shortTextLength = 96

const textEncoder = new TextEncoder()

export class CborWriter {
  #bytes = new Uint8Array(bufferBytesMin)
  #end = 0

  start(): this {
    this.#end = 0
    return this
  }

  /** What was written since `start`. */
  take(): Uint8Array {
    const bytes = this.#bytes.slice(0, this.#end)
    if (this.#bytes.length > bufferBytesKept) this.#bytes = new Uint8Array(bufferBytesMin)
    return bytes
  }

  writeNull(): void {
    this.#makeRoom(1)
    this.#bytes[this.#end++] = nullByte
  }

  /** @throws {RangeError} on a number that is not an unsigned integer below 2^53, or a bigint above 2^64 */
  writeInteger(value: number | bigint): void {
    this.#writeHead(0, value)
  }

  /** Begins an array of this many items, which follow. */
  writeArray(length: number): void {
    this.#writeHead(4, length)
  }

  writeBytes(bytes: Uint8Array): void {
    this.#writeString(2, bytes)
  }

  /** A byte string, given as hex of either case. @throws {TypeError} on other text */
  writeHex(hex: string): void {
    const length = hex.length / 2
    if (!Number.isInteger(length)) throw new TypeError(`'${hex}' is not hex`)
    this.#writeHead(2, length)
    this.#makeRoom(length)
    for (let index = 0; index < length; index++) {
      const byte = (nibbleAt(hex, 2 * index) << 4) | nibbleAt(hex, 2 * index + 1)
      if (byte < 0) throw new TypeError(`'${hex}' is not hex`)
      this.#bytes[this.#end++] = byte
    }
  }

  writeText(text: string): void {
    this.#makeRoom(headBytesMax + 3 * text.length)
    if (text.length < shortTextLength && this.#writeAscii(text)) return
    // The head depends on the length, which is known only afterwards; nearly always, each unit is one byte.
    const start = this.#end
    this.#writeHead(3, text.length)
    const { written } = textEncoder.encodeInto(text, this.#bytes.subarray(this.#end))
    if (written === text.length) {
      this.#end += written
      return
    }
    const content = this.#bytes.slice(this.#end, this.#end + written)
    this.#end = start
    this.#writeString(3, content)
  }

  #writeString(major: 2 | 3, bytes: Uint8Array): void {
    this.#writeHead(major, bytes.length)
    this.#makeRoom(bytes.length)
    this.#bytes.set(bytes, this.#end)
    this.#end += bytes.length
  }

  /** False, with nothing written, for text that is not ASCII. */
  #writeAscii(text: string): boolean {
    const start = this.#end + (text.length < 24 ? 1 : 2)
    for (let index = 0; index < text.length; index++) {
      const unit = text.charCodeAt(index)
      if (unit > 0x7f) return false
      this.#bytes[start + index] = unit
    }
    this.#writeHead(3, text.length)
    this.#end = start + text.length
    return true
  }

  /** The initial byte and the argument in the shortest form. */
  #writeHead(major: 0 | 2 | 3 | 4, argument: number | bigint): void {
    const initial = major << 5
    if (argument < 0 || (typeof argument === 'number' && !Number.isSafeInteger(argument)))
      throw new RangeError(`${argument} is not an unsigned integer below 2^53`)
    this.#makeRoom(headBytesMax)
    if (argument < 24) {
      this.#bytes[this.#end++] = initial + Number(argument)
      return
    }
    const widthCode = smallestOfWidth.findLastIndex((smallest) => argument >= smallest)
    const first = this.#end
    this.#end += 1 + (1 << widthCode)
    this.#bytes[first] = initial + 24 + widthCode
    if (typeof argument === 'bigint') {
      if (argument > 0xffff_ffff_ffff_ffffn) throw new RangeError(`${argument} is not an unsigned integer below 2^64`)
      for (let at = this.#end - 1, rest = argument; at > first; at--, rest >>= 8n)
        this.#bytes[at] = Number(rest & 0xffn)
    } else {
      for (let at = this.#end - 1, rest = argument; at > first; at--, rest = Math.floor(rest / 256))
        this.#bytes[at] = rest % 256
    }
  }

  #makeRoom(count: number): void {
    const needed = this.#end + count
    if (needed <= this.#bytes.length) return
    const bytes = new Uint8Array(Math.max(needed, 2 * this.#bytes.length))
    bytes.set(this.#bytes.subarray(0, this.#end))
    this.#bytes = bytes
  }
}

/** Negative for a character that is no hex digit. */
function nibbleAt(hex: string, index: number): number {
  return nibbles[hex.charCodeAt(index)] ?? -1
}

const nibbles: readonly number[] = Array.from({ length: 128 }, (_, code) => {
  const digit = Number.parseInt(String.fromCharCode(code), 16)
  return Number.isNaN(digit) ? -1 : digit
})
