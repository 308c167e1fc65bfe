/**
 * The CBOR of docs/ipc.md, written for tests that look at the bytes of a client: the decoder accepts the deterministic form
 * only.
 */

export type WireValue = number | bigint | string | boolean | null | Uint8Array | readonly WireValue[] | WireMap
export type WireMap = ReadonlyMap<string, WireValue>

const [unsigned, negative, bytes, text, array, map, , simple] = [0, 1, 2, 3, 4, 5, 6, 7]
const simpleValues: readonly (boolean | null)[] = [false, true, null]
const depthMax = 16

export function encodeWire(value: WireValue): Buffer {
  if (typeof value === 'number' && !Number.isInteger(value)) {
    const float = Buffer.alloc(9, 0xfb)
    float.writeDoubleBE(value, 1)
    return float
  }
  if (typeof value === 'number' || typeof value === 'bigint') {
    return value < 0 ? head(negative, -1n - BigInt(value)) : head(unsigned, BigInt(value))
  }
  if (typeof value === 'string') return withHead(text, Buffer.from(value))
  if (value instanceof Uint8Array) return withHead(bytes, value)
  if (value === null || typeof value === 'boolean') return head(simple, BigInt(20 + simpleValues.indexOf(value)))
  if (isList(value)) return Buffer.concat([head(array, BigInt(value.length)), ...value.map(encodeWire)])
  const entries = [...value].map(([key, item]) => [encodeWire(key), encodeWire(item)] as const)
  entries.sort(([one], [other]) => Buffer.compare(one, other))
  return Buffer.concat([head(map, BigInt(value.size)), ...entries.flat()])
}

const isList = (value: WireValue): value is readonly WireValue[] => Array.isArray(value)

const withHead = (major: number, content: Uint8Array) => Buffer.concat([head(major, BigInt(content.length)), content])

/** The shortest head of an item. */
function head(major: number, value: bigint): Buffer {
  if (value < 24n) return Buffer.from([(major << 5) | Number(value)])
  const log = value < 1n << 8n ? 0 : value < 1n << 16n ? 1 : value < 1n << 32n ? 2 : 3
  const long = Buffer.alloc(8)
  long.writeBigUInt64BE(value)
  return Buffer.concat([Buffer.from([(major << 5) | (24 + log)]), long.subarray(8 - 2 ** log)])
}

/**
 * Decodes one item that takes all the bytes. Integers above 2^53 are an error.
 * @throws {Error} unless the bytes are in the deterministic form
 */
export function decodeWire(item: Uint8Array): WireValue {
  const reader = { bytes: Buffer.from(item), at: 0 }
  const value = readItem(reader, depthMax)
  if (reader.at !== item.length) throw new Error(`${item.length - reader.at} bytes after the item`)
  if (!encodeWire(value).equals(item)) throw new Error(`not in deterministic form: ${reader.bytes.toString('hex')}`)
  return value
}

interface Reader {
  readonly bytes: Buffer
  at: number
}

function readItem(reader: Reader, depth: number): WireValue {
  const { major, value } = readHead(reader)
  switch (major) {
    case unsigned:
      return value
    case negative:
      return -1 - value
    case bytes:
      return new Uint8Array(take(reader, value))
    case text:
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(take(reader, value))
    case array:
      return Array.from({ length: value }, () => readItem(reader, deeper(depth)))
    case map:
      return new Map(
        Array.from({ length: value }, () => [requireText(readItem(reader, 1)), readItem(reader, deeper(depth))]),
      )
    default:
      return readSimple(value)
  }
}

function deeper(depth: number): number {
  if (depth === 1) throw new Error(`more than ${depthMax} levels deep`)
  return depth - 1
}

function requireText(value: WireValue): string {
  if (typeof value !== 'string') throw new Error('a key is not a text')
  return value
}

function readSimple(value: number): boolean | null {
  const found = simpleValues[value - 20]
  if (found === undefined) throw new Error(`unknown simple value ${value}`)
  return found
}

function readHead(reader: Reader): { readonly major: number; readonly value: number } {
  const first = take(reader, 1).readUInt8()
  const info = first & 31
  if (info < 24) return { major: first >> 5, value: info }
  if (info > 27) throw new Error('indefinite length')
  const long = Buffer.concat([Buffer.alloc(8), take(reader, 2 ** (info - 24))])
  const value = Number(long.readBigUInt64BE(long.length - 8))
  if (!Number.isSafeInteger(value)) throw new Error(`${value} is not below 2^53`)
  return { major: first >> 5, value }
}

function take(reader: Reader, count: number): Buffer {
  if (count > reader.bytes.length - reader.at) throw new Error('truncated item')
  reader.at += count
  return reader.bytes.subarray(reader.at - count, reader.at)
}
