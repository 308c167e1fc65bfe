/**
 * Signs that a git child still exchanges data with its remote. Output alone is not enough: git prints nothing while it
 * receives one large object, over a slow link, or while a server only keeps the connection open.
 */
import { readlinkSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { readNames, readText, type TreeProcess } from '../process-tree.ts'

export interface SignsOfLife {
  /** Changes when data was transferred. */
  readonly text: string
  /** Processor time of git so far. Milliseconds. */
  readonly busyMs: number
  /** Whether git waits for a person or for a user's hook instead of the remote. */
  readonly isWaiting: boolean
}

export interface SignsOptions {
  /** Where packs arrive. */
  readonly objectDir: string
  /** Whether a person may be prompted in a window. */
  readonly isInteractive: boolean
}

/** Reads the signs of the processes of one git. Outside Linux only arriving packs are visible. */
export function readSigns(tree: readonly TreeProcess[], { objectDir, isInteractive }: SignsOptions): SignsOfLife {
  const signs = [sizeOfArrivingPacks(objectDir)]
  const sockets = new Set<string>()
  let busyMs = 0
  let isWaiting = isInteractive && tree.some(({ name }) => asksInWindow.test(name))
  for (const { pid, name, ticks } of tree) {
    // Other programs, such as a proxy, may be busy without a remote.
    if (name.startsWith('git')) {
      signs.push(`${pid} ${transferredBy(pid)}`)
      busyMs += 10 * ticks
    }
    isWaiting ||= isPrePush(pid)
    for (const target of openFilesOf(pid)) {
      // git and ssh open the terminal only while they prompt for a name, a password or a passphrase.
      if (target === '/dev/tty') isWaiting = true
      else if (target.startsWith('socket:[')) sockets.add(target.slice(8, -1))
    }
  }
  const [root] = tree
  if (root !== undefined && sockets.size > 0) signs.push(...queuesOf(root.pid, sockets))
  return { text: signs.join('\n'), busyMs, isWaiting }
}

const asksInWindow = /askpass|git-credential/

/** Bytes read and written by a process, pipes included (proc(5)). */
function transferredBy(pid: number): string {
  return (readText(`/proc/${pid}/io`) ?? '').match(/^[rw]char: \d+$/gm)?.join(' ') ?? ''
}

/** The user's pre-push hook: the program itself, or the script that an interpreter runs. */
function isPrePush(pid: number): boolean {
  const words = (readText(`/proc/${pid}/cmdline`) ?? '').split('\0', 3)
  return words.some((word) => /(^|\/)pre-push$/.test(word))
}

function openFilesOf(pid: number): string[] {
  const folder = `/proc/${pid}/fd`
  return readNames(folder).flatMap((name) => {
    try {
      return [readlinkSync(join(folder, name))]
    } catch {
      return []
    }
  })
}

/** Bytes queued in sockets. A slow link empties a queue while no process reads or writes. */
function queuesOf(pid: number, sockets: ReadonlySet<string>): string[] {
  const rows = ['tcp', 'tcp6'].flatMap((name) => (readText(`/proc/${pid}/net/${name}`) ?? '').split('\n'))
  return rows.flatMap((row) => {
    // proc(5): sl local remote st tx:rx tr:when retrnsmt uid timeout inode …
    const fields = row.trim().split(/\s+/)
    const inode = fields[9]
    return inode !== undefined && sockets.has(inode) ? [`${inode} ${fields[4]}`] : []
  })
}

/** git's name for an incoming pack (index-pack.c). */
function sizeOfArrivingPacks(objectDir: string): string {
  const folder = join(objectDir, 'pack')
  const names = readNames(folder).filter((name) => name.startsWith('tmp_pack_'))
  return names.map((name) => `${name} ${sizeOf(join(folder, name))}`).join(' ')
}

function sizeOf(path: string): number {
  try {
    return statSync(path).size
  } catch {
    return 0
  }
}
