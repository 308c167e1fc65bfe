import { lstat, mkdir, open, realpath, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { SharedPermissions } from '../../git/index.ts'
import { StorageError } from '../../model/index.ts'

let counter = 0

/**
 * Makes a folder, and those above it.
 *
 * @param permissions - of the repository, for a folder below its git directory
 * @throws {StorageError} when it cannot be made
 */
export async function makeFolder(path: string, permissions?: SharedPermissions): Promise<void> {
  try {
    const first = await mkdir(path, { recursive: true })
    if (first === undefined || permissions === undefined) return
    for (let made = path; made.length >= first.length; made = dirname(made)) permissions.adjust(made)
  } catch (error) {
    // On a read-only file system Node says ENOENT of the folder below the last one that is there.
    throw new StorageError(`cannot make the folder ${path}: ${(error as Error).message}`, {
      details: { path },
      cause: error,
    })
  }
}

export interface WriteFileOptions {
  /** Of the new file, less the umask. */
  readonly mode?: number | undefined
  /** Of the repository, for a file below its git directory that others may read when they may read the repository. */
  readonly permissions?: SharedPermissions
}

/**
 * Replaces a file whole: readers see the old or the new content, never a part, also after a crash.
 * @throws {StorageError} when it cannot be written; the old content is untouched
 */
export async function writeFileAtomically(
  path: string,
  content: string | Uint8Array,
  { mode = 0o666, permissions }: WriteFileOptions = {},
): Promise<void> {
  const draft = `${path}.${process.pid}.${counter++}.tmp`
  try {
    const file = await open(draft, 'wx', mode)
    try {
      await file.writeFile(content)
      await file.datasync()
    } finally {
      await file.close()
    }
    permissions?.adjust(draft)
    await rename(draft, path)
  } catch (error) {
    await rm(draft, { force: true }).catch(() => {})
    throw new StorageError(`cannot write ${path}: ${(error as Error).message}`, { details: { path }, cause: error })
  }
}

/** Makes the names in a folder last through a loss of power, where the system can do that. */
export async function flushFolder(path: string): Promise<void> {
  try {
    const folder = await open(path)
    try {
      await folder.sync()
    } finally {
      await folder.close()
    }
  } catch (error) {
    // Windows opens no folders, some network file systems flush none.
    const { code = '' } = error as NodeJS.ErrnoException
    if (!['EISDIR', 'EPERM', 'EACCES', 'EINVAL', 'ENOTSUP'].includes(code)) {
      throw new StorageError(`cannot flush ${path}: ${(error as Error).message}`, { details: { path }, cause: error })
    }
  }
}

/** Whether a file is one that was to replace another. */
export function isDraftName(name: string): boolean {
  return /\.\d+(\.\d+)?\.tmp$/.test(name)
}

/**
 * Writes a file that the user named. A link is followed, and what is no plain file (a pipe, `/dev/null`) is written to,
 * never replaced.
 * @throws {StorageError} when it cannot be written
 */
export async function writeOutputFile(path: string, content: string | Uint8Array): Promise<void> {
  const isLink = (await lstat(path).catch(() => undefined))?.isSymbolicLink() === true
  const target = isLink ? await realpath(path).catch(() => path) : path
  const found = await stat(target).catch(() => undefined)
  if (found === undefined || found.isFile()) return writeFileAtomically(target, content, { mode: found?.mode })
  try {
    await writeFile(target, content)
  } catch (error) {
    throw new StorageError(`cannot write ${path}: ${(error as Error).message}`, { details: { path }, cause: error })
  }
}
