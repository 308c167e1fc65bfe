import { readFileSync, readlinkSync } from 'node:fs'
import { hostname, uptime } from 'node:os'

/**
 * The four words by which a file names the process that owns it, in this order wherever they are written
 * (docs/format.md, local wire).
 */
export interface Owner {
  readonly bootId: string
  /** Number of the pid namespace on Linux; the host's name elsewhere. */
  readonly pidNamespace: string
  readonly pid: number
  /** Ticks since boot on Linux; `0` where it is not known, which then matches any. */
  readonly startTime: string
}

/** The words of the calling process. */
export function currentOwner(): Owner {
  return {
    bootId: currentBootId(),
    pidNamespace: currentPidNamespace(),
    pid: process.pid,
    startTime: readProcess(process.pid)?.startTime ?? '0',
  }
}

/** The words joined by dots, for a file name. */
export function formatOwner(owner: Owner): string {
  return [owner.bootId, owner.pidNamespace, owner.pid, owner.startTime].join('.')
}

/** Reads what `formatOwner` wrote; null when it is something else. */
export function parseOwner(text: string): Owner | null {
  const [bootId, pidNamespace, pidText, startTime, ...rest] = text.split('.')
  const pid = Number(pidText)
  if (!bootId || !pidNamespace || !startTime || rest.length > 0 || !Number.isSafeInteger(pid) || pid <= 0) return null
  return { bootId, pidNamespace, pid, startTime }
}

/**
 * True only when the owner is certainly gone: same namespace and no such process, or an earlier boot. A process in
 * another namespace (a container on the same repository) is never judged dead.
 *
 * @param writtenAtUnixMs - when the file that names the owner was written. A foreign boot id on a file younger than
 *   this boot belongs to another machine on a shared file system, which is alive for all we know.
 */
export function isOwnerDead(owner: Owner, writtenAtUnixMs?: number): boolean {
  if (owner.bootId !== currentBootId()) {
    return writtenAtUnixMs === undefined || writtenAtUnixMs < Date.now() - uptime() * 1000
  }
  if (owner.pidNamespace !== currentPidNamespace()) return false
  const found = readProcess(owner.pid)
  if (found === null) return !answersSignal(owner.pid)
  // A zombie has been killed and waits for its parent to notice; it runs no more.
  if (found.state === 'Z' || found.state === 'X') return true
  return owner.startTime !== '0' && found.startTime !== owner.startTime
}

function currentBootId(): string {
  return readText('/proc/sys/kernel/random/boot_id')?.trim() || 'unknown'
}

function currentPidNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid').replace(/\D/g, '')
  } catch {
    return hostname().replace(/[^A-Za-z0-9_-]/g, '_') || 'unknown'
  }
}

// proc(5): pid (comm) state ppid … with starttime as field 22; comm may hold spaces and brackets.
function readProcess(pid: number): { state: string; startTime: string } | null {
  const fields = readText(`/proc/${pid}/stat`)
    ?.replace(/^.*\)\s*/s, '')
    .split(' ')
  const state = fields?.[0]
  const startTime = fields?.[19]
  return state === undefined || startTime === undefined ? null : { state, startTime }
}

// Where /proc hides other users' processes, only the signal tells that there is one.
function answersSignal(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return null
  }
}
