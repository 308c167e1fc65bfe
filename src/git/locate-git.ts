import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, isAbsolute, join, relative, sep } from 'node:path'
import { GitNotFoundError } from '../model/errors/index.ts'

/** Environment of a process, as given by the entry. */
export type Environment = Readonly<Record<string, string | undefined>>

/**
 * Finds the git program: the first absolute PATH entry outside the repository that holds one. Neither the current
 * directory nor anything the repository's files could provide is ever run.
 *
 * @param repository - real directories of the repository, nothing below which is trusted
 * @throws {GitNotFoundError}
 */
export function locateGit(environment: Environment, repository: readonly string[]): string {
  for (const folder of (environment.PATH ?? '').split(delimiter)) {
    if (!isAbsolute(folder) || repository.some((root) => isInside(folder, root))) continue
    const candidate = join(folder, process.platform === 'win32' ? 'git.exe' : 'git')
    if (isProgram(candidate)) return candidate
  }
  throw new GitNotFoundError('the git program was not found', {
    details: { reason: 'git-not-found' },
    hints: ['Install git 2.30 or newer and make sure that PATH names its directory by an absolute path'],
  })
}

// A repository at the root of the file system holds every program; then nothing can be told apart.
function isInside(folder: string, root: string): boolean {
  if (root === '' || root === sep) return false
  const path = relative(root, folder)
  return path === '' || (path !== '..' && !path.startsWith(`..${sep}`) && !isAbsolute(path))
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    // Not there, or in a folder of PATH that this user may not search: a shell goes on to the next, too.
    return false
  }
}
