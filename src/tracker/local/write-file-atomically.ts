import { randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { copyFile, type FileHandle, lstat, mkdir, open, realpath, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { newTemporaryPath, type RepositoryLayout, type SharedPermissions } from '../../git/index.ts'
import { StorageError } from '../../model/index.ts'

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

/** A content as a whole, or in pieces that are made while they are written. */
export type FileContent = string | Uint8Array | AsyncIterable<string>

export interface WriteFileOptions {
  /** Of the new file, less the umask. */
  readonly mode?: number | undefined
  /** Of the repository, for a file below its git directory that others may read when they may read the repository. */
  readonly permissions?: SharedPermissions
  /** Takes the draft away at once when it is aborted: the process ends soon after. */
  readonly interrupted?: AbortSignal | undefined
  /** Where the draft lies; default beside the file. On the same disk. */
  readonly draft?: string | undefined
}

/**
 * Replaces a file whole: readers see the old or the new content, never a part, also after a crash.
 * @throws {StorageError} when it cannot be written; the old content is untouched
 * @throws what the pieces of the content failed with
 */
export async function writeFileAtomically(
  path: string,
  content: FileContent,
  { mode = 0o666, permissions, interrupted, draft = draftBeside(path) }: WriteFileOptions = {},
): Promise<void> {
  const source = openSource(content)
  const discard = () => rmSync(draft, { force: true })
  interrupted?.addEventListener('abort', discard)
  try {
    const file = await open(draft, 'wx', mode)
    try {
      interrupted?.throwIfAborted()
      await writeContent(file, source.content)
      await file.datasync()
    } finally {
      await file.close()
    }
    permissions?.adjust(draft)
    await rename(draft, path).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EXDEV') throw error
      await moveAcross(draft, path)
    })
  } catch (error) {
    await rm(draft, { force: true }).catch(() => {})
    throw source.hasFailed() ? error : storageError(path, error)
  } finally {
    interrupted?.removeEventListener('abort', discard)
  }
}

/** Two mounts of one disk, such as those of a container, let nothing be renamed between them. */
async function moveAcross(draft: string, path: string): Promise<void> {
  const beside = draftBeside(path)
  try {
    await copyFile(draft, beside)
    await rename(beside, path)
    await rm(draft)
  } finally {
    await rm(beside, { force: true })
  }
}

function draftBeside(path: string): string {
  return `${path}.${randomBytes(6).toString('hex')}.tmp`
}

const pieceBytes = 512 * 1024

/** Writes pieces through one buffer: a new one for each would fill the memory until they are collected. */
async function writeContent(file: FileHandle, content: FileContent): Promise<void> {
  if (typeof content === 'string' || content instanceof Uint8Array) return file.writeFile(content)
  let buffer = Buffer.allocUnsafe(pieceBytes)
  for await (const piece of content) {
    if (piece.length * 3 > buffer.length) buffer = Buffer.allocUnsafe(piece.length * 3)
    const length = buffer.write(piece)
    for (let written = 0; written < length; ) {
      written += (await file.write(buffer, written, length - written)).bytesWritten
    }
  }
}

/** A content, and whether making its pieces has failed: then the disk is not to blame. */
function openSource(content: FileContent): { readonly content: FileContent; readonly hasFailed: () => boolean } {
  if (typeof content === 'string' || content instanceof Uint8Array) return { content, hasFailed: () => false }
  let failed = false
  async function* watched(pieces: AsyncIterable<string>): AsyncGenerator<string> {
    try {
      yield* pieces
    } catch (error) {
      failed = true
      throw error
    }
  }
  return { content: watched(content), hasFailed: () => failed }
}

function storageError(path: string, error: unknown): StorageError {
  return new StorageError(`cannot write ${path}: ${(error as Error).message}`, { details: { path }, cause: error })
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

/** Whether a file is one that was to replace another; versions before this one numbered them. */
export function isDraftName(name: string): boolean {
  return /\.([0-9a-f]{12}|\d+(\.\d+)?)\.tmp$/.test(name)
}

export interface OutputOptions {
  /** The repository that the command works in. */
  readonly layout?: RepositoryLayout | undefined
  readonly interrupted?: AbortSignal
}

/**
 * Writes a file that the user named. A link is followed, and what is no plain file (a pipe, `/dev/null`) is written to,
 * never replaced.
 * @throws {StorageError} when it cannot be written
 */
export async function writeOutputFile(
  path: string,
  content: FileContent,
  { layout, interrupted }: OutputOptions = {},
): Promise<void> {
  const isLink = (await lstat(path).catch(() => undefined))?.isSymbolicLink() === true
  const target = isLink ? await realpath(path).catch(() => path) : path
  const found = await stat(target).catch(() => undefined)
  if (found === undefined || found.isFile()) {
    const draft = layout && (await draftAway(layout, target))
    return writeFileAtomically(target, content, { mode: found?.mode, interrupted, draft })
  }
  const source = openSource(content)
  try {
    const file = await open(target, 'w')
    try {
      await writeContent(file, source.content)
    } finally {
      await file.close()
    }
  } catch (error) {
    throw source.hasFailed() ? error : storageError(path, error)
  }
}

/**
 * A draft in the git directory, so that a process that is killed leaves nothing in the work tree. Undefined where that is
 * another disk, or was never written to.
 */
async function draftAway(layout: RepositoryLayout, target: string): Promise<string | undefined> {
  const draft = newTemporaryPath(layout)
  const [from, to] = await Promise.all([draft, target].map((path) => stat(dirname(path)).catch(() => undefined)))
  return from !== undefined && from.dev === to?.dev ? draft : undefined
}
