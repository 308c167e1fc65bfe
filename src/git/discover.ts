import { realpathSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { GitError, type GriteError, NotFoundError, RepositoryRefusedError } from '../model/errors/index.ts'
import { type AskGitOptions, askGit } from './ask-git.ts'
import type { Environment } from './locate-git.ts'
import { findGitFileTarget, lookForRepository } from './plain-repository.ts'
import type { RepositoryLayout } from './port.ts'
import { decodeUtf8 } from './read-small-file.ts'

export interface FindRepositoryOptions {
  /** Absolute. */
  readonly cwd: string
  readonly env: Environment
}

/** Variables that name the repository or control its discovery. They count even when empty. */
const steering = [
  'GIT_DIR',
  'GIT_WORK_TREE',
  'GIT_COMMON_DIR',
  'GIT_OBJECT_DIRECTORY',
  'GIT_ALTERNATE_OBJECT_DIRECTORIES',
  'GIT_TEST_ASSUME_DIFFERENT_OWNER',
]

/**
 * Finds the repository that git would use in `cwd`. A plain repository is recognised without starting git. Anything
 * else, including a bare repository found on the way up, is left to git, so that its rules and protections apply.
 *
 * @throws {NotFoundError} when there is none; its message names the directory
 * @throws {RepositoryRefusedError} when git does not trust it or does not know its format
 */
export async function findRepository({ cwd, env }: FindRepositoryOptions): Promise<RepositoryLayout> {
  const bytes = realDirectory(cwd)
  const start = decodeUtf8(bytes)
  if (start === null || steering.some((name) => env[name] !== undefined)) {
    return askGitFrom(bytes.toString('utf8'), { cwd: start ?? cwd, env, suspects: [] })
  }
  const seen = walkUp(start, env)
  if (seen === 'nothing') throw notARepository(start, env)
  return 'suspects' in seen ? askGitFrom(start, { cwd: start, env, ...seen }) : seen
}

function realDirectory(cwd: string): Buffer {
  try {
    return realpathSync.native(cwd, { encoding: 'buffer' })
  } catch (cause) {
    throw new NotFoundError(`no such directory: ${cwd}`, { cause })
  }
}

function walkUp(start: string, env: Environment): RepositoryLayout | Pick<AskGitOptions, 'suspects'> | 'nothing' {
  const device = statSync(start).dev
  for (let folder = start; ; folder = dirname(folder)) {
    const seen = lookForRepository(folder)
    if (seen === 'unusual') return { suspects: [folder] }
    if (seen !== 'nothing') return seen
    const parent = dirname(folder)
    if (parent === folder) return 'nothing'
    // git decides whether to search past this point.
    if (env.GIT_CEILING_DIRECTORIES || statSync(parent).dev !== device) return { suspects: [] }
  }
}

/** @param start - the directory as messages show it */
async function askGitFrom(start: string, options: AskGitOptions): Promise<RepositoryLayout> {
  try {
    return await askGit(options)
  } catch (error) {
    if (error instanceof GitError) throw refused(start, error)
    if (!(error instanceof NotFoundError)) throw error
    const { path } = error.details
    throw options.env.GIT_DIR === undefined && path !== undefined
      ? danglingGitFile(start, typeof path === 'string' ? path : findGitFileTarget(start), error)
      : notARepository(start, options.env, error)
  }
}

function notARepository(start: string, env: Environment, cause?: unknown): NotFoundError {
  const where =
    env.GIT_DIR === undefined
      ? `no git repository at or above ${start}`
      : `${resolve(start, env.GIT_DIR)} (GIT_DIR) is not a git repository`
  return new NotFoundError(where, {
    details: { directory: start },
    hints: ['Run `git init` first, or change to a directory inside a repository'],
    cause,
  })
}

/** An error for a repository that git rejects without a known reason: an invalid config, an empty GIT_WORK_TREE. */
function refused(start: string, error: GitError): GriteError {
  // Without it git was not even started.
  if (error.details.exit_status === undefined) return error
  const said = error.message.replace(/^.*?: (fatal: )?/, '')
  return new RepositoryRefusedError(`git cannot use the repository at or above ${start}: ${said}`, {
    details: { ...error.details, directory: start },
    hints: ['Fix it until `git status` works here'],
    cause: error,
  })
}

function danglingGitFile(start: string, path: string | null, cause: unknown): NotFoundError {
  const where = path ?? 'a path'
  return new NotFoundError(`a .git file at or above ${start} points to ${where}, which is not a git repository`, {
    details: { directory: start, path },
    hints: [
      'If a work tree was moved: run `git worktree repair` in the main one',
      'In a submodule: run `git submodule update --init` in the outer repository',
    ],
    cause,
  })
}
