import { formatHex } from './hex.ts'

/**
 * Formats bytes in base32hex (RFC 4648 §7), lower case. The byte count must be a multiple of five, so that no padding
 * is needed.
 */
export function base32hex(bytes: Uint8Array): string {
  if (bytes.length % 5 !== 0) throw new RangeError(`${bytes.length} bytes are not a multiple of 5`)
  if (bytes.length === 0) return ''
  // The digits of `toString(32)` are 0-9 and a-v, the same as in base32hex.
  return BigInt(`0x${formatHex(bytes)}`)
    .toString(32)
    .padStart((8 * bytes.length) / 5, '0')
}
