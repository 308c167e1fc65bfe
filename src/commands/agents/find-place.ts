import { lstat, realpath, stat } from 'node:fs/promises'
import { dirname, isAbsolute, join, relative, sep } from 'node:path'
import { ConflictError } from '../../model/index.ts'

/**
 * Where a file below a folder really lies, links followed, whether or not it is there yet.
 *
 * @param path - relative to `folder`
 * @throws {ConflictError} when a link leads out of the folder or to nothing, or something else than a file is in the way
 */
export async function findPlace(folder: string, path: string): Promise<string> {
  const root = await realpath(folder)
  const target = await followLinks(join(root, path))
  const way = relative(root, target)
  const isOutside = way === '' || way === '..' || way.startsWith(`..${sep}`) || isAbsolute(way)
  // Whoever can push can make a link to the repository's own configuration.
  if (isOutside || way.split(sep).some((name) => name.toLowerCase() === '.git')) {
    throw new ConflictError(`${join(folder, path)} is a link that leads out of the files of ${folder}: ${target}`, {
      details: { path: join(folder, path), target },
      hints: ['Put a file in its place; what the link leads to is left alone'],
    })
  }
  const found = await stat(target).catch(() => undefined)
  if (found !== undefined && !found.isFile()) {
    throw new ConflictError(`${join(folder, path)} is no file`, { details: { path: target }, hints: [] })
  }
  return target
}

/** Of what is not there yet, the folders above it are followed. */
async function followLinks(path: string): Promise<string> {
  try {
    return await realpath(path)
  } catch (error) {
    const isLink = (await lstat(path).catch(() => undefined))?.isSymbolicLink() === true
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || isLink) {
      const reason = isLink ? 'is a link that leads to nothing' : `cannot be reached: ${(error as Error).message}`
      throw new ConflictError(`${path} ${reason}`, { details: { path }, hints: [], cause: error })
    }
    const parent = dirname(path)
    return join(await followLinks(parent), path.slice(parent.length))
  }
}
