import { InvalidArgsError, shellCommand } from '../model/errors/index.ts'
import type { Environment } from './locate-git.ts'
import type { RepositoryLayout } from './port.ts'
import { decodeUtf8 } from './read-small-file.ts'
import { createGitRunner } from './run-git.ts'

/**
 * A value of git's configuration as git itself finds it; null when it is not set.
 * @throws {InvalidArgsError} when it is not UTF-8
 */
export async function readGitConfig(
  layout: RepositoryLayout,
  environment: Environment,
  key: string,
): Promise<string | null> {
  const git = createGitRunner(layout, environment)
  const { exitStatus, stdout } = await git.run(['config', '--get', key], { okStatuses: [0, 1] })
  if (exitStatus !== 0) return null
  const text = decodeUtf8(stdout)
  if (text !== null) return text.replace(/\n$/, '')
  throw new InvalidArgsError(`${key} in the configuration of git is not UTF-8`, {
    details: { field: key },
    hints: [
      `Set it again on a UTF-8 terminal, with \`${shellCommand('git', 'config', '--global', key)}\` and the value`,
    ],
  })
}
