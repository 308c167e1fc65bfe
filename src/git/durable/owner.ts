import { lstatSync, readFileSync, readlinkSync, statfsSync } from 'node:fs'
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

/** The file that names an owner, as far as it tells whether another boot was one of this machine. */
export interface OwnerFile {
  readonly writtenAtUnixMs: number
  /** On a disk that only one machine can use at a time. */
  readonly isOnLocalDisk: boolean
}

/**
 * True only when the owner is certainly gone: same namespace and no such process, or an earlier boot. A process in
 * another namespace (a container on the same repository) is never judged dead.
 *
 * @param file - asked for when the boot id is not that of this boot. On a disk of this machine that is an earlier boot,
 *   whatever the clock said then. On a shared file system it is one only when the file is older than this boot: else it
 *   belongs to another machine, which is alive for all we know.
 */
export function isOwnerDead(owner: Owner, file?: () => OwnerFile): boolean {
  if (owner.bootId !== currentBootId()) {
    const { writtenAtUnixMs, isOnLocalDisk } = file?.() ?? { writtenAtUnixMs: 0, isOnLocalDisk: false }
    return isOnLocalDisk || writtenAtUnixMs < Date.now() - uptime() * 1000
  }
  if (owner.pidNamespace !== currentPidNamespace()) return false
  const found = readProcess(owner.pid)
  if (found === null) return !answersSignal(owner.pid)
  // A zombie has been killed and waits for its parent to notice; it runs no more.
  if (found.state === 'Z' || found.state === 'X') return true
  return owner.startTime !== '0' && found.startTime !== owner.startTime
}

/** For `isOwnerDead`. A file that is gone again looks new. */
export function ownerFileAt(path: string): () => OwnerFile {
  return () => ({
    writtenAtUnixMs: lstatSync(path, { throwIfNoEntry: false })?.ctimeMs ?? Number.POSITIVE_INFINITY,
    isOnLocalDisk: localFileSystems.has(fileSystemOf(path)),
  })
}

/** statfs(2): file systems that no two machines have mounted at once. Others may be a network's, or shared with a host. */
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

/** The words of another process on this machine; undefined when it is gone. */
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
