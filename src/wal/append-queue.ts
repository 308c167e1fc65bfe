/**
 * A queue for local appenders, so that fifty at once do not all build a commit of which only one can land. Advisory:
 * the ref's compare-and-swap guards the log, so appenders go ahead when they cannot enter in time, and a holder that
 * lost its place does no harm.
 *
 * The lock is a file: a line with the owner's fields, then a dot for each half second that it is held.
 *
 * Invariants
 * - A lock whose owner is gone is broken at once. Any other lock is broken when it stops growing while it is watched:
 *   its holder is suspended, or died in another container.
 * - Only the waiter's own clock counts, never a file time: a lock written while the clock was ahead is treated like any
 *   other.
 */
import {
  closeSync,
  fstatSync,
  linkSync,
  lstatSync,
  openSync,
  readFileSync,
  renameSync,
  rmdirSync,
  type Stats,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  currentOwner,
  formatOwner,
  isOwnerDead,
  type Owner,
  ownerFileAt,
  parseOwner,
  pausesOf,
  randomBytes,
  type SharedPermissions,
} from '../git/index.ts'

export interface Queue {
  /** Waits for a turn; call the result to end it. Never throws. */
  readonly enter: () => Promise<() => Promise<void>>
}

/** For streams that only one process can reach, as in tests. */
export const noQueue: Queue = { enter: async () => async () => {} }

/** A holder that is silent this long no longer blocks others. */
const silenceMsMax = 2000
const signMs = 500
const waitMsMax = 8000
const pollMsMin = 3
const pollMsMax = 30

/**
 * A queue on the lock file beside `path`. The folder of `path` must exist.
 *
 * @param permissions - of the repository that contains the path
 */
export function lockFileQueue(path: string, permissions?: SharedPermissions): Queue {
  const lockPath = lockPathOf(path)
  return {
    async enter() {
      const owner = currentOwner()
      const watch = new LockWatch(lockPath)
      let waitedMs = 0
      const pauses = pausesOf({ firstMs: pollMsMin, maxMs: pollMsMax, jitter: Math.random })
      for (;;) {
        const taken = tryTake(lockPath, owner, permissions)
        if (taken !== undefined) return taken
        if (watch.look() && breakLock(path, watch)) continue
        if (waitedMs >= waitMsMax) return enterWithout
        // Counts requested pauses, not clock time: a suspended process watches nobody.
        const pauseMs = pauses.next().value
        await sleep(pauseMs)
        waitedMs += pauseMs
        watch.waited(pauseMs)
      }
    },
  }
}

const enterWithout = async (): Promise<void> => {}

function lockPathOf(path: string): string {
  return `${path}.lock`
}

/** Older versions update the time of their lock every second. */
const olderVersionMsMax = 60_000

/** Whether a queue's lock is stale, as far as one check can tell. */
export function isQueueLockLeft(path: string, nowUnixMs: number): boolean {
  const lockPath = lockPathOf(path)
  const stat = statOf(lockPath)
  if (stat === undefined) return false
  // A time in the future comes from a wrong clock.
  return isOfOlderVersion(stat) ? Math.abs(nowUnixMs - stat.mtimeMs) > olderVersionMsMax : isOfDeadOwner(lockPath)
}

/** @returns a function that ends the turn; undefined when another process has it */
function tryTake(
  lockPath: string,
  owner: Owner,
  permissions: SharedPermissions | undefined,
): (() => Promise<void>) | undefined {
  let descriptor: number
  try {
    descriptor = openSync(lockPath, 'wx', 0o666)
  } catch (error) {
    // Wait only when others are in the queue; an unwritable folder stays unwritable.
    return codeOf(error) === 'EEXIST' ? undefined : enterWithout
  }
  const leave = hold(lockPath, descriptor)
  try {
    writeSync(descriptor, `${formatOwner(owner)}\n`)
    permissions?.adjust(lockPath)
  } catch {
    // The lock is held anyway; waiters that cannot read its owner watch it.
  }
  return leave
}

function hold(lockPath: string, descriptor: number): () => Promise<void> {
  const { dev, ino } = fstatSync(descriptor)
  const timer = setInterval(() => {
    try {
      writeSync(descriptor, '.')
    } catch {
      // On a full disk the lock is broken after a while, which does no harm.
    }
  }, signMs)
  timer.unref()
  return async () => {
    clearInterval(timer)
    closeSync(descriptor)
    const present = statOf(lockPath)
    if (present?.dev === dev && present.ino === ino) removeIfThere(lockPath)
  }
}

/** Checks a lock repeatedly and tells when it may be broken. */
class LockWatch {
  readonly #lockPath: string
  #seen: Stats | undefined
  #silentMs = 0

  constructor(lockPath: string) {
    this.#lockPath = lockPath
  }

  /** The state at the last check. */
  get seen(): Stats | undefined {
    return this.#seen
  }

  waited(pauseMs: number): void {
    this.#silentMs += pauseMs
  }

  /** True when no living holder shows a sign of life. */
  look(): boolean {
    const found = statOf(this.#lockPath)
    if (found === undefined) return false
    if (this.#seen === undefined || isChanged(this.#seen, found)) this.#silentMs = 0
    this.#seen = found
    return this.#silentMs >= silenceMsMax || (!isOfOlderVersion(found) && isOfDeadOwner(this.#lockPath))
  }
}

function isChanged(before: Stats, now: Stats): boolean {
  // An older version's lock is an empty folder; its holder updates its time.
  return !isSameFile(before, now) || before.size !== now.size || before.mtimeMs !== now.mtimeMs
}

function isSameFile(left: Stats, right: Stats): boolean {
  return left.dev === right.dev && left.ino === right.ino
}

/** Older versions created a folder, and judged it by its time. */
function isOfOlderVersion(stat: Stats): boolean {
  return stat.isDirectory()
}

function isOfDeadOwner(lockPath: string): boolean {
  let text: string
  try {
    text = readFileSync(lockPath, 'latin1')
  } catch {
    return false
  }
  const owner = parseOwner(text.slice(0, text.indexOf('\n')))
  return owner !== null && isOwnerDead(owner, ownerFileAt(lockPath))
}

/** Of several that break one lock only one gets it, and restores a lock that another process took meanwhile. */
function breakLock(path: string, { seen }: LockWatch): boolean {
  const lockPath = lockPathOf(path)
  try {
    if (seen !== undefined && isOfOlderVersion(seen)) {
      rmdirSync(lockPath)
      return true
    }
    const mine = `${path}.${randomBytes(6).toString('hex')}.tmp`
    renameSync(lockPath, mine)
    const broken = statOf(mine)
    if (seen !== undefined && broken !== undefined && !isSameFile(seen, broken)) restoreLock(mine, lockPath)
    removeIfThere(mine)
    return true
  } catch (error) {
    return codeOf(error) === 'ENOENT'
  }
}

function restoreLock(from: string, to: string): void {
  try {
    linkSync(from, to)
  } catch {
    // The holder has lost its place, and goes on without it.
  }
}

function statOf(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false })
  } catch {
    return undefined
  }
}

function removeIfThere(path: string): void {
  try {
    unlinkSync(path)
  } catch {
    // Another process was faster, or the folder is not writable: the next waiter breaks it.
  }
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code
}
