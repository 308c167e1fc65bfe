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
  /** Environment for git and for locating its configuration. */
  readonly environment: Environment
  /** How long to wait for a foreign lock on a ref. Default 10 s. */
  readonly lockWaitMs?: number
  /** Result of `readSharedPermissions`, when the caller already has it. */
  readonly permissions?: SharedPermissions
  /** Receives harmless problems, such as a temp file that could not be removed. */
  readonly warn?: WarnOfFile
  /** For tests: points of a publish. */
  readonly hooks?: PublishHooks
  /** For tests: counts flushes, or fails. */
  readonly disk?: Disk
}

/** State shared by the implementations. Built once per opened repository; expensive parts are created on first use. */
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
  /** @throws {StorageError} when new objects would not stay in the repository, or no other process would see them */
  readonly requirePermanentStore: () => void
  /** Added to the environment of a git that writes. */
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
