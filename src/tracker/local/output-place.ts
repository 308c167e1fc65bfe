import { isAbsolute, relative, sep } from 'node:path'
import type { RepositoryLayout } from '../../git/index.ts'
import { findPlaceOrPipe, holdsGitDir } from './find-place.ts'

/**
 * Where a file that the user named is to be written. Below the work tree it must really lie there: anyone who can push files
 * can push a link that leads out of it, or into the repository's own configuration. Elsewhere, links are the user's own,
 * and so is a path that names a `.git` itself.
 *
 * @param path - absolute
 * @throws {ConflictError} when a link leads out of the work tree
 */
export async function findOutputPlace({ workTree }: RepositoryLayout, path: string): Promise<string> {
  if (workTree === null) return path
  const way = relative(workTree, path)
  const isOutside = way === '' || way.split(sep)[0] === '..' || isAbsolute(way)
  return isOutside || holdsGitDir(way) ? path : findPlaceOrPipe(workTree, way)
}
