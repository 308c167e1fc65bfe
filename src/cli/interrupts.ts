/** Runs cleanups on SIGINT, SIGTERM or SIGHUP, newest first, within a bounded time. A second signal exits at once. */

type Cleanup = () => void | Promise<void>

/** A hanging cleanup must not block the exit. */
const cleanupMsMax = 2000

export interface Interrupts {
  readonly onInterrupt: (cleanup: Cleanup) => () => void
  readonly run: () => Promise<void>
  /** True from the first signal on. */
  readonly running: boolean
  /** Ignores Ctrl-C for another program that uses the terminal, until the returned function is called. */
  readonly leave: () => () => void
  readonly left: boolean
}

export function createInterrupts(): Interrupts {
  const cleanups: Cleanup[] = []
  let running = false
  let leaveCount = 0
  return {
    get running() {
      return running
    },
    get left() {
      return leaveCount > 0
    },
    leave() {
      leaveCount++
      return () => {
        leaveCount--
      }
    },
    onInterrupt(cleanup) {
      cleanups.push(cleanup)
      return () => {
        const index = cleanups.indexOf(cleanup)
        if (index >= 0) cleanups.splice(index, 1)
      }
    },
    async run() {
      running = true
      const all = (async () => {
        for (let cleanup = cleanups.pop(); cleanup !== undefined; cleanup = cleanups.pop()) {
          // One failed cleanup must not stop the others, and nobody can receive the error any more.
          await Promise.resolve(cleanup()).catch(() => undefined)
        }
      })()
      await Promise.race([all, new Promise((resolve) => setTimeout(resolve, cleanupMsMax).unref())])
    },
  }
}
