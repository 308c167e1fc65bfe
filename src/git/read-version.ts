import { GitError } from '../model/errors/index.ts'
import type { Environment } from './locate-git.ts'
import type { RepositoryLayout } from './port.ts'
import { createGitRunner } from './run-git.ts'

/** The version of the git program in use, such as `2.39.2`. */
export async function readGitVersion(layout: RepositoryLayout, environment: Environment): Promise<string> {
  const { stdout } = await createGitRunner(layout, environment).run(['version'])
  const text = stdout.toString('utf8').trim()
  const version = /(\d+\.\d+(\.\d+)*)/.exec(text)?.[1]
  if (version === undefined) throw new GitError(`cannot read the git version from: ${text.slice(0, 100)}`)
  return version
}
