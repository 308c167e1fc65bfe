/**
 * The state of a repository that all requests of a process share: the port to git, one view per actor, and one queue of
 * writes. The state of a single request is a `Workspace`.
 */
import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  findRepository,
  type GitPort,
  openRepository,
  type PortOptions,
  type RepositoryLayout,
  readSharedPermissions,
  type SharedPermissions,
} from '../git/index.ts'
import { lockFileQueue, type Queue } from '../wal/index.ts'
import type { StreamStore } from '../wal/streams/index.ts'
import type { Clock, Random, Warning } from './effects.ts'
import { type GritePaths, gritePaths } from './local/paths.ts'
import { makeFolder } from './local/write-file-atomically.ts'
import { LockMemory } from './locks/lock-memory.ts'
import { ViewLease } from './view-lease.ts'
import { WriteQueue } from './write-queue.ts'
import { commitTogether, mayShareCommit, type PendingWrite } from './writer.ts'

export interface SharedOptions {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Receives warnings that do not belong to a single request, such as a temp file that could not be removed. */
  readonly warn: (warning: Warning) => void
  /**
   * How long an idle view stays open in milliseconds; other processes wait for it meanwhile. Null for a process that
   * serves one request.
   */
  readonly viewIdleMs: number | null
  /** For tests: hooks into a publish, or a failing disk. */
  readonly gitOptions?: Pick<PortOptions, 'hooks' | 'disk' | 'lockWaitMs'>
}

/** A write that has waited this long for other processes closes its idle views for them. */
const patienceMs = 20

export class SharedRepository {
  readonly layout: RepositoryLayout
  readonly git: GitPort
  readonly paths: GritePaths
  readonly viewIdleMs: number | null
  readonly #leases = new Map<string, ViewLease>()
  readonly #warn: SharedOptions['warn']
  #lockMemory: LockMemory | undefined
  #writes: WriteQueue<PendingWrite> | undefined
  #streams: Promise<StreamStore> | undefined
  /** Work that no request waits for. */
  readonly #background = new Set<Promise<void>>()

  constructor(layout: RepositoryLayout, permissions: SharedPermissions, options: SharedOptions) {
    this.layout = layout
    this.viewIdleMs = options.viewIdleMs
    this.#warn = options.warn
    this.git = openRepository(layout, {
      ...options.gitOptions,
      environment: options.env,
      permissions,
      warn: ({ path, message }) => options.warn({ code: 'leftover-file', message, details: { path } }),
    })
    this.paths = gritePaths(layout, permissions)
  }

  /** Made for the first lock that is read: most repositories have none. */
  get lockMemory(): LockMemory {
    this.#lockMemory ??= new LockMemory(this.paths)
    return this.#lockMemory
  }

  /** Made for the first write. */
  get writes(): WriteQueue<PendingWrite> {
    this.#writes ??= new WriteQueue({ between: this.#betweenProcesses(), mayShareCommit, commit: commitTogether })
    return this.#writes
  }

  /** The view whose numbered directories are in this folder. */
  lease(directory: string): ViewLease {
    const known = this.#leases.get(directory)
    if (known !== undefined) return known
    const lease = new ViewLease(this.viewIdleMs)
    this.#leases.set(directory, lease)
    return lease
  }

  /** Closes the view in a folder for another process, for a while. @returns whether it is closed */
  async yieldView(directory: string): Promise<boolean> {
    return (await this.#leases.get(directory)?.yield()) ?? true
  }

  /** Closes idle views, so that other processes can open them. */
  async closeIdleViews(): Promise<void> {
    await Promise.all([...this.#leases.values()].map((lease) => lease.closeIfUnused()))
  }

  /** Frees memory that open views need only for the next change. Fails when a view cannot be written. */
  async rest(): Promise<void> {
    await Promise.all([...this.#leases.values()].map((lease) => lease.rest()))
  }

  /** The record streams, opened by the first request that needs them. */
  streams({ clock, random }: { readonly clock: Clock; readonly random: Random }): Promise<StreamStore> {
    this.#streams ??= import('./streams/open-streams.ts').then(({ openStreams }) =>
      openStreams(this, { clock, random, warn: this.#warn }),
    )
    return this.#streams
  }

  /** Lets `close` wait for work that no request waits for. Its failure is ignored. */
  finishBeforeClose(work: Promise<void>): void {
    const settled = work
      .catch(() => {})
      .finally(() => {
        this.#background.delete(settled)
      })
    this.#background.add(settled)
  }

  /** Also safe after an interrupt, during a wait or a write. */
  async close(): Promise<void> {
    await (await this.#streams)?.close()
    await Promise.all(this.#background)
    await this.#writes?.leaving()
    await Promise.all([...this.#leases.values()].map((lease) => lease.close()))
    await this.git.close()
  }

  #betweenProcesses(): Queue {
    const { appendQueue, permissions } = this.paths
    const queue = lockFileQueue(appendQueue, permissions)
    return {
      enter: async () => {
        // If the folder cannot be created, writers skip the queue.
        const home = dirname(appendQueue)
        if (!existsSync(home)) await makeFolder(home, permissions).catch(() => {})
        const entered = queue.enter()
        if (this.#leases.size === 0) return entered
        // The process that holds the queue may need a view that this one has open.
        const waited = new AbortController()
        const first = await Promise.race([
          entered,
          sleep(patienceMs, undefined, { signal: waited.signal }).catch(() => {}),
        ])
        waited.abort()
        if (first === undefined) await this.closeIdleViews()
        return entered
      },
    }
  }
}

/** Opens the repository that contains a directory. @throws {NotFoundError} naming the directory when there is none */
export async function openSharedRepository(cwd: string, options: SharedOptions): Promise<SharedRepository> {
  const layout = await findRepository({ cwd, env: options.env })
  return new SharedRepository(layout, await readSharedPermissions(layout, options.env), options)
}
