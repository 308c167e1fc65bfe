/**
 * SHA-1 (FIPS 180-4) of a few small objects: loading node:crypto takes longer than hashing what a short command writes.
 *
 * @param parts - hashed as if they were one
 * @returns the digest in hex
 */
export function smallSha1(parts: readonly Uint8Array[]): string {
  const length = parts.reduce((sum, part) => sum + part.length, 0)
  // A bit 1, zeros, and the length in bits as 64-bit integer fill the last block.
  const bytes = Buffer.alloc((Math.floor((length + 8) / blockBytes) + 1) * blockBytes)
  let end = 0
  for (const part of parts) {
    bytes.set(part, end)
    end += part.length
  }
  bytes[end] = 0x80
  bytes.writeUInt32BE(Math.floor(length / 0x2000_0000), bytes.length - 8)
  bytes.writeUInt32BE((length * 8) >>> 0, bytes.length - 4)
  const state = Int32Array.of(0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0)
  const words = new Int32Array(80)
  for (let start = 0; start < bytes.length; start += blockBytes) addBlock(state, words, bytes, start)
  const digest = Buffer.alloc(20)
  state.forEach((word, index) => {
    digest.writeInt32BE(word, index * 4)
  })
  return digest.toString('hex')
}

const blockBytes = 64

/** Written without helpers: most of it runs in V8's interpreter. */
function addBlock(state: Int32Array, words: Int32Array, bytes: Buffer, start: number): void {
  for (let index = 0; index < 16; index++) words[index] = bytes.readInt32BE(start + index * 4)
  for (let index = 16; index < 80; index++) {
    const word =
      (words[index - 3] as number) ^
      (words[index - 8] as number) ^
      (words[index - 14] as number) ^
      (words[index - 16] as number)
    words[index] = (word << 1) | (word >>> 31)
  }
  let [a, b, c, d, e] = state as unknown as [number, number, number, number, number]
  let index = 0
  let next: number
  for (; index < 20; index++) {
    next = (((a << 5) | (a >>> 27)) + ((b & c) | (~b & d)) + e + 0x5a827999 + (words[index] as number)) | 0
    e = d
    d = c
    c = (b << 30) | (b >>> 2)
    b = a
    a = next
  }
  for (; index < 40; index++) {
    next = (((a << 5) | (a >>> 27)) + (b ^ c ^ d) + e + 0x6ed9eba1 + (words[index] as number)) | 0
    e = d
    d = c
    c = (b << 30) | (b >>> 2)
    b = a
    a = next
  }
  for (; index < 60; index++) {
    next = (((a << 5) | (a >>> 27)) + ((b & c) | (b & d) | (c & d)) + e + 0x8f1bbcdc + (words[index] as number)) | 0
    e = d
    d = c
    c = (b << 30) | (b >>> 2)
    b = a
    a = next
  }
  for (; index < 80; index++) {
    next = (((a << 5) | (a >>> 27)) + (b ^ c ^ d) + e + 0xca62c1d6 + (words[index] as number)) | 0
    e = d
    d = c
    c = (b << 30) | (b >>> 2)
    b = a
    a = next
  }
  state[0] = (state[0] as number) + a
  state[1] = (state[1] as number) + b
  state[2] = (state[2] as number) + c
  state[3] = (state[3] as number) + d
  state[4] = (state[4] as number) + e
}
