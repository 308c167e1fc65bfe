import { readFileSync } from 'node:fs'

/** Undefined for a file that is missing or unreadable. */
export function readTextIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
