import { existsSync, readdirSync, rmdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { ConflictError, RefMovedError } from '../../model/errors/index.ts'
import { findConflictingRef, readRefFile } from '../isomorphic/refs.ts'
import { oidLength } from '../object-codec.ts'
import type { Oid, RefName, RefUpdate, RepositoryLayout } from '../port.ts'
import { looseRefPath, reflogPath, refTemporaryDir, walRef } from '../ref-paths.ts'
import type { Disk, OpenFile } from './disk.ts'
import type { Owner } from './owner.ts'
import { takeLock, temporaryName } from './ref-lock.ts'
import { errnoOf } from './storage-failure.ts'

/** A ref to be moved to an object; deleting is git's business (`packed-refs` has to be locked for it). */
export type RefMove = RefUpdate & { readonly next: Oid }

export interface RefWriterContext {
  readonly disk: Disk
  readonly layout: RepositoryLayout
  readonly owner: Owner
  readonly lockWaitMs: number
  /** `Name <email> seconds zone`, for the reflog. */
  readonly committer: string
  /** core.logAllRefUpdates is `always`. */
  readonly logsEveryRef: boolean
}

/** Refs on their way: temp files to flush, then `lock`, `check`, `move`, then directories to flush. */
export interface StagedRefs {
  readonly files: readonly OpenFile[]
  /** Directories that gained one for a new ref, to flush before the ref moves. */
  readonly gained: readonly string[]
  lock(): Promise<void>
  /** Compares under the locks, and writes the reflogs. @throws {RefMovedError} */
  check(): void
  /** @returns the directories to flush */
  move(): readonly string[]
  /** Gives up locks that are still held and removes temp files. */
  discard(): void
}

interface StagedRef {
  readonly move: RefMove
  readonly path: string
  readonly temporaryPath: string
  state: 'staged' | 'locked' | 'moved'
}

/** Writes the temp files that become lock and ref. In the order of names, so that two writers never wait in a ring. */
export function stageRefs(context: RefWriterContext, moves: readonly RefMove[]): StagedRefs {
  const { disk, layout, owner } = context
  const temporaryDir = refTemporaryDir(layout)
  const files: OpenFile[] = []
  const gained = new Set<string>()
  const refs: StagedRef[] = []

  function discard(): void {
    for (const file of files) disk.closeFile(file)
    files.length = 0
    for (const ref of refs) {
      if (ref.state === 'locked') disk.remove(`${ref.path}.lock`)
      disk.remove(ref.temporaryPath)
    }
    refs.length = 0
  }

  try {
    for (const move of [...moves].sort((left, right) => (left.ref < right.ref ? -1 : 1))) {
      const path = looseRefPath(layout, move.ref)
      for (const parent of makeRefFolder(disk, move.ref, dirname(path))) gained.add(parent)
      if (!existsSync(temporaryDir)) disk.makeDirectory(temporaryDir)
      const temporaryPath = temporaryName(temporaryDir, owner)
      files.push(disk.createFile(temporaryPath, [Buffer.from(`${move.next}\n`, 'latin1')], 0o666))
      refs.push({ move, path, temporaryPath, state: 'staged' })
    }
  } catch (error) {
    discard()
    throw error
  }

  return {
    files,
    gained: [...gained],
    async lock() {
      for (const ref of refs) {
        // git removes folders that a deleted ref left empty.
        makeRefFolder(disk, ref.move.ref, dirname(ref.path))
        const { temporaryPath } = ref
        const lockPath = `${ref.path}.lock`
        await takeLock(disk, {
          ref: ref.move.ref,
          lockPath,
          temporaryPath,
          temporaryDir,
          owner,
          waitMs: context.lockWaitMs,
        })
        ref.state = 'locked'
      }
    },
    check() {
      for (const { move } of refs) requireUnmoved(layout, move)
      for (const { move } of refs) appendReflog(context, move)
    },
    move() {
      for (const ref of refs) {
        renameOverEmptyFolder(disk, `${ref.path}.lock`, ref)
        ref.state = 'moved'
      }
      return [...new Set(refs.map(({ path }) => dirname(path)))]
    },
    discard,
  }
}

/** @throws {RefMovedError} when the ref does not have the value the caller expects */
export function requireUnmoved(layout: RepositoryLayout, { ref, expected }: RefUpdate): void {
  const found = readRefFile(layout, ref)
  if (found !== expected) throw new RefMovedError(ref, expected, found)
  const obstacle = found === null ? findConflictingRef(layout, ref) : null
  if (obstacle !== null) throw nameTaken(ref, obstacle)
}

function makeRefFolder(disk: Disk, ref: RefName, folder: string): readonly string[] {
  if (existsSync(folder)) return []
  try {
    return disk.makeDirectory(folder)
  } catch (error) {
    if (['ENOTDIR', 'EEXIST'].includes(errnoOf(error) ?? '')) throw nameTaken(ref, 'a ref in the place of a folder')
    throw error
  }
}

// git leaves empty folders where refs have been, and moves a ref of such a name in place of them.
function renameOverEmptyFolder(disk: Disk, lockPath: string, { path, move }: StagedRef): void {
  try {
    disk.rename(lockPath, path)
  } catch (error) {
    if (!['EISDIR', 'ENOTEMPTY', 'EEXIST'].includes(errnoOf(error) ?? '')) throw error
    if (!removeEmptyFolders(path)) throw nameTaken(move.ref, `${move.ref}/…`)
    disk.rename(lockPath, path)
  }
}

function removeEmptyFolders(folder: string): boolean {
  try {
    for (const name of readdirSync(folder)) if (!removeEmptyFolders(join(folder, name))) return false
    rmdirSync(folder)
    return true
  } catch {
    return false
  }
}

function nameTaken(ref: string, obstacle: string): ConflictError {
  return new ConflictError(`${ref} cannot exist beside ${obstacle}`, { details: { ref, obstacle } })
}

/** `old new committer\tmessage`, one write under the lock. The log of a ref that has one is kept up, as git does. */
function appendReflog({ disk, layout, committer, logsEveryRef }: RefWriterContext, move: RefMove): void {
  const path = reflogPath(layout, move.ref)
  const sizeBefore = statSync(path, { throwIfNoEntry: false })?.size
  if (sizeBefore === undefined) {
    if (move.ref !== walRef && !logsEveryRef) return
    if (!existsSync(dirname(path))) disk.makeDirectory(dirname(path))
  }
  const none = '0'.repeat(oidLength[layout.objectFormat])
  const message = move.reflogMessage.replace(/\s+/g, ' ').trim()
  try {
    disk.append(path, `${move.expected ?? none} ${move.next} ${committer}\t${message}\n`)
  } catch (error) {
    // A torn line would swallow the next one.
    if (sizeBefore !== undefined) disk.truncate(path, sizeBefore)
    throw error
  }
}
