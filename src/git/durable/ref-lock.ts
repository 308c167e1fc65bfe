import { type Dirent, lstatSync, readdirSync, type Stats } from 'node:fs'
import { join } from 'node:path'
import { RefLockedError } from '../../model/errors/index.ts'
import { Retry } from '../retry.ts'
import type { Disk } from './disk.ts'
import { monotonicMs } from './monotonic.ts'
import { isOwnerDead, type Owner, ownerFileAt, parseOwner } from './owner.ts'
import { errnoOf } from './storage-failure.ts'
import { isLockNote, temporaryName } from './temporary-name.ts'

/**
 * Ref locks that do not outlive their owner.
 *
 * - A lock is a hard link, `<ref>.lock`, to a temp file whose name states its owner; other programs see git's own lock.
 * - A lock with the inode of a dead owner's temp file is removed only by the process that could rename that temp file:
 *   so only once, and never a lock that another process took meanwhile.
 * - A temp file with another link is never removed by other processes: it identifies the owner of the lock.
 */

export interface LockRequest {
  /** Name of the locked ref, for the message. */
  readonly ref: string
  readonly lockPath: string
  /** Flushed file that becomes the lock. */
  readonly temporaryPath: string
  readonly temporaryDir: string
  readonly owner: Owner
  readonly waitMs: number
}

/** Polling starts short, because most locks last for one flush; the jitter keeps waiters apart. */
const pollMsMin = 2
const pollMsMax = 50

/**
 * Acquires the lock, waiting if needed. @throws {RefLockedError} when a living or unknown owner holds it for `waitMs`
 */
export async function takeLock(disk: Disk, request: LockRequest): Promise<void> {
  const retry = new Retry({
    ...{ firstMs: pollMsMin, maxMs: pollMsMax, factor: 1.5, forMs: request.waitMs },
    ...{ jitter: Math.random, nowMs: monotonicMs },
  })
  for (;;) {
    if (tryLock(disk, request)) return
    if (breakDeadLock(disk, request)) continue
    if (!(await retry.again())) throw new RefLockedError(request.ref, request.lockPath, retry.elapsedMs)
  }
}

function tryLock(disk: Disk, { temporaryPath, lockPath }: LockRequest): boolean {
  try {
    disk.link(temporaryPath, lockPath)
    return true
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false
    throw error
  }
}

/** Removes the lock of a dead owner. True when the lock is gone, removed by us or by another waiter. */
export function breakDeadLock(
  disk: Disk,
  { lockPath, temporaryDir, owner }: Pick<LockRequest, 'lockPath' | 'temporaryDir' | 'owner'>,
): boolean {
  const lock = statOf(lockPath)
  if (!lock) return true
  const dead = listDeadFiles(temporaryDir).find(({ stat }) => stat.ino === lock.ino && stat.dev === lock.dev)
  if (!dead) return false
  const mine = temporaryName(temporaryDir, owner)
  try {
    disk.rename(dead.path, mine)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return true
    throw error
  }
  disk.remove(lockPath)
  disk.remove(mine)
  return true
}

/** Removes files of dead writers that no lock or ref links to. */
export function removeDeadFiles(disk: Disk, temporaryDir: string): void {
  for (const { path, stat } of listDeadFiles(temporaryDir)) if (stat.nlink === 1) disk.remove(path)
}

/** Temp files whose owner is certainly gone. */
export function listDeadFiles(folder: string): readonly { path: string; stat: Stats }[] {
  let entries: Dirent[]
  try {
    entries = readdirSync(folder, { withFileTypes: true })
  } catch {
    return []
  }
  const found: { path: string; stat: Stats }[] = []
  for (const entry of entries) {
    // A note about git's locks outlives its owner until the locks are gone.
    const owner =
      entry.isFile() && !isLockNote(entry.name) ? parseOwner(entry.name.slice(0, entry.name.lastIndexOf('-'))) : null
    const path = join(folder, entry.name)
    const stat = owner && statOf(path)
    if (owner && stat && isOwnerDead(owner, ownerFileAt(path))) found.push({ path, stat })
  }
  return found
}

function statOf(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false })
}
