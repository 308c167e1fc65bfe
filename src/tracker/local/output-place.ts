import { isAbsolute, relative, sep } from 'node:path'
import type { RepositoryLayout } from '../../git/index.ts'
import { findPlaceOrPipe, holdsGitDir } from './find-place.ts'

/**
 * Resolves the path of an output file. Inside the work tree, links must stay inside: anyone who can push files can push a
 * link that leads out of it, or into the configuration of the repository. Elsewhere, links belong to the user, and so does
 * a path that contains `.git` explicitly.
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
