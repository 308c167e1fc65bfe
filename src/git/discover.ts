import { readFileSync, realpathSync, type Stats, statSync } from 'node:fs'
import { basename, delimiter, dirname, isAbsolute, join, resolve, sep } from 'node:path'
import { GitError, NotFoundError } from '../model/errors/index.ts'
import { booleanValue, type FileConfig, lastValue, parseFileConfig } from './file-config.ts'
import type { Environment } from './locate-git.ts'
import type { ObjectFormat, RefStorage, RepositoryLayout } from './port.ts'
import { createGitRunner } from './run-git.ts'

export interface FindRepositoryOptions {
  /** Absolute. */
  readonly cwd: string
  readonly env: Environment
}

/** The directories before the configuration is read. `workTree` is a guess that core.bare and core.worktree may change. */
interface Candidate {
  readonly gitDir: string
  readonly workTree: string | null
}

/** Extensions that change nothing of what this layer does in process. */
const harmlessExtensions = [
  'objectformat',
  'refstorage',
  'worktreeconfig',
  'partialclone',
  'preciousobjects',
  'noop',
  'relativeworktrees',
]

/**
 * Finds the repository that a command run in `cwd` means, by the rules of git, without starting it. Where those rules
 * are not simple (somebody else's repository, unknown extensions, a file that is not understood) git itself is asked.
 *
 * @throws {NotFoundError} when there is none; its message names the directory
 * @throws {GitError} when git refuses the repository
 */
export async function findRepository({ cwd, env }: FindRepositoryOptions): Promise<RepositoryLayout> {
  const start = realDirectory(cwd)
  return find(start, env.GIT_COMMON_DIR ? { ...env, GIT_COMMON_DIR: resolve(start, env.GIT_COMMON_DIR) } : env)
}

async function find(start: string, env: Environment): Promise<RepositoryLayout> {
  const candidate = env.GIT_DIR ? namedGitDir(start, env.GIT_DIR, env) : walkUp(start, env)
  if (candidate === null) throw notARepository(start, env)
  const layout = describe(candidate, start, env)
  return layout ?? (await askGit(candidate, start, env))
}

function realDirectory(cwd: string): string {
  try {
    return realpathSync(cwd)
  } catch (cause) {
    throw new NotFoundError(`no such directory: ${cwd}`, { cause })
  }
}

function notARepository(start: string, env: Environment): NotFoundError {
  const where = env.GIT_DIR
    ? `${resolve(start, env.GIT_DIR)} (GIT_DIR) is not a git repository`
    : `no git repository at or above ${start}`
  return new NotFoundError(where, {
    details: { directory: start },
    hints: ['Run `git init` first, or change to a directory inside a repository'],
  })
}

function namedGitDir(start: string, named: string, env: Environment): Candidate | null {
  const gitDir = resolveGitFile(resolve(start, named))
  if (gitDir === null || !isGitDir(gitDir, env)) return null
  return { gitDir: realpathSync(gitDir), workTree: start }
}

function walkUp(start: string, env: Environment): Candidate | null {
  const ceilings = parseCeilings(env.GIT_CEILING_DIRECTORIES)
  const acrossFileSystems = ['1', 'true', 'yes', 'on'].includes(
    (env.GIT_DISCOVERY_ACROSS_FILESYSTEM ?? '').toLowerCase(),
  )
  const device = statSync(start).dev
  for (let folder = start; ; folder = dirname(folder)) {
    const found = lookAt(folder, env)
    if (found) return found
    const parent = dirname(folder)
    if (parent === folder || ceilings.has(parent)) return null
    if (!acrossFileSystems && statSync(parent).dev !== device) return null
  }
}

// An empty entry ends the resolving of symbolic links, git(1).
function parseCeilings(text: string | undefined): ReadonlySet<string> {
  const ceilings = new Set<string>()
  let resolveLinks = true
  for (const entry of (text ?? '').split(delimiter)) {
    if (entry === '') resolveLinks = false
    else if (isAbsolute(entry)) ceilings.add(resolveLinks ? realOr(entry) : resolve(entry))
  }
  return ceilings
}

function realOr(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return resolve(path)
  }
}

function lookAt(folder: string, env: Environment): Candidate | null {
  const dotGit = join(folder, '.git')
  if (statOf(dotGit)) {
    const gitDir = resolveGitFile(dotGit)
    if (gitDir !== null && isGitDir(gitDir, env)) return { gitDir: realpathSync(gitDir), workTree: folder }
  }
  return isGitDir(folder, env) ? { gitDir: folder, workTree: null } : null
}

/** Follows a `.git` file to the directory it names. Null when there is neither. */
function resolveGitFile(path: string): string | null {
  const stat = statOf(path)
  if (!stat) return null
  if (stat.isDirectory()) return path
  const named = stat.size > 65_536 ? undefined : /^gitdir: (.+?)[\r\n]*$/s.exec(readFileSync(path, 'utf8'))?.[1]
  return named === undefined ? null : resolve(dirname(path), named)
}

// setup.c: is_git_directory().
function isGitDir(gitDir: string, env: Environment): boolean {
  if (!statOf(join(gitDir, 'HEAD'))) return false
  const commonDir = commonDirOf(gitDir, env)
  const objects = env.GIT_OBJECT_DIRECTORY ? true : statOf(join(commonDir, 'objects'))?.isDirectory()
  return objects === true && statOf(join(commonDir, 'refs')) !== undefined
}

