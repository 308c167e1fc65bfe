import type { Environment } from './locate-git.ts'
import type { RepositoryLayout } from './port.ts'
import { createGitRunner } from './run-git.ts'

/** A value of git's configuration as git itself finds it; null when it is not set. */
export async function readGitConfig(
  layout: RepositoryLayout,
  environment: Environment,
  key: string,
): Promise<string | null> {
  const git = createGitRunner(layout, environment)
  const { exitStatus, stdout } = await git.run(['config', '--get', key], { okStatuses: [0, 1] })
  return exitStatus === 0 ? stdout.toString('utf8').replace(/\n$/, '') : null
}
