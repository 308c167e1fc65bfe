/**
 * Tells a client that a resource has changed: one watch of the log for everything that depends on it, and a tail for each stream.
 *
 * Invariants
 * - A change after the answer to `subscribe` is told, because each feed begins at what was there when the resource was read.
 * - Changes that follow each other closely are one notification for each resource.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { describeFailure } from '../commands/describe-failure.ts'
import type { CommandName } from '../commands/index.ts'
import type { StreamReadData } from '../commands/stream/read.ts'
import type { WatchItem } from '../commands/watch/watch.ts'
import { ConflictError } from '../model/errors/index.ts'
import type { Clock, CommandContext } from '../tracker/effects.ts'
import type { Calls } from './calls.ts'
import { findIssueId, parseResourceUri } from './resources.ts'

export interface SubscriptionParts {
  readonly calls: Calls
  readonly clock: Clock
  readonly warn: CommandContext['warn']
  /** Must not throw. */
  readonly notify: (uri: string) => void
}

/** Each stream has a tail of its own. */
export const subscriptionsMax = 64
/** Milliseconds. */
const gatherMs = 50
const retryMs = 1_000

interface Subscription {
  /** The issue, for one of an issue; null where any event may matter. */
  readonly issueId: string | null
  readonly stop: AbortController
  readonly isStream: boolean
}

export class Subscriptions {
  readonly #parts: SubscriptionParts
  readonly #subscribed = new Map<string, Subscription>()
  readonly #running = new Set<Promise<void>>()
  readonly #changed = new Set<string>()
  #watch: AbortController | undefined
  #gathering: NodeJS.Timeout | undefined

  constructor(parts: SubscriptionParts) {
    this.#parts = parts
  }

  /** @throws {GriteError} when the resource cannot be read */
  async subscribe(uri: string, signal: AbortSignal): Promise<void> {
    const name = parseResourceUri(uri)
    if (this.#subscribed.has(uri)) return
    if (this.#subscribed.size >= subscriptionsMax) {
      throw new ConflictError(`${subscriptionsMax} resources are subscribed`, {
        hints: ['Unsubscribe from one that is no longer needed'],
      })
    }
    const { calls, clock } = this.#parts
    const stop = new AbortController()
    if (name.kind === 'stream') {
      const { data } = await calls.read('stream read', { stream: name.id, limit: 1 }, { signal })
      let from = (data as StreamReadData).end_offset
      this.#subscribed.set(uri, { issueId: null, stop, isStream: true })
      const input = () => ({ stream: name.id, from: `${from}` })
      this.#follow('stream tail', input, stop.signal, (item) => {
        from = (item as { readonly offset: number }).offset + 1
        this.#tell(uri)
      })
      return
    }
    const issueId = name.kind === 'issue' ? await findIssueId(calls, name.id, { signal }) : null
    this.#subscribed.set(uri, { issueId, stop, isStream: false })
    if (this.#watch !== undefined) return
    this.#watch = new AbortController()
    let sinceUnixMs = clock.nowUnixMs()
    this.#follow(
      'watch',
      () => ({ since: `${sinceUnixMs}` }),
      this.#watch.signal,
      (item) => {
        const { issue_id: changed, ts_unix_ms: tsUnixMs } = item as WatchItem
        sinceUnixMs = tsUnixMs
        for (const [each, { issueId: own, isStream }] of this.#subscribed) {
          if (!isStream && (own === null || own === changed)) this.#tell(each)
        }
      },
    )
  }

  unsubscribe(uri: string): void {
    this.#subscribed.get(uri)?.stop.abort()
    this.#subscribed.delete(uri)
    if ([...this.#subscribed.values()].some(({ isStream }) => !isStream)) return
    this.#watch?.abort()
    this.#watch = undefined
  }

  async close(): Promise<void> {
    for (const uri of [...this.#subscribed.keys()]) this.unsubscribe(uri)
    clearTimeout(this.#gathering)
    await Promise.all(this.#running)
  }

  /** Runs a feed until it is stopped, and again after a failure. */
  #follow(
    name: CommandName,
    input: () => Readonly<Record<string, unknown>>,
    signal: AbortSignal,
    take: (item: unknown) => void,
  ): void {
    const { calls, warn } = this.#parts
    const run = async () => {
      while (!signal.aborted) {
        try {
          await calls.feed(name, input(), async (item) => take(item), { signal, warn })
        } catch (error) {
          if (signal.aborted) return
          const { code, message } = describeFailure(error)
          warn({ code, message })
        }
        await sleep(retryMs, undefined, { signal }).catch(() => {})
      }
    }
    const running = run().finally(() => {
      this.#running.delete(running)
    })
    this.#running.add(running)
  }

  #tell(uri: string): void {
    this.#changed.add(uri)
    this.#gathering ??= setTimeout(() => {
      this.#gathering = undefined
      const changed = [...this.#changed]
      this.#changed.clear()
      for (const each of changed) if (this.#subscribed.has(each)) this.#parts.notify(each)
    }, gatherMs)
  }
}
