/**
 * Notifications for subscribers (docs/ipc.md, Subscribe): one look at the repository serves all of them.
 *
 * Invariants
 * - An event is told once to each subscriber that was there when it came into the log, however it came.
 * - Nothing is kept for a slow subscriber: one that takes no bytes is dropped.
 * - Without subscribers nothing is read.
 */
import type { Oid, RefName } from '../git/index.ts'
import { type Frame, tell, type WireMap } from '../ipc/index.ts'
import { errorToWire } from '../ipc/wire-errors.ts'
import { toText } from '../library/call-on-wire.ts'
import { IpcError } from '../model/errors/index.ts'
import { LogFollower } from '../tracker/follow/follow-log.ts'
import { RefChanges } from '../tracker/follow/ref-changes.ts'
import type { Workspace } from '../tracker/workspace.ts'
import { leasePrefix, lockPrefix, remotesPrefix, snapshotPrefix } from '../wal/index.ts'
import type { Request } from './connection.ts'

const kinds = ['EventApplied', 'WalSynced', 'LockChanged', 'SnapshotCreated'] as const
type Kind = (typeof kinds)[number]

/** How often refs other than the log are looked at. Milliseconds. */
const lookMs = 250
/** A subscriber for which more waits is dropped. Bytes. */
const waitingBytesMax = 1024 * 1024

interface Subscriber {
  readonly request: Request
  readonly kinds: ReadonlySet<string>
}

export class Subscriptions {
  readonly #openWorkspace: () => Workspace
  readonly #subscribers = new Set<Subscriber>()
  #started: Promise<void> | undefined
  #looking: Promise<void> | undefined
  #stop = new AbortController()

  constructor(openWorkspace: () => Workspace) {
    this.#openWorkspace = openWorkspace
  }

  /** Resolves when the subscription has ended. @throws {Error} when the frame is none */
  async serve(request: Request, [, , wanted]: Frame): Promise<void> {
    if (!Array.isArray(wanted) || !wanted.every((kind) => typeof kind === 'string')) {
      throw new Error('the kinds are not an array of texts')
    }
    const subscriber = { request, kinds: new Set<string>(wanted.length === 0 ? kinds : wanted) }
    request.isEndless = true
    const ended = new Promise<void>((resolve) => {
      request.listener = { cancel: resolve }
      if (request.isCancelled) resolve()
    })
    await this.#start()
    this.#subscribers.add(subscriber)
    request.accept(null, () => 0)
    await Promise.race([ended, this.#looking])
    this.#subscribers.delete(subscriber)
    request.finish(tell.answer, null)
    if (this.#subscribers.size === 0) await this.close()
  }

  async close(): Promise<void> {
    this.#stop.abort()
    await this.#looking
  }

  /** Resolves when everything from now on is told. */
  #start(): Promise<void> {
    this.#started ??= this.#begin()
    return this.#started
  }

  async #begin(): Promise<void> {
    const workspace = this.#openWorkspace()
    const follower = await LogFollower.start(workspace, async () => undefined)
    const refs = await readRefs(workspace)
    this.#stop = new AbortController()
    this.#looking = this.#look(workspace, follower, refs).finally(async () => {
      this.#looking = undefined
      this.#started = undefined
      await workspace.close()
    })
  }

  async #look(workspace: Workspace, follower: LogFollower, refs: ReadonlyMap<RefName, Oid>): Promise<void> {
    const changes = new RefChanges(workspace.layout)
    let known = refs
    try {
      while (!this.#stop.signal.aborted) {
        for await (const events of follower.look()) {
          for (const { event_id, issue_id, actor, ts_unix_ms, wal_head } of events) {
            this.#tell('EventApplied', { event_id, issue_id, actor, ts_unix_ms, wal_head })
          }
        }
        const present = await readRefs(workspace)
        for (const [kind, ref, oid] of differences(known, present)) {
          this.#tell(kind, kind === 'WalSynced' ? { wal_head: oid } : { ref })
        }
        known = present
        await changes.wait(lookMs, this.#stop.signal)
      }
    } catch (error) {
      if (!this.#stop.signal.aborted) this.#fail(error)
    } finally {
      changes.close()
    }
  }

  #tell(kind: Kind, facts: WireMap): void {
    for (const subscriber of this.#subscribers) {
      const { request } = subscriber
      if (!subscriber.kinds.has(kind)) continue
      if (request.connection.waitingBytes > waitingBytesMax) this.#drop(subscriber)
      else void request.send(tell.notice, kind, facts)
    }
  }

  #drop({ request }: Subscriber): void {
    const message = `the subscriber took no bytes while ${waitingBytesMax} waited`
    request.finish(tell.failure, errorText(message))
    request.cancel()
    request.connection.end()
  }

  /** The repository cannot be read any more. */
  #fail(error: unknown): void {
    const message = error instanceof Error ? error.message : 'unknown reason'
    for (const { request } of this.#subscribers) request.finish(tell.failure, errorText(message))
  }
}

function errorText(message: string): string {
  return toText(errorToWire(new IpcError(message)))
}

async function readRefs({ git }: Workspace): Promise<ReadonlyMap<RefName, Oid>> {
  const rows = await git.listRefs([lockPrefix, leasePrefix, remotesPrefix, snapshotPrefix], () => {})
  return new Map(rows.map(({ ref, oid }) => [ref, oid]))
}

function* differences(
  before: ReadonlyMap<RefName, Oid>,
  after: ReadonlyMap<RefName, Oid>,
): Generator<readonly [kind: Kind, ref: RefName, oid: Oid | null]> {
  for (const ref of new Set([...before.keys(), ...after.keys()])) {
    const oid = after.get(ref) ?? null
    if (before.get(ref) === (oid ?? undefined)) continue
    if (ref.startsWith(snapshotPrefix)) {
      if (!before.has(ref)) yield ['SnapshotCreated', ref, oid]
    } else if (ref.startsWith(lockPrefix) || ref.includes('/locks/') || ref.includes('grite-leases/')) {
      yield ['LockChanged', ref, oid]
    } else if (ref.startsWith(remotesPrefix) && ref.endsWith('/wal')) {
      yield ['WalSynced', ref, oid]
    }
  }
}
