const hexOfByte: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/** Formats bytes, or those from `start` up to `end`, as lower-case hex. */
export function formatHex(bytes: Uint8Array, start = 0, end = bytes.length): string {
  let text = ''
  for (let index = start; index < end; index++) text += hexOfByte[bytes[index] as number]
  return text
}

/** Parses hex of either case; undefined when the length is odd or a character is not hexadecimal. */
export function parseHex(text: string): Uint8Array | undefined {
  if (text.length % 2 !== 0) return undefined
  const bytes = new Uint8Array(text.length / 2)
  for (let index = 0; index < bytes.length; index++) {
    const high = nibble(text.charCodeAt(2 * index))
    const low = nibble(text.charCodeAt(2 * index + 1))
    if (high < 0 || low < 0) return undefined
    bytes[index] = (high << 4) | low
  }
  return bytes
}

function nibble(code: number): number {
  if (code >= 48 && code <= 57) return code - 48
  if (code >= 97 && code <= 102) return code - 87
  if (code >= 65 && code <= 70) return code - 55
  return -1
}

/** Sixteen random bytes as a UUID of version 4 (RFC 9562 §5.4), hyphenated, lower case. */
export function formatUuid(random: Uint8Array): string {
  const bytes = random.slice(0, 16)
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x40
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80
  return formatHex(bytes).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
