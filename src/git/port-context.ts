import { type Disk, nodeDisk } from './durable/disk.ts'
import type { WarnOfFile } from './durable/file-warning.ts'
import { type FlushSettings, readFlushSettings } from './durable/flush-settings.ts'
import { currentOwner, type Owner } from './durable/owner.ts'
import type { PublishHooks } from './in-process/publish-in-process.ts'
import type { Environment } from './locate-git.ts'
import { requirePermanentStore, writeEnvironment } from './permanent-store.ts'
import type { RepositoryLayout } from './port.ts'
import { Reads } from './reads.ts'
import { createGitRunner, type GitRunner } from './run-git.ts'
import { readSharedPermissions, type SharedPermissions } from './shared-permissions.ts'

export interface PortOptions {
  /** Environment for git, and where its configuration is looked for. */
  readonly environment: Environment
  /** How long a foreign lock on a ref is waited for. Default 10 s. */
  readonly lockWaitMs?: number
  /** What `readSharedPermissions` says of the repository, when the caller knows it already. */
  readonly permissions?: SharedPermissions
  /** Told of what went wrong and did no harm, such as a temp file that could not be removed. */
  readonly warn?: WarnOfFile
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
  readonly warn: WarnOfFile
  readonly hooks: PublishHooks
  readonly flushSettings: () => Promise<FlushSettings>
  readonly permissions: () => Promise<SharedPermissions>
  /** @throws {StorageError} when what is written would not stay in the repository, or no other process would see it */
  readonly requirePermanentStore: () => void
  /** To be added to the environment of a git that writes. */
  readonly writeEnvironment: () => Environment
  readonly reads: Reads
  readonly closed: () => boolean
  readonly markClosed: () => void
}

const lockWaitMsDefault = 10_000

export function createPortContext(layout: RepositoryLayout, options: PortOptions): PortContext {
  const { environment } = options
  const git = createGitRunner(layout, environment)
  let owner: Owner | undefined
  let flushSettings: Promise<FlushSettings> | undefined
  let permissions = options.permissions === undefined ? undefined : Promise.resolve(options.permissions)
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
    warn: options.warn ?? (() => {}),
    hooks: options.hooks ?? { at() {} },
    flushSettings() {
      flushSettings ??= readFlushSettings(layout, environment, git)
      return flushSettings
    },
    permissions() {
      permissions ??= readSharedPermissions(layout, environment)
      return permissions
    },
    requirePermanentStore: () => requirePermanentStore(layout, environment),
    writeEnvironment: () => writeEnvironment(layout, environment),
    reads: new Reads(),
    closed: () => closed,
    markClosed() {
      closed = true
    },
  }
}
