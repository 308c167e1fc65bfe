/**
 * Finds and removes files that dead processes left in the git directory. Finding changes nothing; removing only touches
 * files of a process that is certainly gone.
 */
import { type Dirent, lstatSync, readdirSync, readFileSync, type Stats } from 'node:fs'
import { join, relative } from 'node:path'
import { breakDeadChildLocks, findDeadChildLocks } from './durable/child-locks.ts'
import { nodeDisk } from './durable/disk.ts'
import { currentOwner, isOwnerDead, ownerFileAt, parseOwner } from './durable/owner.ts'
import { breakDeadLock, listDeadFiles } from './durable/ref-lock.ts'
import { findDeadRooms, removeDeadRooms } from './native/fetch-room.ts'
import { keepWord } from './native/write-objects.ts'
import type { RepositoryLayout } from './port.ts'
import { packDir, refTemporaryDir } from './ref-paths.ts'

export interface Leftover {
  readonly kind: 'temporary-file' | 'ref-lock' | 'git-lock' | 'kept-pack' | 'fetch-room'
  readonly path: string
  /** False for a lock that another program may hold: only a person can tell that none is running. */
  readonly isOfDeadOwner: boolean
}

export interface LeftoverAge {
  readonly nowUnixMs: number
  /** Minimum distance of an unowned lock's time from now, in the past or, with a wrong clock, in the future. */
  readonly ageMsMin: number
}

/** git's locks that block more than one ref, from the common git directory. */
const gitLocks = ['packed-refs.lock', 'shallow.lock', 'reftable/tables.list.lock', 'objects/maintenance.lock']

/**
 * Finds files of dead writers, their locks on refs of grite, locks older than any write takes, git's locks that nobody
 * seems to hold, interrupted fetches, and packs kept from `git gc`.
 */
export function findLeftovers(layout: RepositoryLayout, age: LeftoverAge): readonly Leftover[] {
  const dead = listDeadFiles(refTemporaryDir(layout))
  const inodes = new Set(dead.map(({ stat }) => `${stat.dev}/${stat.ino}`))
  const ofChildren = findDeadChildLocks(layout).flatMap(({ paths }) => paths)
  const locks = [...findLocks(layout), ...gitLocks.map((name) => join(layout.commonDir, name))]
  const left = locks.flatMap((path): Leftover[] => {
    const found = lstatSync(path, { throwIfNoEntry: false })
    if (found === undefined || ofChildren.includes(path)) return []
    const isOfDeadOwner = inodes.has(`${found.dev}/${found.ino}`)
    return isOfDeadOwner || isLongAgo(found, age) ? [{ kind: 'ref-lock', path, isOfDeadOwner }] : []
  })
  return [
    ...dead.map(({ path }): Leftover => ({ kind: 'temporary-file', path, isOfDeadOwner: true })),
    ...left,
    ...ofChildren.map((path): Leftover => ({ kind: 'git-lock', path, isOfDeadOwner: true })),
    ...findDeadRooms(layout).map((path): Leftover => ({ kind: 'fetch-room', path, isOfDeadOwner: true })),
    ...findKeptPacks(layout),
  ]
}

function isLongAgo({ mtimeMs }: Stats, { nowUnixMs, ageMsMin }: LeftoverAge): boolean {
  return Math.abs(nowUnixMs - mtimeMs) > ageMsMin
}

/** Removes a leftover with a dead owner. A lock that another process took meanwhile stays. */
export async function removeLeftover(layout: RepositoryLayout, { kind, path, isOfDeadOwner }: Leftover): Promise<void> {
  if (!isOfDeadOwner) return
  const temporaryDir = refTemporaryDir(layout)
  switch (kind) {
    case 'ref-lock':
      breakDeadLock(nodeDisk, { lockPath: path, temporaryDir, owner: currentOwner() })
      return
    case 'git-lock':
      return breakDeadChildLocks({ disk: nodeDisk, layout }, [relative(layout.commonDir, path)])
    case 'fetch-room':
      removeDeadRooms(layout)
      return
    case 'temporary-file':
      // A file that is still linked as a lock is removed with the lock.
      if (lstatSync(path, { throwIfNoEntry: false })?.nlink === 1) nodeDisk.remove(path)
      return
    case 'kept-pack':
      if (isKeptByDead(path)) nodeDisk.remove(path)
  }
}

/** Lock files of refs of grite, in any folder below `refs/`. */
function findLocks(layout: RepositoryLayout): string[] {
  const refs = join(layout.commonDir, 'refs')
  return namesIn(refs)
    .filter((entry) => entry.name.startsWith('grite'))
    .flatMap((entry) => {
      const path = join(refs, entry.name)
      return entry.isDirectory() ? locksBelow(path) : []
    })
}

function locksBelow(folder: string): string[] {
  return namesIn(folder).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return locksBelow(path)
    return entry.name.endsWith('.lock') ? [path] : []
  })
}

function findKeptPacks(layout: RepositoryLayout): Leftover[] {
  return namesIn(packDir(layout))
    .filter(({ name }) => name.endsWith('.keep'))
    .map(({ name }) => join(packDir(layout), name))
    .filter(isKeptByDead)
    .map((path) => ({ kind: 'kept-pack', path, isOfDeadOwner: true }))
}

/** `grite <owner>`; other `.keep` files are left alone. */
function isKeptByDead(path: string): boolean {
  try {
    const [word, text = ''] = readFileSync(path, 'latin1').trim().split(' ')
    const owner = word === keepWord ? parseOwner(text) : null
    return owner !== null && isOwnerDead(owner, ownerFileAt(path))
  } catch {
    return false
  }
}

function namesIn(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
  } catch {
    return []
  }
}
