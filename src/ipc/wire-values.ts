/**
 * The values of the wire as CBOR (RFC 8949 §4.2, deterministic): written without cbor-x, which takes 2 ms to load, and read
 * with every length checked, because a peer may send anything. `test/ipc` compares both directions with cbor-x.
 */

/** `undefined` members of a map are left out. */
export type WireValue =
  | number
  | string
  | boolean
  | null
  | Uint8Array
  | readonly WireValue[]
  | WireMap
  | EncodedWireValue

export interface WireMap {
  readonly [name: string]: WireValue | undefined
}

/** A value that is sent many times and was encoded once. It is never read. */
export class EncodedWireValue {
  readonly bytes: Uint8Array

  constructor(value: WireValue) {
    this.bytes = encodeWireValue(value)
  }
}

/** Levels of arrays and maps in one value. */
export const nestingMax = 16

/** The bytes of a peer are not a value of the wire. The message is for a log. */
export class WireSyntaxError extends Error {
  override readonly name = 'WireSyntaxError'
}

const [unsigned, negative, byteString, textString, arrayType, mapType, simple] = [0, 1, 2, 3, 4, 5, 7] as const
const [falseByte, trueByte, nullByte, float64Byte] = [0xf4, 0xf5, 0xf6, 0xfb] as const

/** Grows as needed; one value at a time. */
class Writer {
  #bytes = Buffer.allocUnsafe(512)
  #end = 0

  take(): Buffer {
    return this.#bytes.subarray(0, this.#end)
  }

  /** Leaves room at the front, for the length of a frame. */
  skip(count: number): void {
    this.#end += count
  }

  write(value: WireValue, depth: number): void {
    if (depth > nestingMax) throw new RangeError(`more than ${nestingMax} levels`)
    if (typeof value === 'string') {
      this.#writeText(value)
      return
    }
    if (typeof value === 'number') {
      this.#writeNumber(value)
      return
    }
    if (value === null) {
      this.#writeByte(nullByte)
      return
    }
    if (typeof value === 'boolean') {
      this.#writeByte(value ? trueByte : falseByte)
      return
    }
    if (value instanceof Uint8Array) {
      this.#writeHead(byteString, value.length)
      this.#writeBytes(value)
      return
    }
    if (value instanceof EncodedWireValue) {
      this.#writeBytes(value.bytes)
      return
    }
    if (isArray(value)) {
      this.#writeHead(arrayType, value.length)
      for (const element of value) this.write(element, depth + 1)
      return
    }
    this.#writeMap(value, depth)
  }

