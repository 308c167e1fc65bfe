import { existsSync, readdirSync, rmdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { ConflictError, RefMovedError } from '../../model/errors/index.ts'
import { readRefFile, readRefFiles } from '../in-process/refs.ts'
import { oidLength } from '../oid.ts'
import { openPackedRefs, realPackedRefsPath } from '../packed-refs.ts'
import type { Oid, RefName, RefUpdate, RepositoryLayout } from '../port.ts'
import { looseRefPath, reflogPath, refTemporaryDir } from '../ref-paths.ts'
import type { Disk, OpenFile } from './disk.ts'
import { removeOrWarn, type WarnOfFile } from './file-warning.ts'
import type { Owner } from './owner.ts'
import { takeLock } from './ref-lock.ts'
import { errnoOf } from './storage-failure.ts'
import { temporaryName } from './temporary-name.ts'

export interface RefWriterContext {
  readonly disk: Disk
  readonly layout: RepositoryLayout
  readonly owner: Owner
  readonly lockWaitMs: number
  readonly warn: WarnOfFile
  /** `Name <email> seconds zone`, for the reflog. */
  readonly committer: string
  /** core.logAllRefUpdates is `always`. */
  readonly logsEveryRef: boolean
}

/** Refs being moved: temp files to flush, then `lock`, `check`, `move`, then directories to flush. */
export interface StagedRefs {
  readonly files: readonly OpenFile[]
  /** Directories that gained one for a new ref; flush them before the ref moves. */
  readonly gained: readonly string[]
  lock(): Promise<void>
  /** Compares values under the locks and writes the reflogs. @throws {RefMovedError} */
  check(flushes: boolean): Promise<void>
  /** Moves and deletes. Never throws: refs that moved before a failure stay moved. */
  move(): RefsMoved
  /** Like `move`, one ref at a time in the order of the updates, each flushed before the next; deletions last. */
  moveInOrder(flush: (directories: readonly string[]) => Promise<void>): Promise<RefsMoved>
  /** Releases locks still held and removes temp files. Never throws. */
  discard(): void
}

export interface RefsMoved {
  readonly moved: readonly RefUpdate[]
  /** Directories to flush. */
  readonly directories: readonly string[]
  /** Why the remaining refs did not move; undefined when all did. */
  readonly failure: unknown
}

interface StagedRef {
  readonly update: RefUpdate
  readonly path: string
  temporaryPath: string
  state: 'staged' | 'locked' | 'moved'
}

/** The lock on `packed-refs`, and the file's new content without the deleted refs; null when it does not change. */
interface StagedPack {
  readonly path: string
  readonly temporaryPath: string
  isLocked: boolean
  next: OpenFile | null
}

/** A ref's folder, or the temp folder, may be removed at any moment: by `git pack-refs`, or by a person. */
const folderTriesMax = 5

/** Writes the temp files that become lock and ref. In name order, so that two writers never deadlock. */
export function stageRefs(context: RefWriterContext, updates: readonly RefUpdate[]): StagedRefs {
  const { disk, layout, owner, warn } = context
  const temporaryDir = refTemporaryDir(layout)
  const files: OpenFile[] = []
  const gained = new Set<string>()
  const refs: StagedRef[] = []
  let pack: StagedPack | undefined

  function discard(): void {
    for (const file of files) disk.closeFile(file)
    files.length = 0
    const remove = (path: string) => removeOrWarn(disk.remove, path, warn)
    for (const ref of refs) {
      if (ref.state === 'locked') remove(`${ref.path}.lock`)
      remove(ref.temporaryPath)
    }
    refs.length = 0
    if (pack?.isLocked) remove(`${pack.path}.lock`)
    if (pack) remove(pack.temporaryPath)
    if (pack?.next) {
      disk.closeFile(pack.next)
      remove(pack.next.path)
    }
    pack = undefined
  }

  function createTemporary(content: Uint8Array): OpenFile {
    for (let turn = 1; ; turn++) {
      if (!existsSync(temporaryDir)) disk.makeDirectory(temporaryDir)
      try {
        return disk.createFile(temporaryName(temporaryDir, owner), [content], 0o666)
      } catch (error) {
        if (errnoOf(error) !== 'ENOENT' || turn === folderTriesMax) throw error
      }
    }
  }

  function stage({ next }: RefUpdate): string {
    // The lock of a ref to delete is empty, like git's own.
    const file = createTemporary(Buffer.from(next === null ? '' : `${next}\n`, 'latin1'))
    files.push(file)
    return file.path
  }

  try {
    for (const update of [...updates].sort((left, right) => (left.ref < right.ref ? -1 : 1))) {
      const path = looseRefPath(layout, update.ref)
      for (const parent of makeRefFolder(disk, update.ref, dirname(path))) gained.add(parent)
      refs.push({ update, path, temporaryPath: stage(update), state: 'staged' })
    }
    if (updates.some(({ next }) => next === null)) {
      const temporary = createTemporary(new Uint8Array(0))
      disk.closeFile(temporary)
      pack = { path: realPackedRefsPath(layout), temporaryPath: temporary.path, isLocked: false, next: null }
    }
  } catch (error) {
    discard()
    throw error
  }

  const locking = { temporaryDir, owner, waitMs: context.lockWaitMs }

  async function lockRef(ref: StagedRef): Promise<void> {
    for (let turn = 1; ; turn++) {
      makeRefFolder(disk, ref.update.ref, dirname(ref.path))
      const { temporaryPath } = ref
      try {
        await takeLock(disk, { ...locking, ref: ref.update.ref, lockPath: `${ref.path}.lock`, temporaryPath })
        ref.state = 'locked'
        return
      } catch (error) {
        if (errnoOf(error) !== 'ENOENT' || turn === folderTriesMax) throw error
      }
      if (existsSync(temporaryPath)) continue
      ref.temporaryPath = stage(ref.update)
      await disk.flushFiles(files.slice(-1))
    }
  }

  /** After the refs' own locks, as in git. */
  async function lockPackedRefs(): Promise<void> {
    if (pack === undefined) return
    const { path, temporaryPath } = pack
    await takeLock(disk, { ...locking, ref: 'packed-refs', lockPath: `${path}.lock`, temporaryPath })
    pack.isLocked = true
  }

  async function preparePackedRefs(flushes: boolean): Promise<void> {
    if (pack === undefined) return
    const deleted = new Set<string>(refs.filter(({ update }) => update.next === null).map(({ update }) => update.ref))
    const content = openPackedRefs(layout).without(deleted)
    if (content === null) return
    pack.next = createTemporary(content)
    if (flushes) await disk.flushFiles([pack.next])
  }

  async function moveInOrder(flush: (directories: readonly string[]) => Promise<void>): Promise<RefsMoved> {
    const moved: RefUpdate[] = []
    try {
      for (const { ref: name, next } of updates) {
        const ref = refs.find(({ update }) => update.ref === name)
        if (ref === undefined || next === null) continue
        moveLoose(ref)
        moved.push(ref.update)
        await flush([dirname(ref.path)])
      }
    } catch (failure) {
      return { moved, directories: [], failure }
    }
    const rest = move()
    return { ...rest, moved: [...moved, ...rest.moved] }
  }

  function move(): RefsMoved {
    const moved: RefUpdate[] = []
    const directories = new Set<string>()
    try {
      for (const ref of refs.filter(({ update, state }) => update.next !== null && state !== 'moved')) {
        moveLoose(ref)
        moved.push(ref.update)
        directories.add(dirname(ref.path))
      }
      // The packed value first: a loose one hides it, so the ref keeps its value until its file is removed.
      if (pack?.next) {
        disk.rename(pack.next.path, pack.path)
        directories.add(dirname(pack.path))
      }
      for (const { update, path } of refs.filter(isDeletion)) {
        disk.remove(path)
        moved.push(update)
        directories.add(dirname(path))
        removeOrWarn(disk.remove, reflogPath(layout, update.ref), warn)
      }
      return { moved, directories: [...directories], failure: undefined }
    } catch (failure) {
      const gone = refs.filter(isDeletion).filter(({ update }) => !moved.includes(update) && isGone(update.ref))
      return { moved: [...moved, ...gone.map(({ update }) => update)], directories: [...directories], failure }
    }
  }

  /** A ref that exists only in `packed-refs` is deleted with its line there. */
  function isGone(ref: RefName): boolean {
    try {
      return readRefFile(layout, ref) === null
    } catch {
      return false
    }
  }

  function moveLoose(ref: StagedRef): void {
    try {
      renameOverEmptyFolder(disk, `${ref.path}.lock`, ref)
    } catch (error) {
      // A network file system may report a failure for a rename that succeeded.
      if (existsSync(`${ref.path}.lock`) || readRefFile(layout, ref.update.ref) !== ref.update.next) throw error
    }
    ref.state = 'moved'
  }

  return {
    files,
    gained: [...gained],
    async lock() {
      for (const ref of refs) await lockRef(ref)
      await lockPackedRefs()
    },
    async check(flushes) {
      requireUnmoved(layout, updates)
      for (const { update } of refs) if (update.next !== null) appendReflog(context, { ...update, next: update.next })
      await preparePackedRefs(flushes)
    },
    move,
    moveInOrder,
    discard,
  }
}

const isDeletion = ({ update: { expected, next } }: StagedRef): boolean => expected !== null && next === null

/** @throws {RefMovedError} when a ref does not have the value the caller expects */
export function requireUnmoved(layout: RepositoryLayout, updates: readonly RefUpdate[]): void {
  const packed = openPackedRefs(layout)
  const values = readRefFiles(
    layout,
    updates.map(({ ref }) => ref),
    packed,
  )
  for (const { ref, expected, next } of updates) {
    const found = values.get(ref) ?? null
    if (found !== expected) throw new RefMovedError(ref, expected, found)
    const obstacle = found === null && next !== null ? packed.findConflict(ref) : null
    if (obstacle !== null) throw nameTaken(ref, obstacle)
  }
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

// git leaves empty folders where refs were, and replaces such a folder by a ref of the same name.
function renameOverEmptyFolder(disk: Disk, lockPath: string, { path, update }: StagedRef): void {
  try {
    disk.rename(lockPath, path)
  } catch (error) {
    if (!['EISDIR', 'ENOTEMPTY', 'EEXIST'].includes(errnoOf(error) ?? '')) throw error
    if (!removeEmptyFolders(path)) throw nameTaken(update.ref, `${update.ref}/…`)
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

/** `old new committer\tmessage`, one write under the lock. An existing log is continued, as in git. */
function appendReflog(
  { disk, layout, committer, logsEveryRef }: RefWriterContext,
  move: RefUpdate & { readonly next: Oid },
): void {
  const path = reflogPath(layout, move.ref)
  const sizeBefore = statSync(path, { throwIfNoEntry: false })?.size
  if (sizeBefore === undefined && move.keepsReflog !== true && !logsEveryRef) return
  const none = '0'.repeat(oidLength[layout.objectFormat])
  const message = move.reflogMessage.replace(/\s+/g, ' ').trim()
  const line = `${move.expected ?? none} ${move.next} ${committer}\t${message}\n`
  try {
    appendMakingFolder(disk, path, line)
  } catch (error) {
    // A torn line would corrupt the next one.
    if (sizeBefore === undefined) disk.remove(path)
    else disk.truncate(path, sizeBefore)
    throw error
  }
}

function appendMakingFolder(disk: Disk, path: string, line: string): void {
  for (let turn = 1; ; turn++) {
    try {
      disk.append(path, line)
      return
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT' || turn === folderTriesMax) throw error
      disk.makeDirectory(dirname(path))
    }
  }
}
