import { lstat, realpath, stat } from 'node:fs/promises'
import { dirname, join, sep } from 'node:path'
import { decodeUtf8 } from '../../git/index.ts'
import { ConflictError } from '../../model/index.ts'

/**
 * Resolves the real path of a file below a folder, following links, whether or not the file exists.
 *
 * @param path - relative to `folder`
 * @returns a path that begins with `folder`
 * @throws {ConflictError} when a link leads out of the folder or is dangling, or the path is not a file
 */
export async function findPlace(folder: string, path: string): Promise<string> {
  const place = await followPlace(folder, path)
  const found = await stat(place).catch(() => undefined)
  if (found !== undefined && !found.isFile()) {
    throw new ConflictError(`${join(folder, path)} is not a file`, { details: { path: place }, hints: [] })
  }
  return place
}

/** Like `findPlace`, but also accepts a pipe or a device. */
export async function findPlaceOrPipe(folder: string, path: string): Promise<string> {
  const place = await followPlace(folder, path)
  if ((await stat(place).catch(() => undefined))?.isDirectory() === true) {
    throw new ConflictError(`${join(folder, path)} is a folder`, { details: { path: place }, hints: [] })
  }
  return place
}

async function followPlace(folder: string, path: string): Promise<string> {
  // Compare bytes: decoding would confuse names that are not UTF-8.
  const root = await realpath(folder, { encoding: 'buffer' })
  const target = await followLinks(join(folder, path))
  const way = wayFrom(root, target)
  // Anyone who can push can create a link to the configuration of the repository.
  if (way === null || holdsGitDir(way)) {
    const shown = target.toString('utf8')
    throw new ConflictError(`${join(folder, path)} is a link to a file outside ${folder}: ${shown}`, {
      details: { path: join(folder, path), target: shown },
      hints: ['Replace the link by a file; grite does not write through it'],
    })
  }
  return join(folder, way)
}

/** Whether a path leads into a git directory. */
export function holdsGitDir(way: string): boolean {
  return way.split(sep).some((name) => name.toLowerCase() === '.git')
}

/** Null when the path leads out of the root, or is not UTF-8. */
function wayFrom(root: Buffer, target: Buffer): string | null {
  const start = root.toString('latin1') === sep ? root : Buffer.concat([root, Buffer.from(sep)])
  if (!target.subarray(0, start.length).equals(start)) return null
  return decodeUtf8(target.subarray(start.length))
}

/** If the file does not exist yet, resolves its parent folders. */
async function followLinks(path: string): Promise<Buffer> {
  try {
    return await realpath(path, { encoding: 'buffer' })
  } catch (error) {
    const isLink = (await lstat(path).catch(() => undefined))?.isSymbolicLink() === true
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || isLink) {
      const reason = isLink ? 'is a dangling link' : `cannot be reached: ${(error as Error).message}`
      throw new ConflictError(`${path} ${reason}`, { details: { path }, hints: [], cause: error })
    }
    const parent = dirname(path)
    return Buffer.concat([await followLinks(parent), Buffer.from(path.slice(parent.length))])
  }
}
