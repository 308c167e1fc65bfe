/**
 * What processes that died left in the git directory. Finding changes nothing; removing touches only what a process that
 * is certainly gone has made.
 */
import { type Dirent, lstatSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { nodeDisk } from './durable/disk.ts'
import { currentOwner, isOwnerDead, ownerFileAt, parseOwner } from './durable/owner.ts'
import { breakDeadLock, listDeadFiles } from './durable/ref-lock.ts'
import { keepWord } from './native/write-objects.ts'
import type { RepositoryLayout } from './port.ts'
import { packDir, refTemporaryDir } from './ref-paths.ts'

export interface Leftover {
  readonly kind: 'temporary-file' | 'ref-lock' | 'kept-pack'
  readonly path: string
  /** False for a lock that may be another program's: only a person can tell that none runs. */
  readonly isOfDeadOwner: boolean
}

/**
 * Files of dead writers, their locks on refs of grite and those that are older than any write takes, packs that they
 * kept from `git gc`.
 *
 * @param olderThanUnixMs - locks of unknown owners count when they were made before this
 */
export function findLeftovers(layout: RepositoryLayout, olderThanUnixMs: number): readonly Leftover[] {
  const dead = listDeadFiles(refTemporaryDir(layout))
  const inodes = new Set(dead.map(({ stat }) => `${stat.dev}/${stat.ino}`))
  const locks = findLocks(layout).flatMap((path): Leftover[] => {
    const found = lstatSync(path, { throwIfNoEntry: false })
    if (found === undefined) return []
    const isOfDeadOwner = inodes.has(`${found.dev}/${found.ino}`)
    return isOfDeadOwner || found.mtimeMs < olderThanUnixMs ? [{ kind: 'ref-lock', path, isOfDeadOwner }] : []
  })
  return [
    ...dead.map(({ path }): Leftover => ({ kind: 'temporary-file', path, isOfDeadOwner: true })),
    ...locks,
    ...findKeptPacks(layout),
  ]
}

/** Removes one that has a dead owner. A lock that somebody took meanwhile stays. */
export function removeLeftover(layout: RepositoryLayout, { kind, path, isOfDeadOwner }: Leftover): void {
  if (!isOfDeadOwner) return
  const temporaryDir = refTemporaryDir(layout)
  if (kind === 'ref-lock') {
    breakDeadLock(nodeDisk, { lockPath: path, temporaryDir, owner: currentOwner() })
    return
  }
  if (kind === 'temporary-file') {
    // What is still linked as a lock goes with that.
    if (lstatSync(path, { throwIfNoEntry: false })?.nlink === 1) nodeDisk.remove(path)
    return
  }
  if (isKeptByDead(path)) nodeDisk.remove(path)
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
