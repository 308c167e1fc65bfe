import { type Disk, nodeDisk } from './durable/disk.ts'
import { type FlushSettings, readFlushSettings } from './durable/flush-settings.ts'
import { currentOwner, type Owner } from './durable/owner.ts'
import type { PublishHooks } from './durable/publish-in-process.ts'
import type { Environment } from './locate-git.ts'
import type { RepositoryLayout } from './port.ts'
import { createGitRunner, type GitRunner } from './run-git.ts'

export interface PortOptions {
  /** Environment for git, and where its configuration is looked for. */
  readonly environment: Environment
  /** How long a foreign lock on a ref is waited for. Default 10 s. */
  readonly lockWaitMs?: number
  /** For tests: moments of a publish. */
  readonly hooks?: PublishHooks
  /** For tests: counts flushes, or fails. */
  readonly disk?: Disk
}

/** What the implementations share. Built once per opened repository; what costs anything is made on first use. */
export interface PortContext {
  readonly layout: RepositoryLayout
  readonly environment: Environment
  readonly git: GitRunner
  readonly disk: Disk
  readonly owner: Owner
  readonly lockWaitMs: number
  readonly hooks: PublishHooks
  readonly flushSettings: () => Promise<FlushSettings>
  readonly closed: () => boolean
  readonly markClosed: () => void
}

const lockWaitMsDefault = 10_000

export function createPortContext(layout: RepositoryLayout, options: PortOptions): PortContext {
  const { environment } = options
  const git = createGitRunner(layout, environment)
  let owner: Owner | undefined
  let flushSettings: Promise<FlushSettings> | undefined
  let closed = false
  return {
    layout,
    environment,
    git,
    disk: options.disk ?? nodeDisk,
    get owner() {
      owner ??= currentOwner()
      return owner
    },
    lockWaitMs: options.lockWaitMs ?? lockWaitMsDefault,
    hooks: options.hooks ?? { at() {} },
    flushSettings() {
      flushSettings ??= readFlushSettings(layout, environment, git)
      return flushSettings
    },
    closed: () => closed,
    markClosed() {
      closed = true
    },
  }
}
