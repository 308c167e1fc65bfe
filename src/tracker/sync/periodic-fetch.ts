/**
 * Fetches from a remote again and again, beside a request that reads what arrives.
 *
 * Invariants
 * - A fetch has a workspace of its own over the same repository, so that its reader is never held up by a slow remote.
 * - One fetch at a time. A failed one is reported once, and again only when the failure changes or after a success.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { GriteError } from '../../model/index.ts'
import type { CommandContext } from '../effects.ts'
import { Workspace } from '../workspace.ts'

export interface PeriodicFetch {
  /** Resolves after the first fetch, also when it has failed. */
  readonly first: Promise<void>
  /** Ends the fetch under way, with every process that it started. Never throws. */
  readonly stop: () => Promise<void>
}

export interface FetchPlan {
  /** For messages: what is fetched. */
  readonly what: string
  readonly fetch: (repository: Workspace) => Promise<void>
  /** From the end of one fetch to the start of the next. */
  readonly pauseMs: number
}

/** Fetches now, and then as often as asked for. */
export function startPeriodicFetch(
  context: Pick<CommandContext, 'warn'>,
  { shared, facts }: Workspace,
  { what, fetch, pauseMs }: FetchPlan,
): PeriodicFetch {
  const stopped = new AbortController()
  let workspace: Workspace | undefined
  let failure: string | undefined

  async function fetchOnce(): Promise<void> {
    workspace = new Workspace(shared, facts)
    try {
      await fetch(workspace)
      failure = undefined
    } catch (error) {
      if (stopped.signal.aborted) return
      if (!(error instanceof GriteError)) throw error
      if (error.message !== failure) report(error)
      failure = error.message
    } finally {
      await workspace.close()
    }
  }

  function report({ code, message, details }: GriteError): void {
    context.warn({
      code: 'fetch-failed',
      message: `could not fetch ${what}, and will try again: ${message}`,
      details: { ...details, code },
    })
  }

  const first = fetchOnce()
  async function run(): Promise<void> {
    for (await first; ; await fetchOnce()) await sleep(pauseMs, undefined, { signal: stopped.signal })
  }

  const running = run().catch((error: unknown) => {
    if (!stopped.signal.aborted)
      context.warn({ code: 'fetch-failed', message: `fetching ended: ${(error as Error).message}` })
  })
  return {
    first: first.catch(() => {}),
    async stop() {
      stopped.abort()
      await workspace?.close()
      await running
    },
  }
}
