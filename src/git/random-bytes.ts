import { randomBytes as cryptoRandomBytes } from 'node:crypto'
import { closeSync, openSync, readSync } from 'node:fs'

/** Random bytes of the kernel, from which node:crypto gets its own; loading node:crypto takes several milliseconds. */
export function randomBytes(count: number): Buffer {
  const bytes = Buffer.alloc(count)
  let file: number | undefined
  try {
    file = openSync('/dev/urandom', 'r')
    if (readSync(file, bytes, 0, count, null) === count) return bytes
  } catch {
    // Not every system has it.
  } finally {
    if (file !== undefined) closeSync(file)
  }
  return cryptoRandomBytes(count)
}
