import { constants, openSync, realpathSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { GitError, StorageError } from '../model/errors/index.ts'
import type { Environment } from './locate-git.ts'
import { hasAlternates } from './plain-repository.ts'
import type { RepositoryLayout } from './port.ts'
import { decodeUtf8 } from './read-small-file.ts'
import { createGitRunner } from './run-git.ts'

export interface AskGitOptions {
  /** Directory in which the command runs. Absolute. */
  readonly cwd: string
  readonly env: Environment
  /** Folders that may belong to the repository; git is never searched for there. */
  readonly suspects: readonly string[]
}

/**
 * Asks git which repository a command in `cwd` uses. git gets only the directory, never a repository that we found
 * ourselves, so that safe.directory and safe.bareRepository apply.
 *
 * @throws {NotFoundError} when there is none
 * @throws {RepositoryRefusedError} when git does not trust it or does not know its format
 */
export async function askGit({ cwd, env, suspects }: AskGitOptions): Promise<RepositoryLayout> {
  const git = createGitRunner(null, env, suspects)
  const ask = async (...options: string[]) => (await git.run(['rev-parse', ...options], { cwd })).stdout
  const whichFormat = ['--show-object-format', '--show-ref-format']
  const [formats, gitDirLine, commonDirLine, wayToTop, objectDirLine] = await Promise.all([
    ask(...whichFormat),
    ask('--git-dir'),
    ask('--git-common-dir'),
    ask('--show-cdup'),
    env.GIT_OBJECT_DIRECTORY ? ask('--git-path', 'objects') : undefined,
  ])
  const locate = (line: Buffer) => realDirectory(cwd, line.subarray(0, -1))
  const gitDir = locate(gitDirLine)
  const commonDir = locate(commonDirLine)
  const objectDir = objectDirLine === undefined ? join(commonDir, 'objects') : locate(objectDirLine)
  return {
    gitDir,
    commonDir,
    // git prints nothing without a work tree, and an empty line at its top.
    workTree: wayToTop.length === 0 ? null : locate(wayToTop),
    ...parseFormats(formats.toString('utf8').split('\n'), gitDir),
    objectDir,
    unusualObjectStore: Boolean(objectDirLine || env.GIT_ALTERNATE_OBJECT_DIRECTORIES) || hasAlternates(objectDir),
  }
}

function parseFormats([objectFormat, refFormat = '']: readonly string[], gitDir: string) {
  // A git without --show-ref-format prints the option itself.
  const refStorage = refFormat.startsWith('-') ? 'files' : refFormat
  if ((objectFormat === 'sha1' || objectFormat === 'sha256') && (refStorage === 'files' || refStorage === 'reftable')) {
    return { objectFormat, refStorage } as const
  }
  throw new GitError(`${gitDir} is a repository of an unknown kind (${objectFormat}, ${refFormat})`)
}

/** The real path of a directory that git named, relative to where it ran. A work tree need not exist. */
function realDirectory(cwd: string, name: Buffer): string {
  const path = name[0] === slash ? name : Buffer.concat([Buffer.from(`${cwd}/`), name])
  try {
    // The system's realpath: keeps names that are not UTF-8, and applies `..` after resolving links.
    const real = realpathSync.native(path, { encoding: 'buffer' })
    return decodeUtf8(real) ?? pathWithoutName(real)
  } catch (cause) {
    const text = decodeUtf8(path)
    if (text !== null && (cause as NodeJS.ErrnoException).code === 'ENOENT') return resolve(text)
    const reason = (cause as Error).message
    throw new StorageError(`cannot reach a directory of the repository: ${reason}`, { cause })
  }
}

const slash = '/'.charCodeAt(0)

/**
 * A path to a directory whose own path is not UTF-8 and so cannot be text. It works in this process and its children
 * until this process ends.
 */
function pathWithoutName(path: Buffer): string {
  if (process.platform !== 'linux') {
    throw new StorageError(`the path of the repository is not UTF-8: ${path.toString('utf8')}`, {
      hints: ['Rename the directory to a UTF-8 name'],
    })
  }
  // Never closed: the path is valid only while the descriptor is open.
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY)
  return `/proc/${process.pid}/fd/${descriptor}`
}
