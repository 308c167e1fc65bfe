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
