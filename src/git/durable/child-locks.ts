/**
 * Lock files that a killed git child may leave behind. git writes no owner into them, so a note beside our temp files
 * records it:
 *
 *     grite/tmp/<owner>-<random>.locks   lines: paths of lock files, from the common git directory
 *
 * Invariants
 * - A note names the child, and exists before git can take a lock: git waits for its input until then.
 * - The note is removed when the child exits by itself, because git then has removed its locks.
 * - A lock is broken only if it stays unchanged while it is watched: the child may have released it before it died, and
 *   another git may hold it now.
 */
import { type Dirent, lstatSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { GriteError } from '../../model/errors/index.ts'
import type { RepositoryLayout } from '../port.ts'
import { randomBytes } from '../random-bytes.ts'
import { refTemporaryDir } from '../ref-paths.ts'
import type { Disk } from './disk.ts'
import { removeOrWarn, type WarnOfFile } from './file-warning.ts'
import { isOwnerDead, ownerFileAt, ownerOfProcess, parseOwner } from './owner.ts'
import { errnoOf } from './storage-failure.ts'
import { isLockNote, lockNoteSuffix as suffix, temporaryName } from './temporary-name.ts'

/** No git holds a lock this long without a change: it writes a file and renames it. */
const watchMs = 1000

export interface ChildLockContext {
  readonly disk: Disk
  readonly layout: RepositoryLayout
  readonly warn: WarnOfFile
}

/**
 * Records the locks that a child may take. Never throws: without a note, only a person can judge the lock of a killed
 * child.
 *
 * @param locks - paths of lock files, from the common git directory
 * @returns a function that removes the note
 */
export function noteChildLocks(
  { disk, layout, warn }: ChildLockContext,
  pid: number | undefined,
  locks: readonly string[],
): () => void {
  const owner = pid === undefined ? undefined : ownerOfProcess(pid)
  if (owner === undefined) return () => {}
  const folder = refTemporaryDir(layout)
  const path = `${temporaryName(folder, owner)}${suffix}`
  try {
    disk.makeDirectory(folder)
    disk.closeFile(disk.createFile(path, [Buffer.from(locks.map((lock) => `${lock}\n`).join(''), 'utf8')], 0o666))
  } catch (error) {
    if (errnoOf(error) === undefined) throw error
    return () => {}
  }
  return () => removeOrWarn(disk.remove, path, warn)
}

/** Whether git was killed: on a normal exit it removes its locks. */
export function wasKilled(error: unknown): boolean {
  if (!(error instanceof GriteError)) return false
  const { cause, details } = error
  return typeof details.signal === 'string' || wasKilled(cause)
}

/** The lock files of an owner that is certainly gone. */
export interface DeadChildLock {
  readonly note: string
  /** Absolute paths of its lock files that still exist. */
  readonly paths: readonly string[]
}

/** @param wanted - limits the search to these lock files; all by default */
export function findDeadChildLocks(layout: RepositoryLayout, wanted?: readonly string[]): readonly DeadChildLock[] {
  const folder = refTemporaryDir(layout)
  return notesIn(folder).flatMap((name): readonly DeadChildLock[] => {
    const note = join(folder, name)
    const owner = parseOwner(name.slice(0, name.lastIndexOf('-')))
    if (owner === null || !isOwnerDead(owner, ownerFileAt(note))) return []
    const locks = readLines(note).filter((lock) => isSafe(lock) && (wanted === undefined || wanted.includes(lock)))
    return [{ note, paths: locks.map((lock) => join(layout.commonDir, lock)).filter(isThere) }]
  })
}

/** Breaks locks of dead children: the given ones, or all. A lock that changes while it is watched stays. */
export async function breakDeadChildLocks(
  { disk, layout }: Pick<ChildLockContext, 'disk' | 'layout'>,
  wanted?: readonly string[],
): Promise<void> {
  if (wanted !== undefined && !wanted.some((lock) => isThere(join(layout.commonDir, lock)))) return
  const found = findDeadChildLocks(layout, wanted).filter(({ paths }) => paths.length > 0)
  if (found.length === 0) return
  const before = new Map(found.flatMap(({ paths }) => paths.map((path) => [path, describe(path)])))
  await sleep(watchMs)
  for (const { note, paths } of found) {
    // Only the process that renames the note breaks its locks.
    const mine = `${note.slice(0, -suffix.length)}.${randomBytes(6).toString('hex')}${suffix}`
    try {
      disk.rename(note, mine)
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error
      continue
    }
    for (const path of paths) if (describe(path) === before.get(path)) disk.remove(path)
    disk.remove(mine)
  }
}

/** Removes notes of dead children that left no lock. */
export function removeIdleNotes({ disk, layout }: Pick<ChildLockContext, 'disk' | 'layout'>): void {
  for (const { note, paths } of findDeadChildLocks(layout)) if (paths.length === 0) disk.remove(note)
}

/** Only lock files inside the git directory: other users may be able to write to the folder. */
function isSafe(lock: string): boolean {
  return /^[^/].*(\.lock|packed-refs\.new)$/.test(lock) && !lock.split('/').includes('..')
}

function describe(path: string): string {
  const stat = lstatSync(path, { throwIfNoEntry: false })
  return stat === undefined ? '' : `${stat.ino} ${stat.size} ${stat.mtimeMs} ${stat.ctimeMs}`
}

function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined
}

function notesIn(folder: string): string[] {
  let entries: Dirent[]
  try {
    entries = readdirSync(folder, { withFileTypes: true })
  } catch {
    return []
  }
  return entries.filter((entry) => entry.isFile() && isLockNote(entry.name)).map(({ name }) => name)
}

function readLines(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').split('\n').filter(Boolean)
  } catch {
    return []
  }
}
