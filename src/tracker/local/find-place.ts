import { lstat, realpath, stat } from 'node:fs/promises'
import { dirname, join, sep } from 'node:path'
import { decodeUtf8 } from '../../git/index.ts'
import { ConflictError } from '../../model/index.ts'

/**
 * Where a file below a folder really lies, links followed, whether or not it is there yet.
 *
 * @param path - relative to `folder`
 * @returns a path that begins with `folder`
 * @throws {ConflictError} when a link leads out of the folder or to nothing, or something else than a file is in the way
 */
export async function findPlace(folder: string, path: string): Promise<string> {
  const place = await followPlace(folder, path)
  const found = await stat(place).catch(() => undefined)
  if (found !== undefined && !found.isFile()) {
    throw new ConflictError(`${join(folder, path)} is no file`, { details: { path: place }, hints: [] })
  }
  return place
}

/** As `findPlace`, but a pipe or a device that the user put there is fine too. */
export async function findPlaceOrPipe(folder: string, path: string): Promise<string> {
  const place = await followPlace(folder, path)
  if ((await stat(place).catch(() => undefined))?.isDirectory() === true) {
    throw new ConflictError(`${join(folder, path)} is a folder`, { details: { path: place }, hints: [] })
  }
  return place
}

async function followPlace(folder: string, path: string): Promise<string> {
  // In bytes: names that are not UTF-8 would be taken for others.
  const root = await realpath(folder, { encoding: 'buffer' })
  const target = await followLinks(join(folder, path))
  const way = wayFrom(root, target)
  // Anyone who can push can make a link to the repository's own configuration.
  if (way === null || holdsGitDir(way)) {
    const shown = target.toString('utf8')
    throw new ConflictError(`${join(folder, path)} is a link that leads out of the files of ${folder}: ${shown}`, {
      details: { path: join(folder, path), target: shown },
      hints: ['Put a file in its place; what the link leads to is left alone'],
    })
  }
  return join(folder, way)
}

/** Whether a path goes through a repository's own files. */
export function holdsGitDir(way: string): boolean {
  return way.split(sep).some((name) => name.toLowerCase() === '.git')
}

/** Null when it leads out of the root, or has a name that is not UTF-8. */
function wayFrom(root: Buffer, target: Buffer): string | null {
  const start = root.toString('latin1') === sep ? root : Buffer.concat([root, Buffer.from(sep)])
  if (!target.subarray(0, start.length).equals(start)) return null
  return decodeUtf8(target.subarray(start.length))
}

/** Of what is not there yet, the folders above it are followed. */
async function followLinks(path: string): Promise<Buffer> {
  try {
    return await realpath(path, { encoding: 'buffer' })
  } catch (error) {
    const isLink = (await lstat(path).catch(() => undefined))?.isSymbolicLink() === true
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || isLink) {
      const reason = isLink ? 'is a link that leads to nothing' : `cannot be reached: ${(error as Error).message}`
      throw new ConflictError(`${path} ${reason}`, { details: { path }, hints: [], cause: error })
    }
    const parent = dirname(path)
    return Buffer.concat([await followLinks(parent), Buffer.from(path.slice(parent.length))])
  }
}
