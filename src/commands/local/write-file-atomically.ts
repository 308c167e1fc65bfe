import { mkdir, open, rename, rm } from 'node:fs/promises'
import { StorageError } from '../../model/index.ts'

let counter = 0

/**
 * Makes a folder, and those above it.
 * @throws {StorageError} when it cannot be made
 */
export async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true })
  } catch (error) {
    // On a read-only file system Node says ENOENT of the folder below the last one that is there.
    throw new StorageError(`cannot make the folder ${path}: ${(error as Error).message}`, {
      details: { path },
      cause: error,
    })
  }
}

/**
 * Replaces a file whole: readers see the old or the new content, never a part, also after a crash.
 * @throws {StorageError} when it cannot be written; the old content is untouched
 */
export async function writeFileAtomically(path: string, content: string | Uint8Array, mode = 0o666): Promise<void> {
  const draft = `${path}.${process.pid}.${counter++}.tmp`
  try {
    const file = await open(draft, 'wx', mode)
    try {
      await file.writeFile(content)
      await file.datasync()
    } finally {
      await file.close()
    }
    await rename(draft, path)
  } catch (error) {
    await rm(draft, { force: true }).catch(() => {})
    throw new StorageError(`cannot write ${path}: ${(error as Error).message}`, { details: { path }, cause: error })
  }
}
