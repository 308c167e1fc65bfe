/**
 * zlib streams (RFC 1950) whose content is stored, not compressed (RFC 1951 §3.2.4): small objects take the same room on
 * the disk either way, and loading node:zlib takes a millisecond.
 *
 *     78 01 | per block: 01 for the last one, else 00; length and its complement, both 16 bits LE; bytes | Adler-32 BE
 */

/** Maximum length of content to store: with header and checksum, a file still fits one disk block of 4 KiB. */
export const storedBytesMax = 4000

const overheadBytes = 2 + 5 + 4

/** @param content - at most `storedBytesMax` bytes */
export function storeZlib(content: Uint8Array): Buffer {
  if (content.length > storedBytesMax) throw new RangeError(`${content.length} bytes are too many to store`)
  const bytes = Buffer.allocUnsafe(content.length + overheadBytes)
  bytes[0] = 0x78
  bytes[1] = 0x01
  bytes[2] = 1
  bytes.writeUInt16LE(content.length, 3)
  bytes.writeUInt16LE(content.length ^ 0xffff, 5)
  bytes.set(content, 7)
  bytes.writeUInt32BE(adler32(content), bytes.length - 4)
  return bytes
}

/**
 * Reads what `storeZlib` wrote.
 *
 * @returns the content; null for any other bytes, which may be a stream that only zlib can read
 */
export function readStoredZlib(bytes: Buffer): Buffer | null {
  const length = bytes.length - overheadBytes
  if (length < 0 || length > storedBytesMax || bytes[0] !== 0x78 || bytes[1] !== 0x01 || bytes[2] !== 1) return null
  if (bytes.readUInt16LE(3) !== length || bytes.readUInt16LE(5) !== (length ^ 0xffff)) return null
  const content = bytes.subarray(7, 7 + length)
  return bytes.readUInt32BE(bytes.length - 4) === adler32(content) ? content : null
}

/** Exact without a remainder for each byte: the sums of `storedBytesMax` bytes are below 2^53. */
function adler32(bytes: Uint8Array): number {
  let low = 1
  let high = 0
  for (let index = 0; index < bytes.length; index++) {
    low += bytes[index] as number
    high += low
  }
  return (high % 65521) * 0x1_0000 + (low % 65521)
}
