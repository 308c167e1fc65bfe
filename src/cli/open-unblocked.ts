import { constants, fstatSync, openSync } from 'node:fs'

/**
 * Reopens the pipe in non-blocking mode, because a process blocked in a write does not see signals. Other processes keep
 * the pipe in its original mode. Linux only.
 */
export function openUnblocked(descriptor: number): number {
  try {
    if (process.platform !== 'linux' || !fstatSync(descriptor).isFIFO()) return descriptor
    return openSync(`/proc/self/fd/${descriptor}`, constants.O_WRONLY | constants.O_NONBLOCK)
  } catch {
    return descriptor
  }
}
