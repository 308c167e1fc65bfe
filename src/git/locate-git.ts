import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, isAbsolute, join, relative, sep } from 'node:path'
import { GitNotFoundError } from '../model/errors/index.ts'

/** Environment of a process, from the entry point. */
export type Environment = Readonly<Record<string, string | undefined>>

/**
 * Finds the git program: in the first absolute PATH entry outside the repository that has one. Never runs a program
 * from the current directory or from the repository's files.
 *
 * @param repository - real directories of the repository; nothing below them is trusted
 * @throws {GitNotFoundError}
 */
export function locateGit(environment: Environment, repository: readonly string[]): string {
  for (const folder of (environment.PATH ?? '').split(delimiter)) {
    if (!isAbsolute(folder)) continue
    const candidate = join(folder, process.platform === 'win32' ? 'git.exe' : 'git')
    if (isProgram(candidate) && !repository.some((root) => isInside(folder, root))) return candidate
  }
  throw new GitNotFoundError('the git program was not found', {
    details: { reason: 'git-not-found' },
    hints: ['Install git 2.30 or newer and make sure that PATH contains its directory as an absolute path'],
  })
}

// A repository at the file system root contains every program, so there is nothing to distinguish.
function isInside(folder: string, root: string): boolean {
  if (root === '' || root === sep) return false
  const path = relative(root, folder)
  return path === '' || (path !== '..' && !path.startsWith(`..${sep}`) && !isAbsolute(path))
}

function isProgram(path: string): boolean {
  try {
    // Most folders of PATH have no git: an error for each would cost more than the search.
    if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) return false
    accessSync(path, constants.X_OK)
    return true
  } catch {
    // Missing, or in a PATH folder that this user may not search: a shell tries the next one, too.
    return false
  }
}
