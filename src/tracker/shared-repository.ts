/**
 * A repository as all requests of a process share it: the port to git, one view per actor, and one queue of writes. What
 * belongs to one request, who asks and who is told, is a `Workspace`.
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
import type { Warning } from './effects.ts'
import { type GritePaths, gritePaths } from './local/paths.ts'
import { makeFolder } from './local/write-file-atomically.ts'
import { LockMemory } from './locks/lock-memory.ts'
import { ViewLease } from './view-lease.ts'
import { WriteQueue } from './write-queue.ts'
import { commitTogether, mayShareCommit, type PendingWrite } from './writer.ts'

export interface SharedOptions {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Told of what concerns no request more than another, such as a temp file that could not be removed. */
  readonly warn: (warning: Warning) => void
  /**
   * How long a view that nobody reads stays open, in milliseconds, while other processes would have to wait for it; null
   * for a process that lives for one request.
   */
  readonly viewIdleMs: number | null
  /** For tests: moments of a publish, or a disk that fails. */
  readonly gitOptions?: Pick<PortOptions, 'hooks' | 'disk' | 'lockWaitMs'>
}

/** A write that has waited this long for other processes lets them have the views. */
const patienceMs = 20

export class SharedRepository {
  readonly layout: RepositoryLayout
  readonly git: GitPort
  readonly paths: GritePaths
  readonly lockMemory: LockMemory
  readonly writes: WriteQueue<PendingWrite>
  readonly viewIdleMs: number | null
  readonly #leases = new Map<string, ViewLease>()

  constructor(layout: RepositoryLayout, permissions: SharedPermissions, options: SharedOptions) {
    this.layout = layout
    this.viewIdleMs = options.viewIdleMs
    this.git = openRepository(layout, {
      ...options.gitOptions,
      environment: options.env,
      permissions,
      warn: ({ path, message }) => options.warn({ code: 'leftover-file', message, details: { path } }),
    })
    this.paths = gritePaths(layout, permissions)
    this.lockMemory = new LockMemory(this.paths)
    this.writes = new WriteQueue({ between: this.#betweenProcesses(), mayShareCommit, commit: commitTogether })
  }

  /** The view whose numbered directories lie in this folder. */
  lease(directory: string): ViewLease {
    const known = this.#leases.get(directory)
    if (known !== undefined) return known
    const lease = new ViewLease(this.viewIdleMs)
    this.#leases.set(directory, lease)
    return lease
  }

  /** Lets other processes have the views that nobody reads. */
  async letGoOfViews(): Promise<void> {
    await Promise.all([...this.#leases.values()].map((lease) => lease.closeIfUnused()))
  }

  /** Also after an interrupt, while something waits or is written. */
  async close(): Promise<void> {
    await this.writes.leaving()
    await Promise.all([...this.#leases.values()].map((lease) => lease.close()))
    await this.git.close()
  }

  #betweenProcesses(): Queue {
    const { appendQueue, permissions } = this.paths
    const queue = lockFileQueue(appendQueue, permissions)
    return {
      enter: async () => {
        // Where it cannot be made, the queue is passed by.
        const home = dirname(appendQueue)
        if (!existsSync(home)) await makeFolder(home, permissions).catch(() => {})
        const entered = queue.enter()
        if (this.#leases.size === 0) return entered
        // The process in the queue may need a view that is open here.
        const waited = new AbortController()
        const first = await Promise.race([
          entered,
          sleep(patienceMs, undefined, { signal: waited.signal }).catch(() => {}),
        ])
        waited.abort()
        if (first === undefined) await this.letGoOfViews()
        return entered
      },
    }
  }
}

/** Opens the repository that a directory lies in. @throws {NotFoundError} naming the directory when there is none */
export async function openSharedRepository(cwd: string, options: SharedOptions): Promise<SharedRepository> {
  const layout = await findRepository({ cwd, env: options.env })
  return new SharedRepository(layout, await readSharedPermissions(layout, options.env), options)
}
