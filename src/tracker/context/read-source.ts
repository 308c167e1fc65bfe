import { constants } from 'node:fs'
import { open } from 'node:fs/promises'

/** Larger files have no facts. Bytes. */
export const sourceBytesMax = 1024 * 1024

/** Reads a source file; follows no link at the end of its path, and waits for no pipe. */
export async function readSource(path: string): Promise<Uint8Array | 'large' | 'unreadable'> {
  try {
    const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    try {
      const facts = await file.stat()
      if (!facts.isFile()) return 'unreadable'
      if (facts.size > sourceBytesMax) return 'large'
      const content = Buffer.alloc(facts.size)
      const { bytesRead } = await file.read(content, 0, content.length, 0)
      return content.subarray(0, bytesRead)
    } finally {
      await file.close()
    }
  } catch {
    return 'unreadable'
  }
}
