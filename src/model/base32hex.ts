import { formatHex } from './hex.ts'

/**
 * Formats bytes in base32hex (RFC 4648 §7), lower case. Their number must be a multiple of five, so that no padding is
 * needed.
 */
export function base32hex(bytes: Uint8Array): string {
  if (bytes.length % 5 !== 0) throw new RangeError(`${bytes.length} bytes do not fill base32 digits`)
  if (bytes.length === 0) return ''
  // The digits of a number to base 32 are 0-9 and a-v, as here.
  return BigInt(`0x${formatHex(bytes)}`)
    .toString(32)
    .padStart((8 * bytes.length) / 5, '0')
}
