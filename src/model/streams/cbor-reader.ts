import { formatHex } from '../hex.ts'
import { StreamFormatError } from './format-error.ts'

const nullByte = 0xf6
const major = { unsigned: 0, bytes: 2, text: 3, array: 4 } as const
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Smallest argument for each width of a head. */
const smallestOfWidth = [24, 0x100, 0x1_0000, 0x1_0000_0000]

/**
 * Reads canonical CBOR element by element. Every method throws a `StreamFormatError` on anything but the element it
 * reads; lengths are checked against the data before anything is allocated.
 */
export class CborReader {
  readonly #bytes: Uint8Array
  #position: number

  constructor(bytes: Uint8Array, start = 0) {
    this.#bytes = bytes
    this.#position = start
  }

  get position(): number {
    return this.#position
  }

  /** Fails unless everything has been read. */
  end(): void {
    if (this.#position !== this.#bytes.length) this.fail('the end of the data')
  }

  fail(expected: string): never {
    throw new StreamFormatError(`expected ${expected} at byte ${this.#position}`)
  }

  /** Moves past a null, if there is one. */
  skipNull(): boolean {
    if (this.#bytes[this.#position] !== nullByte) return false
    this.#position++
    return true
  }

  orNull<Value>(read: () => Value): Value | null {
    return this.skipNull() ? null : read()
  }

  unsigned(what: string): number {
    return this.#head(major.unsigned, what)
  }

  bytes(what: string, length?: number): Uint8Array {
    const found = this.#head(major.bytes, what)
    if (length !== undefined && found !== length) this.fail(`${what} of ${length} bytes`)
    return this.#take(found, what)
  }

  hex(what: string, length: number): string {
    return formatHex(this.bytes(what, length))
  }

  text(what: string): string {
    const bytes = this.#take(this.#head(major.text, what), what)
    try {
      return utf8.decode(bytes)
    } catch {
      return this.fail(`${what} in UTF-8`)
    }
  }

  /** The head of an array with a fixed number of elements. */
  tuple(length: number, what: string): void {
    if (this.#head(major.array, what) !== length) this.fail(`${what} of ${length} elements`)
  }

  /** The head of an array with any number of elements. @returns the number */
  count(what: string, countMax: number): number {
    const count = this.#head(major.array, what)
    if (count > countMax) this.fail(`at most ${countMax} ${what}`)
    if (count > this.#bytes.length - this.#position) this.fail(`${what} inside the data`)
    return count
  }

  list<Item>(what: string, countMax: number, read: () => Item): Item[] {
    const items: Item[] = []
    for (let rest = this.count(what, countMax); rest > 0; rest--) items.push(read())
    return items
  }

  isArray(): boolean {
    return (this.#bytes[this.#position] ?? 0) >> 5 === major.array
  }

  /** Moves past any item, with at most this many levels of arrays. */
  skip(nestingMax: number): void {
    if (this.skipNull()) return
    const kind = (this.#bytes[this.#position] ?? 0xff) >> 5
    if (kind === major.unsigned) this.unsigned('a number')
    else if (kind === major.bytes) this.bytes('bytes')
    else if (kind === major.text) this.text('text')
    else if (kind === major.array && nestingMax > 0)
      for (let rest = this.count('elements', this.#bytes.length); rest > 0; rest--) this.skip(nestingMax - 1)
    else this.fail('an element of a known type')
  }

  #take(length: number, what: string): Uint8Array {
    if (length > this.#bytes.length - this.#position) this.fail(`${what} inside the data`)
    const start = this.#position
    this.#position += length
    return this.#bytes.subarray(start, this.#position)
  }

  #head(kind: number, what: string): number {
    const initial = this.#bytes[this.#position]
    if (initial === undefined || initial >> 5 !== kind) this.fail(what)
    const info = initial & 31
    if (info < 24) {
      this.#position++
      return info
    }
    if (info > 27) this.fail(what)
    const start = this.#position + 1
    const end = start + (1 << (info - 24))
    if (end > this.#bytes.length) this.fail(what)
    let argument = 0
    for (let index = start; index < end; index++) argument = argument * 256 + (this.#bytes[index] as number)
    if (argument < (smallestOfWidth[info - 24] as number)) this.fail(`${what} in its shortest form`)
    if (argument > Number.MAX_SAFE_INTEGER) this.fail(`${what} below 2^53`)
    this.#position = end
    return argument
  }
}
