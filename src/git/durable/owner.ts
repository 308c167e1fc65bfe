import { lstatSync, readFileSync, readlinkSync, statfsSync } from 'node:fs'
import { hostname, uptime } from 'node:os'

/** The four fields by which a file names its owning process, always in this order (docs/format.md, local wire). */
export interface Owner {
  readonly bootId: string
  /** Number of the pid namespace on Linux; the host name elsewhere. */
  readonly pidNamespace: string
  readonly pid: number
  /** Ticks since boot on Linux; `0` where unknown, which matches any. */
  readonly startTime: string
}

/** The owner fields of this process. */
export function currentOwner(): Owner {
  return {
    bootId: currentBootId(),
    pidNamespace: currentPidNamespace(),
    pid: process.pid,
    startTime: readProcess(process.pid)?.startTime ?? '0',
  }
}

/** The fields joined by dots, for a file name. */
export function formatOwner(owner: Owner): string {
  return [owner.bootId, owner.pidNamespace, owner.pid, owner.startTime].join('.')
}

/** Parses what `formatOwner` wrote; null for anything else. */
export function parseOwner(text: string): Owner | null {
  const [bootId, pidNamespace, pidText, startTime, ...rest] = text.split('.')
  const pid = Number(pidText)
  if (!bootId || !pidNamespace || !startTime || rest.length > 0 || !Number.isSafeInteger(pid) || pid <= 0) return null
  return { bootId, pidNamespace, pid, startTime }
}

/** Facts about the file that names an owner; they show whether another boot id belongs to this machine. */
export interface OwnerFile {
  readonly writtenAtUnixMs: number
  /** On a disk that only one machine can use at a time. */
  readonly isOnLocalDisk: boolean
}

/**
 * True only when the owner is certainly gone: same namespace and no such process, or an earlier boot. A process in
 * another namespace (a container on the same repository) is never considered dead.
 *
 * @param file - called when the boot id differs from this boot's. On a local disk that means an earlier boot, whatever
 *   the clock said then. On a shared file system it means one only when the file is older than this boot: otherwise it
 *   may belong to another, running machine.
 */
export function isOwnerDead(owner: Owner, file?: () => OwnerFile): boolean {
  if (owner.bootId !== currentBootId()) {
    const { writtenAtUnixMs, isOnLocalDisk } = file?.() ?? { writtenAtUnixMs: 0, isOnLocalDisk: false }
    return isOnLocalDisk || writtenAtUnixMs < Date.now() - uptime() * 1000
  }
  if (owner.pidNamespace !== currentPidNamespace()) return false
  const found = readProcess(owner.pid)
  if (found === null) return !answersSignal(owner.pid)
  // A zombie was killed and waits for its parent to reap it; it does not run any more.
  if (found.state === 'Z' || found.state === 'X') return true
  return owner.startTime !== '0' && found.startTime !== owner.startTime
}

/** For `isOwnerDead`. A vanished file counts as new. */
export function ownerFileAt(path: string): () => OwnerFile {
  return () => ({
    writtenAtUnixMs: lstatSync(path, { throwIfNoEntry: false })?.ctimeMs ?? Number.POSITIVE_INFINITY,
    isOnLocalDisk: localFileSystems.has(fileSystemOf(path)),
  })
}

/**
 * statfs(2): file systems that two machines never mount at once. Others may be network file systems or shared with a
 * host.
 */
const localFileSystems: ReadonlySet<number | undefined> = new Set([
  0xef53, // ext2, ext3, ext4
  0x58465342, // XFS
  0x9123683e, // Btrfs
  0xf2f52010, // F2FS
  0x2fc12fc1, // ZFS
  0xca451a4e, // bcachefs
  0x01021994, // tmpfs
  0x794c7630, // overlayfs
])

function fileSystemOf(path: string): number | undefined {
  if (process.platform !== 'linux') return undefined
  try {
    return statfsSync(path).type
  } catch {
    return undefined
  }
}

/** The owner fields of another process on this machine; undefined when it is gone. */
export function ownerOfProcess(pid: number): Owner | undefined {
  const found = readProcess(pid)
  if (found === null) return undefined
  return { bootId: currentBootId(), pidNamespace: currentPidNamespace(), pid, startTime: found.startTime }
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

// proc(5): pid (comm) state ppid … with starttime as field 22; comm may contain spaces and brackets.
function readProcess(pid: number): { state: string; startTime: string } | null {
  const fields = readText(`/proc/${pid}/stat`)
    ?.replace(/^.*\)\s*/s, '')
    .split(' ')
  const state = fields?.[0]
  const startTime = fields?.[19]
  return state === undefined || startTime === undefined ? null : { state, startTime }
}

// Where /proc hides other users' processes, only the signal shows that the process exists.
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
