import { type GitPort, type Oid, type PendingObject, Retry, type RetryOptions, showRemote } from '../git/index.ts'
import { RefMovedError } from '../model/index.ts'
import { appendRetryMsMax } from './append.ts'
import { isCommit } from './sound-head.ts'
import { type StreamRef, updateOf } from './stream.ts'
import type { SyncPlace } from './sync-request.ts'

const backoffMsFirst = 40

/** A move of the local ref. */
export interface LocalMove {
  readonly expected: Oid | null
  readonly next: Oid
  /** Objects of `next` that no ref names yet. */
  readonly staged?: readonly PendingObject[]
}

/** Retries under the clock, the jitter and the signal of a sync. */
export function patienceOf(
  { jitter, clock, signal }: Pick<SyncPlace, 'jitter' | 'clock' | 'signal'>,
  bounds: Pick<RetryOptions, 'maxMs' | 'triesMax' | 'forMs'>,
): Retry {
  return new Retry({ firstMs: backoffMsFirst, ...bounds, jitter, nowMs: () => clock.nowUnixMs(), signal })
}

/** The local head, and the ref's value: an unreadable head counts as none, and the remote's takes its place. */
export async function readLocalHead(
  git: GitPort,
  { ref }: StreamRef,
): Promise<{ readonly head: Oid | null; readonly named: Oid | null }> {
  const named = await git.readRef(ref)
  return { named, head: named !== null && (await isCommit(git, named)) ? named : null }
}

/**
 * Moves the local ref during a sync, while local writers wait. Retries until the ref accepts a plan made from its present
 * value.
 *
 * @param plan - null means nothing to move
 */
export async function moveLocalRef(
  place: SyncPlace & { readonly stream: StreamRef },
  remote: string,
  plan: () => Promise<LocalMove | null>,
): Promise<void> {
  const { git, stream, queue } = place
  const retry = patienceOf(place, { forMs: appendRetryMsMax })
  const leave = await queue.enter()
  try {
    for (;;) {
      const move = await plan()
      if (move === null || move.expected === move.next) return
      const { expected, next, staged = [] } = move
      try {
        const reflogMessage = `grite: sync with ${showRemote(remote)}`
        return await git.publish({
          objects: [],
          staged,
          updates: [updateOf(stream, { expected, next, reflogMessage })],
        })
      } catch (error) {
        if (!(error instanceof RefMovedError) || !(await retry.again())) throw error
      }
    }
  } finally {
    await leave()
  }
}
