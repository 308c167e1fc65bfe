import type { GitPort } from './port.ts'
import { createGitRunner } from './run-git.ts'

/** Names of more changed files are not read. */
const stdoutBytesMax = 1024 * 1024

/**
 * Lists files of the work tree that differ from the last commit, by their paths from its top; an untracked folder ends in
 * a slash. Empty when git cannot tell. Writes nothing, not even git's index.
 */
export async function listChangedFiles({ layout, environment }: GitPort): Promise<readonly string[]> {
  const { workTree } = layout
  if (workTree === null) return []
  const options = ['status', '--porcelain', '-z', '--no-renames', '--untracked-files=normal', '--ignore-submodules']
  try {
    const { stdout } = await createGitRunner(layout, environment).run(['--no-optional-locks', ...options], {
      cwd: workTree,
      stdoutBytesMax,
    })
    // Each entry is two letters, a space and a path.
    return stdout
      .toString('utf8')
      .split('\0')
      .map((entry) => entry.slice(3))
      .filter((path) => path !== '')
  } catch {
    return []
  }
}