  #writeMap(map: WireMap, depth: number): void {
    const entries: [Buffer, WireValue][] = []
    for (const [name, value] of Object.entries(map)) {
      if (value !== undefined) entries.push([Buffer.from(name), value])
    }
    // Deterministic order is that of the encoded keys: shorter ones first.
    entries.sort(([one], [other]) => one.length - other.length || Buffer.compare(one, other))
    this.#writeHead(mapType, entries.length)
    for (const [name, value] of entries) {
      this.#writeHead(textString, name.length)
      this.#reserve(name.length)
      this.#bytes.set(name, this.#end)
      this.#end += name.length
      this.write(value, depth + 1)
    }
  }

  #writeText(text: string): void {
    const length = Buffer.byteLength(text)
    this.#writeHead(textString, length)
    this.#reserve(length)
    this.#end += this.#bytes.write(text, this.#end)
  }

  #writeBytes(bytes: Uint8Array): void {
    this.#reserve(bytes.length)
    this.#bytes.set(bytes, this.#end)
    this.#end += bytes.length
  }

  #writeNumber(value: number): void {
    if (Number.isSafeInteger(value) && !Object.is(value, -0)) {
      value < 0 ? this.#writeHead(negative, -1 - value) : this.#writeHead(unsigned, value)
      return
    }
    this.#writeByte(float64Byte)
    this.#reserve(8)
    this.#end = this.#bytes.writeDoubleBE(value, this.#end)
  }

  #writeHead(major: number, argument: number): void {
    this.#reserve(9)
    const first = major << 5
    if (argument < 24) this.#bytes[this.#end++] = first | argument
    else if (argument < 0x100) {
      this.#bytes[this.#end++] = first | 24
      this.#bytes[this.#end++] = argument
    } else if (argument < 0x1_0000) {
      this.#bytes[this.#end++] = first | 25
      this.#end = this.#bytes.writeUInt16BE(argument, this.#end)
    } else if (argument < 0x1_0000_0000) {
      this.#bytes[this.#end++] = first | 26
      this.#end = this.#bytes.writeUInt32BE(argument, this.#end)
    } else {
      this.#bytes[this.#end++] = first | 27
      this.#end = this.#bytes.writeUInt32BE(Math.floor(argument / 0x1_0000_0000), this.#end)
      this.#end = this.#bytes.writeUInt32BE(argument % 0x1_0000_0000, this.#end)
    }
  }

  #writeByte(byte: number): void {
    this.#reserve(1)
    this.#bytes[this.#end++] = byte
  }

  #reserve(count: number): void {
    if (this.#end + count <= this.#bytes.length) return
    const grown = Buffer.allocUnsafe(Math.max(2 * this.#bytes.length, this.#end + count))
    this.#bytes.copy(grown, 0, 0, this.#end)
    this.#bytes = grown
  }
}

const isArray = (value: WireValue): value is readonly WireValue[] => Array.isArray(value)

/**
 * Encodes a value.
 * @param roomBefore - bytes left free before it
 * @throws {RangeError} on more than 16 levels
 */
export function encodeWireValue(value: WireValue, roomBefore = 0): Buffer {
  const writer = new Writer()
  writer.skip(roomBefore)
  writer.write(value, 0)
  return writer.take()
}

/**
 * The last map of a frame. The calls of one client have the same environment, which is most of their bytes: the same bytes at the
 * same level give the same map again, unread. So nobody may change a map.
 */
export class KnownMap {
  bytes: Buffer | undefined
  map: WireMap = {}
}

/** The level of the elements of a frame. */
const knownMapDepth = 1
/** A smaller map is read as fast. Bytes. */
const knownMapBytesMin = 128

class Reader {
  readonly #bytes: Buffer
  readonly #known: KnownMap | undefined
  #position = 0

  constructor(bytes: Buffer, known: KnownMap | undefined) {
    this.#bytes = bytes
    this.#known = known
  }

  get isAtEnd(): boolean {
    return this.#position === this.#bytes.length
  }

  read(depth: number): WireValue {
    if (depth > nestingMax) throw new WireSyntaxError(`more than ${nestingMax} levels`)
    const start = this.#position
    if (depth === knownMapDepth && this.#known !== undefined && this.#skipKnown(this.#known)) return this.#known.map
    const initial = this.#readByte()
    const major = initial >> 5
    if (major === simple) return this.#readSimple(initial)
    const argument = this.#readArgument(initial & 31)
    switch (major) {
      case unsigned:
        return argument
      case negative:
        return -1 - argument
      case byteString:
        return this.#take(argument)
      case textString:
        return this.#readText(argument)
      case arrayType: {
        this.#requireRoom(argument)
        const list: WireValue[] = []
        for (let index = 0; index < argument; index++) list.push(this.read(depth + 1))
        return list
      }
      case mapType:
        return this.#keep(start, depth, this.#readMap(argument, depth))
      default:
        throw new WireSyntaxError(`type ${major} at byte ${this.#position - 1}`)
    }
  }

  #skipKnown({ bytes }: KnownMap): boolean {
    const start = this.#position
    if (bytes === undefined || this.#bytes.length - start < bytes.length || this.#bytes[start] !== bytes[0])
      return false
    if (bytes.compare(this.#bytes, start, start + bytes.length) !== 0) return false
    this.#position += bytes.length
    return true
  }

  #keep(start: number, depth: number, map: WireMap): WireMap {
    if (this.#known !== undefined && depth === knownMapDepth && this.#position - start >= knownMapBytesMin) {
      // Not a view: it would keep a whole read of the socket.
      this.#known.bytes = Buffer.from(this.#bytes.subarray(start, this.#position))
      this.#known.map = map
    }
    return map
  }

  #readMap(count: number, depth: number): WireMap {
    this.#requireRoom(2 * count)
    const map: Record<string, WireValue> = Object.create(null)
    for (let index = 0; index < count; index++) {
      const initial = this.#readByte()
      if (initial >> 5 !== textString) throw new WireSyntaxError(`a key at byte ${this.#position - 1} is not text`)
      const name = this.#readText(this.#readArgument(initial & 31))
      if (name in map) throw new WireSyntaxError(`the key '${name}' is given twice`)
      map[name] = this.read(depth + 1)
    }
    return map
  }

  #readSimple(initial: number): WireValue {
    if (initial === nullByte) return null
    if (initial === trueByte) return true
    if (initial === falseByte) return false
    if (initial === float64Byte) return this.#take(8).readDoubleBE(0)
    throw new WireSyntaxError(`byte 0x${initial.toString(16)} at ${this.#position - 1}`)
  }

  #readArgument(info: number): number {
    if (info < 24) return info
    if (info > 27) throw new WireSyntaxError(`indefinite or reserved length at byte ${this.#position - 1}`)
    const width = 1 << (info - 24)
    const bytes = this.#take(width)
    const argument =
      width < 8 ? bytes.readUIntBE(0, width) : bytes.readUInt32BE(0) * 0x1_0000_0000 + bytes.readUInt32BE(4)
    if (argument < (width === 1 ? 24 : 2 ** (4 * width))) throw new WireSyntaxError('a head is not the shortest')
    if (!Number.isSafeInteger(argument)) throw new WireSyntaxError(`an integer above 2^53 at byte ${this.#position}`)
    return argument
  }

  #readText(length: number): string {
    const bytes = this.#take(length)
    const text = bytes.toString('utf8')
    // Node puts U+FFFD for what is not UTF-8.
    if (text.includes('\ufffd') && !Buffer.from(text).equals(bytes)) throw new WireSyntaxError('text that is not UTF-8')
    return text
  }

  #readByte(): number {
    const byte = this.#bytes[this.#position]
    if (byte === undefined) throw new WireSyntaxError('the value is cut off')
    this.#position++
    return byte
  }

  #take(count: number): Buffer {
    this.#requireRoom(count)
    this.#position += count
    return this.#bytes.subarray(this.#position - count, this.#position)
  }

  /** A length that the rest cannot hold is refused before anything is allocated for it. */
  #requireRoom(count: number): void {
    if (count > this.#bytes.length - this.#position) throw new WireSyntaxError('a length is beyond the end')
  }
}

/**
 * Decodes one value that fills the bytes. Byte strings are views into them.
 * @param known - of the same peer
 * @throws {WireSyntaxError}
 */
export function decodeWireValue(bytes: Buffer, known?: KnownMap): WireValue {
  const reader = new Reader(bytes, known)
  const value = reader.read(0)
  if (!reader.isAtEnd) throw new WireSyntaxError('bytes after the value')
  return value
}

/** A text of a peer; empty for anything else. */
export function wireText(value: WireValue | undefined): string {
  return typeof value === 'string' ? value : ''
}

/** A number of a peer; 0 for anything else. */
export function wireNumber(value: WireValue | undefined): number {
  return typeof value === 'number' ? value : 0
}
