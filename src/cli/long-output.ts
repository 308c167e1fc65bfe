/** Output longer than a pipe takes at once. In one module, so that a full pipe, which the build does not see, evaluates no other. */
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

/** Waits that take one turn of the event loop: a quick reader empties a pipe in that time. */
const quickWaitsMax = 50
const slowWaitMs = 2

/**
 * Waits before the next write to a full pipe.
 *
 * @param waits - how often the writer has waited since the pipe last took something
 */
export function waitForReader(waits: number): Promise<void> {
  return new Promise((resolve) => {
    if (waits < quickWaitsMax) setImmediate(resolve)
    else setTimeout(resolve, slowWaitMs)
  })
}
