/**
 * Where local appenders wait for each other, so that fifty at once do not all build a commit that only one of them can
 * land. Advisory: the ref's compare-and-swap is what guards the log, so a queue that cannot be entered in time is
 * passed by, and a holder that lost its place harms nothing.
 *
 * The lock is a file: a line with the owner's words, then a dot for each half second that it is held.
 *
 * Invariants
 * - A lock whose owner is gone is broken at once. Any other is broken when it has not grown while it was watched: its
 *   holder is suspended, or died in another container.
 * - No clock of a file counts, only the waiter's own: a lock from a time when the clock was ahead is a lock like any other.
 */
import { randomBytes } from 'node:crypto'
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
  type SharedPermissions,
} from '../git/index.ts'

export interface Queue {
  /** Waits for a turn; the result ends it. Never throws. */
  readonly enter: () => Promise<() => Promise<void>>
}

/** For streams that only one process can reach, as in tests. */
export const noQueue: Queue = { enter: async () => async () => {} }

/** A holder that gives no sign for this long does not hold others up any more. */
const silenceMsMax = 2000
const signMs = 500
const waitMsMax = 8000
const pollMsMin = 3
const pollMsMax = 30

/**
 * A queue on the lock file beside `path`. The folder of `path` must exist.
 *
 * @param permissions - of the repository that the path lies in
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
        if (waitedMs >= waitMsMax) return passBy
        // Measured by what was asked for: while this process is suspended, nobody is watched.
        const pauseMs = pauses.next().value
        await sleep(pauseMs)
        waitedMs += pauseMs
        watch.waited(pauseMs)
      }
    },
  }
}

const passBy = async (): Promise<void> => {}

function lockPathOf(path: string): string {
  return `${path}.lock`
}

/** An older version sets the time of its lock every second. */
const olderVersionMsMax = 60_000

/** Whether the lock of a queue was left behind, for all that can be told without waiting. */
export function isQueueLockLeft(path: string, nowUnixMs: number): boolean {
  const lockPath = lockPathOf(path)
  const stat = statOf(lockPath)
  if (stat === undefined) return false
  // A time that lies ahead is of a clock that was wrong.
  return isOfOlderVersion(stat) ? Math.abs(nowUnixMs - stat.mtimeMs) > olderVersionMsMax : isOfDeadOwner(lockPath)
}

/** @returns what ends the turn; undefined when another process is in */
function tryTake(
  lockPath: string,
  owner: Owner,
  permissions: SharedPermissions | undefined,
): (() => Promise<void>) | undefined {
  let descriptor: number
  try {
    descriptor = openSync(lockPath, 'wx', 0o666)
  } catch (error) {
    // Only a queue that others are in is worth waiting for; a folder that cannot be written stays so.
    return codeOf(error) === 'EEXIST' ? undefined : passBy
  }
  const leave = hold(lockPath, descriptor)
  try {
    writeSync(descriptor, `${formatOwner(owner)}\n`)
    permissions?.adjust(lockPath)
  } catch {
    // Held all the same; a waiter that cannot read whose it is watches it.
  }
  return leave
}

function hold(lockPath: string, descriptor: number): () => Promise<void> {
  const { dev, ino } = fstatSync(descriptor)
  const timer = setInterval(() => {
    try {
      writeSync(descriptor, '.')
    } catch {
      // On a full disk the lock is broken after a while, which harms nothing.
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

/** Looks at a lock again and again, and tells when it may be broken. */
class LockWatch {
  readonly #lockPath: string
  #seen: Stats | undefined
  #silentMs = 0

  constructor(lockPath: string) {
    this.#lockPath = lockPath
  }

  /** What was there at the last look. */
  get seen(): Stats | undefined {
    return this.#seen
  }

  waited(pauseMs: number): void {
    this.#silentMs += pauseMs
  }

  /** True when nobody who is alive gives a sign of holding it. */
  look(): boolean {
    const found = statOf(this.#lockPath)
    if (found === undefined) return false
    if (this.#seen === undefined || isChanged(this.#seen, found)) this.#silentMs = 0
    this.#seen = found
    return this.#silentMs >= silenceMsMax || (!isOfOlderVersion(found) && isOfDeadOwner(this.#lockPath))
  }
}

function isChanged(before: Stats, now: Stats): boolean {
  // The folder of an older version has no content; its holder sets its time.
  return !isSameFile(before, now) || before.size !== now.size || before.mtimeMs !== now.mtimeMs
}

function isSameFile(left: Stats, right: Stats): boolean {
  return left.dev === right.dev && left.ino === right.ino
}

/** That made a folder, and judged it by its time. */
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

/** Of several that break one lock only one gets it, and puts back what somebody took in the meantime. */
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
    if (seen !== undefined && broken !== undefined && !isSameFile(seen, broken)) putBack(mine, lockPath)
    removeIfThere(mine)
    return true
  } catch (error) {
    return codeOf(error) === 'ENOENT'
  }
}

function putBack(from: string, to: string): void {
  try {
    linkSync(from, to)
  } catch {
    // Its holder has lost its place, and goes on without.
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
    // Another process was faster, or the folder cannot be written: then it is broken when somebody waits.
  }
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code
}
