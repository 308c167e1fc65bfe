import { fstatSync } from 'node:fs'
import { isatty } from 'node:tty'

/** `/dev/null` on Linux: character device 1, 3. */
const nullDevice = process.platform === 'linux' ? 0x103 : -1

/** Checks the file type first: a pipe or a file is not a terminal, and `node:tty` would load Node's streams to find out. */
export function isTerminal(descriptor: number): boolean {
  try {
    const found = fstatSync(descriptor)
    return found.isCharacterDevice() && found.rdev !== nullDevice && isatty(descriptor)
  } catch {
    return false
  }
}
