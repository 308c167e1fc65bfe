import { type FetchRequest, type LeftOutRefs, type RemotePort, Retry } from '../git/index.ts'
import { RefLockedError, RefMovedError } from '../model/index.ts'

const triesMax = 12
const pauseMs = 40

export interface Patience {
  readonly clock: { readonly nowUnixMs: () => number }
  /** A number from 0 up to, not including, 1. */
  readonly jitter: () => number
  readonly signal?: AbortSignal | undefined
}

/** Fetches, and retries while another process of this repository moves the same tracking refs. */
export async function fetchWithRetry(
  remotes: Pick<RemotePort, 'fetch'>,
  request: FetchRequest,
  { clock, jitter, signal }: Patience,
): Promise<readonly LeftOutRefs[]> {
  const retry = new Retry({ firstMs: pauseMs, triesMax, jitter, nowMs: () => clock.nowUnixMs(), signal })
  for (;;) {
    try {
      return await remotes.fetch(request)
    } catch (error) {
      const isRace = error instanceof RefMovedError || error instanceof RefLockedError
      if (!isRace || !(await retry.again())) throw error
    }
  }
}
