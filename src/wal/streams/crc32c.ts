/** CRC-32C (Castagnoli) of journal frames and stored segments; `before` is that of the bytes in front of these. */
export type Crc32c = (bytes: Uint8Array, before?: number) => number

/** Loads the native implementation, when the first stream needs it. */
export async function loadCrc(): Promise<Crc32c> {
  const { crc32c } = await import('@node-rs/crc32')
  return crc32c
}
