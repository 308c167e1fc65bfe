/**
 * What processes that died left in the git directory. Finding changes nothing; removing touches only what a process that
 * is certainly gone has made.
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
  /** False for a lock that may be another program's: only a person can tell that none runs. */
  readonly isOfDeadOwner: boolean
}

export interface LeftoverAge {
  readonly nowUnixMs: number
  /** A lock of an unknown owner counts when its time is so far from now, in the past or, by a wrong clock, ahead. */
  readonly ageMsMin: number
}

/** Locks of git that stop more than one ref, from the common git directory. */
const gitLocks = ['packed-refs.lock', 'shallow.lock', 'reftable/tables.list.lock', 'objects/maintenance.lock']

/**
 * Files of dead writers, their locks on refs of grite and those that are older than any write takes, locks of git that
 * nobody seems to hold, fetches that were cut off, packs that were kept from `git gc`.
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

/** Removes one that has a dead owner. A lock that somebody took meanwhile stays. */
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
      // What is still linked as a lock goes with that.
      if (lstatSync(path, { throwIfNoEntry: false })?.nlink === 1) nodeDisk.remove(path)
      return
    case 'kept-pack':
      if (isKeptByDead(path)) nodeDisk.remove(path)
  }
}

/** Lock files of refs of grite, in whichever folder below `refs/`. */
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

/** `grite <owner>`; a `.keep` of anybody else is none of our business. */
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
