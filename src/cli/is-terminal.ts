import { fstatSync } from 'node:fs'
import { isatty } from 'node:tty'

/** Checks the file type first: a pipe or a file is not a terminal, and `node:tty` would load Node's streams to find out. */
export function isTerminal(descriptor: number): boolean {
  try {
    return fstatSync(descriptor).isCharacterDevice() && isatty(descriptor)
  } catch {
    return false
  }
}