function commonDirOf(gitDir: string, env: Environment): string {
  if (env.GIT_COMMON_DIR) return env.GIT_COMMON_DIR
  const text = readText(join(gitDir, 'commondir'))
  return text === null ? gitDir : resolve(gitDir, text.replace(/[\r\n]+$/, ''))
}

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false })
  } catch {
    return undefined
  }
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null
  }
}

/** Null when only git can tell. */
function describe(candidate: Candidate, start: string, env: Environment): RepositoryLayout | null {
  const { gitDir } = candidate
  const commonDir = realOr(commonDirOf(gitDir, env))
  const config = readConfig(gitDir, commonDir)
  const format = config && readFormat(config)
  if (!format || (!env.GIT_DIR && !isOwn([gitDir, candidate.workTree ?? gitDir]))) return null
  const objectDir = env.GIT_OBJECT_DIRECTORY ? resolve(start, env.GIT_OBJECT_DIRECTORY) : join(commonDir, 'objects')
  return {
    gitDir,
    commonDir,
    workTree: workTreeOf(candidate, start, config, env),
    ...format,
    objectDir,
    unusualObjectStore: hasUnusualObjects(objectDir, env),
  }
}

function readConfig(gitDir: string, commonDir: string): FileConfig | null {
  const text = readText(join(commonDir, 'config'))
  const shared = parseFileConfig(text ?? '')
  if (shared === null || !booleanValue(shared, 'extensions.worktreeconfig')) return shared
  const own = parseFileConfig(readText(join(gitDir, 'config.worktree')) ?? '')
  if (own === null) return null
  const merged = new Map(shared)
  for (const [key, values] of own) merged.set(key, [...(merged.get(key) ?? []), ...values])
  return merged
}

function readFormat(config: FileConfig): { objectFormat: ObjectFormat; refStorage: RefStorage } | null {
  const version = Number(lastValue(config, 'core.repositoryformatversion') ?? '0')
  const extensions = [...config.keys()].filter((key) => key.startsWith('extensions.')).map((key) => key.slice(11))
  if (version !== 0 && version !== 1) return null
  if (version === 1 && !extensions.every((name) => harmlessExtensions.includes(name))) return null
  const objectFormat = lastValue(config, 'extensions.objectformat')?.toLowerCase() ?? 'sha1'
  const refStorage = lastValue(config, 'extensions.refstorage')?.toLowerCase() ?? 'files'
  if (objectFormat !== 'sha1' && objectFormat !== 'sha256') return null
  if (refStorage !== 'files' && refStorage !== 'reftable') return null
  return { objectFormat, refStorage }
}

// git refuses other people's repositories unless safe.directory names them; root through sudo counts as the caller.
function isOwn(paths: readonly string[]): boolean {
  const user = process.geteuid?.()
  return user === undefined || paths.every((path) => statOf(path)?.uid === user)
}

function workTreeOf(candidate: Candidate, start: string, config: FileConfig, env: Environment): string | null {
  if (env.GIT_WORK_TREE) return realOr(resolve(start, env.GIT_WORK_TREE))
  const named = lastValue(config, 'core.worktree')
  if (named !== undefined) return realOr(resolve(candidate.gitDir, named))
  if (!booleanValue(config, 'core.bare')) return candidate.workTree
  // A linked work tree of a bare repository is a work tree all the same.
  const linked = candidate.workTree !== null && basename(dirname(candidate.gitDir)) === 'worktrees'
  return linked && !env.GIT_DIR ? candidate.workTree : null
}

function hasUnusualObjects(objectDir: string, env: Environment): boolean {
  if (env.GIT_OBJECT_DIRECTORY || env.GIT_ALTERNATE_OBJECT_DIRECTORIES) return true
  return (statOf(join(objectDir, 'info', 'alternates'))?.size ?? 0) > 0
}

async function askGit(candidate: Candidate, start: string, env: Environment): Promise<RepositoryLayout> {
  const git = createGitRunner(null, env)
  const ask = async (...args: string[]) =>
    (await git.run(['rev-parse', ...args], { cwd: start })).stdout.toString('utf8').replace(/\n$/, '').split('\n')
  const [gitDir = '', commonDir = '', bare = ''] = await ask('--git-dir', '--git-common-dir', '--is-bare-repository')
  const [objectFormat = ''] = await ask('--show-object-format')
  const [refStorage = ''] = await ask('--show-ref-format').catch(() => ['files'])
  const [workTree = ''] = bare === 'true' ? [''] : await ask('--show-toplevel').catch(() => [''])
  // A git older than --show-ref-format prints the option itself.
  const storage = refStorage.startsWith('-') ? 'files' : refStorage
  if ((objectFormat !== 'sha1' && objectFormat !== 'sha256') || (storage !== 'files' && storage !== 'reftable')) {
    throw new GitError(`${candidate.gitDir} is a repository of an unknown kind (${objectFormat}, ${storage})`)
  }
  const realCommonDir = realOr(resolve(start, commonDir))
  const objectDir = env.GIT_OBJECT_DIRECTORY ? resolve(start, env.GIT_OBJECT_DIRECTORY) : join(realCommonDir, 'objects')
  return {
    gitDir: realOr(resolve(start, gitDir)),
    commonDir: realCommonDir,
    workTree: workTree === '' ? null : realOr(workTree.split('/').join(sep)),
    objectFormat,
    refStorage: storage,
    objectDir,
    unusualObjectStore: hasUnusualObjects(objectDir, env),
  }
}
