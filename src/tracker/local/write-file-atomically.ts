import { rmSync } from 'node:fs'
import { copyFile, type FileHandle, lstat, mkdir, open, realpath, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { newTemporaryPath, type RepositoryLayout, randomBytes, type SharedPermissions } from '../../git/index.ts'
import { StorageError } from '../../model/index.ts'

/**
 * Creates a folder and its parents.
 *
 * @param permissions - of the repository, for a folder below its git directory
 * @throws {StorageError} when it cannot be created
 */
export async function makeFolder(path: string, permissions?: SharedPermissions): Promise<void> {
  try {
    const first = await mkdir(path, { recursive: true })
    if (first === undefined || permissions === undefined) return
    for (let made = path; made.length >= first.length; made = dirname(made)) permissions.adjust(made)
  } catch (error) {
    // On a read-only file system Node reports ENOENT for the first missing folder.
    throw new StorageError(`cannot create the folder ${path}: ${(error as Error).message}`, {
      details: { path },
      cause: error,
    })
  }
}

/** A complete content, or pieces that are generated during the write. */
export type FileContent = string | Uint8Array | AsyncIterable<string | Uint8Array>

export interface WriteFileOptions {
  /** Mode of the new file, before the umask. */
  readonly mode?: number | undefined
  /** Permissions of the repository, for a file below its git directory that is as readable as the repository. */
  readonly permissions?: SharedPermissions
  /** On abort, removes the temp file at once, because the process exits soon after. */
  readonly interrupted?: AbortSignal | undefined
  /** Path of the temp file, on the same disk; default beside the file. */
  readonly draft?: string | undefined
}

/**
 * Replaces a file atomically: readers see the old or the new content, never a part, even after a crash.
 * @throws {StorageError} when the write fails; the old content is preserved
 * @throws the error of the pieces of the content
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

/** A rename between two mounts of one disk fails, as in containers. */
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

/** Writes pieces through one buffer: a new buffer per piece would fill the memory until garbage collection. */
async function writeContent(file: FileHandle, content: FileContent): Promise<void> {
  if (typeof content === 'string' || content instanceof Uint8Array) return file.writeFile(content)
  let buffer = Buffer.allocUnsafe(pieceBytes)
  for await (const piece of content) {
    if (typeof piece !== 'string') {
      await writeAll(file, piece, piece.length)
      continue
    }
    if (piece.length * 3 > buffer.length) buffer = Buffer.allocUnsafe(piece.length * 3)
    await writeAll(file, buffer, buffer.write(piece))
  }
}

async function writeAll(file: FileHandle, bytes: Uint8Array, length: number): Promise<void> {
  for (let written = 0; written < length; ) written += (await file.write(bytes, written, length - written)).bytesWritten
}

/** Wraps a content to record whether generating its pieces failed: such an error is not a disk error. */
function openSource(content: FileContent): { readonly content: FileContent; readonly hasFailed: () => boolean } {
  if (typeof content === 'string' || content instanceof Uint8Array) return { content, hasFailed: () => false }
  let failed = false
  async function* watched(pieces: AsyncIterable<string | Uint8Array>): AsyncGenerator<string | Uint8Array> {
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

/** Flushes the entries of a folder, so that they survive a power loss, where the system supports that. */
export async function flushFolder(path: string): Promise<void> {
  try {
    const folder = await open(path)
    try {
      await folder.sync()
    } finally {
      await folder.close()
    }
  } catch (error) {
    // Windows cannot open folders, and some network file systems cannot flush them.
    const { code = '' } = error as NodeJS.ErrnoException
    if (!['EISDIR', 'EPERM', 'EACCES', 'EINVAL', 'ENOTSUP'].includes(code)) {
      throw new StorageError(`cannot flush ${path}: ${(error as Error).message}`, { details: { path }, cause: error })
    }
  }
}

/** Whether a file is one of our temp files; earlier versions numbered them. */
export function isDraftName(name: string): boolean {
  return /\.([0-9a-f]{12}|\d+(\.\d+)?)\.tmp$/.test(name)
}

export interface OutputOptions {
  /** The repository of the command. */
  readonly layout?: RepositoryLayout | undefined
  readonly interrupted?: AbortSignal
}

/**
 * Writes an output file. Follows a link; writes to anything but a regular file (a pipe, `/dev/null`) instead of replacing
 * it.
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
 * Path of a temp file in the git directory, so that a killed process leaves nothing in the work tree. Undefined if that is
 * another disk, or grite has never written there.
 */
async function draftAway(layout: RepositoryLayout, target: string): Promise<string | undefined> {
  const draft = newTemporaryPath(layout)
  const [from, to] = await Promise.all([draft, target].map((path) => stat(dirname(path)).catch(() => undefined)))
  return from !== undefined && from.dev === to?.dev ? draft : undefined
}
