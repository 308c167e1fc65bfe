import { GitNotFoundError, InvalidArgsError, shellCommand } from '../model/errors/index.ts'
import { readConfigFiles } from './config-files.ts'
import { lastValue } from './file-config.ts'
import type { Environment } from './locate-git.ts'
import type { RepositoryLayout } from './port.ts'
import { decodeUtf8 } from './read-small-file.ts'
import { createGitRunner } from './run-git.ts'

/**
 * A git configuration value as git itself resolves it; null when it is not set. Without the git program, the files are
 * read in process.
 *
 * @throws {InvalidArgsError} when it is not UTF-8
 * @throws {GitNotFoundError} without git, where only git understands the configuration
 */
export async function readGitConfig(
  layout: RepositoryLayout,
  environment: Environment,
  key: string,
): Promise<string | null> {
  const git = createGitRunner(layout, environment)
  try {
    const { exitStatus, stdout } = await git.run(['config', '--get', key], { okStatuses: [0, 1] })
    if (exitStatus !== 0) return null
    const text = decodeUtf8(stdout)
    if (text !== null) return text.replace(/\n$/, '')
  } catch (error) {
    if (!(error instanceof GitNotFoundError)) throw error
    return lastValue(readConfigFiles(layout, environment, error), key.toLowerCase()) ?? null
  }
  throw new InvalidArgsError(`${key} in the git configuration is not UTF-8`, {
    details: { field: key },
    hints: [`On a UTF-8 terminal, run \`${shellCommand('git', 'config', '--global', key)}\` with the value`],
  })
}
