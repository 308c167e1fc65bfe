import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Where local appenders wait for each other, so that fifty at once do not all build a commit that only one of them can
 * land. Advisory: the ref's compare-and-swap is what guards the log, so a queue that cannot be entered in time is
 * passed by, and a holder that lost its place harms nothing.
 */
export interface Queue {
  /** Waits for a turn; the result ends it. Never throws. */
  readonly enter: () => Promise<() => Promise<void>>
}

/** For streams that only one process can reach, as in tests. */
export const noQueue: Queue = { enter: async () => async () => {} }

/** A holder that has not touched its lock for this long is taken for dead. The least that proper-lockfile allows. */
const staleMs = 2000
const waitMsMax = 8000
const pollMsMin = 3
const pollMsMax = 30

/** A queue on a lock file beside `path`. The folder of `path` must exist. */
export function lockFileQueue(path: string): Queue {
  return {
    async enter() {
      const { lock } = await import('proper-lockfile')
      // Asked for only when there is something to wait for: the first look at `performance` loads 2 ms of Node.
      let deadlineMs: number | undefined
      for (let pollMs = pollMsMin; ; pollMs = Math.min(2 * pollMs, pollMsMax)) {
        try {
          const release = await lock(path, { realpath: false, stale: staleMs, retries: 0, onCompromised: () => {} })
          return () => release().catch(() => {})
        } catch (error) {
          // Only a queue that others are in is worth waiting for; a folder that cannot be written stays so.
          const isOccupied = (error as NodeJS.ErrnoException).code === 'ELOCKED'
          if (!isOccupied) return async () => {}
          deadlineMs ??= performance.now() + waitMsMax
          if (performance.now() >= deadlineMs) return async () => {}
          await sleep(pollMs * (0.5 + Math.random()))
        }
      }
    },
  }
}
