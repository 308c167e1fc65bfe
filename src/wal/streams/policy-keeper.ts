/**
 * Applies the retention policies of streams after seals, so that nobody has to.
 *
 * Looking at a generation reads all its commits. So a look follows each seal while there are few, and later each eighth of
 * what the generation has: about eight commits are read for each one that is made, however long the stream is.
 */
import type { StreamId } from '../../model/streams/index.ts'
import type { StreamHead } from './stream-heads.ts'

export interface PolicyKeeperPlace {
  readonly apply: (streamId: StreamId) => Promise<void>
  /** Receives why a policy was not applied; the next look tries again. */
  readonly onFailure: (head: StreamHead, error: unknown) => void
}

export class PolicyKeeper {
  readonly #place: PolicyKeeperPlace
  readonly #running = new Map<StreamId, Promise<void>>()
  #isClosed = false

  constructor(place: PolicyKeeperPlace) {
    this.#place = place
  }

  /** Some commits were sealed. Resolves when the policy has been applied, where that is due. */
  async note({ count, head }: { readonly count: number; readonly head: StreamHead }): Promise<void> {
    const { streamId, lineage, commitCount } = head.manifest
    if (lineage.metadata.retention === null || this.#isClosed || !isLookDue(commitCount, count)) return
    const running = this.#running.get(streamId) ?? this.#apply(head)
    await running
  }

  /** Waits for what is under way, and begins nothing more. */
  async close(): Promise<void> {
    this.#isClosed = true
    await Promise.all(this.#running.values())
  }

  #apply(head: StreamHead): Promise<void> {
    const { streamId } = head.manifest
    const running = this.#place
      .apply(streamId)
      .catch((error: unknown) => this.#place.onFailure(head, error))
      .finally(() => this.#running.delete(streamId))
    this.#running.set(streamId, running)
    return running
  }
}

/** Whether one of the newest commits of a generation is one after which to look. */
function isLookDue(commitCount: number, newest: number): boolean {
  for (let count = commitCount; count > commitCount - newest && count > 0; count--)
    if (count % Math.max(1, Math.floor(count / 8)) === 0) return true
  return false
}
