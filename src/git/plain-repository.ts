/**
 * Repositories that can be recognised without git: what `git init`, `git clone`, `git worktree add` and
 * `git submodule add` make, with nothing changed that matters here. Anything else is `unusual`, and git decides.
 */
import { accessSync, constants, lstatSync, realpathSync, type Stats, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { booleanValue, type FileConfig, lastValue, parseFileConfig } from './file-config.ts'
import type { ObjectFormat, RepositoryLayout } from './port.ts'
import { decodeUtf8, readSmallFile } from './read-small-file.ts'

/** Far above any config that git writes. */
const configBytesMax = 1024 * 1024
/** Of HEAD, `.git` and `commondir`: one line with a name or a path. */
const lineBytesMax = 16 * 1024

/** What a folder holds: a repository, nothing that git would look at, or something that only git can judge. */
export type Sight = RepositoryLayout | 'nothing' | 'unusual'

/** Looks at one folder on the way up, `folder` being its real path. */
export function lookForRepository(folder: string): Sight {
  const dotGit = join(folder, '.git')
  const found = lstatOf(dotGit)
  if (found === 'absent') {
    // Without a HEAD it is no bare repository. With one it may be a trap: see safe.bareRepository in git-config(1).
    return lstatOf(join(folder, 'HEAD')) === 'absent' ? 'nothing' : 'unusual'
  }
  if (found === 'unreadable') return 'unusual'
  if (found.isDirectory()) return describe({ folder, gitDir: dotGit, isOwn: isOwn(found) })
  const gitDir = found.isFile() ? followGitFile(dotGit) : null
  return gitDir === null ? 'unusual' : describe({ folder, gitDir, isOwn: isOwn(found) })
}

function lstatOf(path: string): Stats | 'absent' | 'unreadable' {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) ?? 'absent'
  } catch {
    return 'unreadable'
  }
}

/** git refuses other people's repositories unless safe.directory names them. */
function isOwn({ uid }: Stats): boolean {
  const user = process.geteuid?.()
  return user === undefined || uid === user
}

/** The path in the first `.git` file at or above a folder, whatever is there; null when no file names one. */
export function findGitFileTarget(start: string): string | null {
  for (let folder = start; ; folder = dirname(folder)) {
    const dotGit = join(folder, '.git')
    if (lstatOf(dotGit) !== 'absent') return readGitFile(dotGit)
    if (dirname(folder) === folder) return null
  }
}

/** The real path of the directory that a `.git` file names; null when it names none. */
function followGitFile(path: string): string | null {
  const named = readGitFile(path)
  if (named === null) return null
  try {
    return realpathSync(named)
  } catch {
    return null
  }
}

function readGitFile(path: string): string | null {
  const [, named] = /^gitdir: (.+?)[\r\n]*$/s.exec(readLine(path) ?? '') ?? []
  return named === undefined ? null : resolve(dirname(path), named)
}

function readLine(path: string): string | null {
  const bytes = readSmallFile(path, lineBytesMax)
  return Buffer.isBuffer(bytes) ? decodeUtf8(bytes) : null
}

interface Found {
  readonly folder: string
  readonly gitDir: string
  /** Whether what lies in the folder, the directory or the file `.git`, is the user's own. */
  readonly isOwn: boolean
}

function describe({ folder, gitDir, isOwn: isDotGitOwn }: Found): Sight {
  const commonDir = findCommonDir(gitDir)
  if (commonDir === null || !isDotGitOwn || !areOwn(folder, gitDir) || !isPlainGitDir(gitDir, commonDir)) {
    return 'unusual'
  }
  const config = readConfig(join(commonDir, 'config'))
  const objectFormat = config && readFormat(config)
  if (!objectFormat || !isWorkTreeOf(folder, gitDir, commonDir, config)) return 'unusual'
  const objectDir = join(commonDir, 'objects')
  const unusualObjectStore = hasAlternates(objectDir)
  return { gitDir, commonDir, workTree: folder, objectFormat, refStorage: 'files', objectDir, unusualObjectStore }
}

function areOwn(...paths: readonly string[]): boolean {
  return paths.every((path) => {
    const found = lstatOf(path)
    return typeof found === 'object' && isOwn(found)
  })
}

/** Null when the file that names it is not understood. */
function findCommonDir(gitDir: string): string | null {
  const path = join(gitDir, 'commondir')
  if (lstatOf(path) === 'absent') return gitDir
  const named = readLine(path)?.replace(/[\r\n]+$/, '')
  try {
    return named ? realpathSync(resolve(gitDir, named)) : null
  } catch {
    return null
  }
}

// setup.c: is_git_directory(). It takes more for a HEAD: a symbolic link, for one.
function isPlainGitDir(gitDir: string, commonDir: string): boolean {
  const head = join(gitDir, 'HEAD')
  const found = lstatOf(head)
  if (typeof found === 'string' || !found.isFile()) return false
  if (!/^(?:ref:\s*refs\/|[0-9a-f]{40})/.test(readLine(head) ?? '')) return false
  return canEnter(join(commonDir, 'objects')) && canEnter(join(commonDir, 'refs'))
}

function canEnter(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isDirectory()
  } catch {
    return false
  }
}

function readConfig(path: string): FileConfig | null {
  const bytes = readSmallFile(path, configBytesMax)
  const text = Buffer.isBuffer(bytes) ? decodeUtf8(bytes) : null
  return text === null ? null : parseFileConfig(text)
}

/** Extensions that change nothing of what this layer does in process, and that every supported git knows. */
const harmlessExtensions = ['objectformat', 'partialclone', 'preciousobjects', 'noop', 'worktreeconfig']

/** The object format of a repository whose refs are files; null when that or anything of its format is not sure. */
function readFormat(config: FileConfig): ObjectFormat | null {
  const version = onlyValue(config, 'core.repositoryformatversion')
  const extensions = [...config.keys()].filter((key) => key.startsWith('extensions.')).map((key) => key.slice(11))
  if (version === '0' && extensions.length === 0) return 'sha1'
  if (version !== '0' && version !== '1') return null
  if (!extensions.every((name) => harmlessExtensions.includes(name))) return null
  // A repository of version 0 must not name its object format.
  if (version === '0' && extensions.includes('objectformat')) return null
  const format = extensions.includes('objectformat') ? onlyValue(config, 'extensions.objectformat') : 'sha1'
  return format === 'sha1' || format === 'sha256' ? format : null
}

function onlyValue(config: FileConfig, key: string): string | undefined {
  const values = config.get(key)
  return values?.length === 1 ? values[0] : undefined
}

/** Whether the folder is the work tree, which core.bare and core.worktree may change: setup.c, setup_discovered_git_dir(). */
function isWorkTreeOf(folder: string, gitDir: string, commonDir: string, config: FileConfig): boolean {
  if (config.has('extensions.worktreeconfig') && booleanValue(config, 'extensions.worktreeconfig') !== false) {
    // Settings of one work tree. The shared ones count beside them, in a linked work tree too.
    const own = join(gitDir, 'config.worktree')
    const ownConfig = lstatOf(own) === 'absent' ? undefined : readConfig(own)
    if (ownConfig === null || ownConfig?.has('core.bare') || ownConfig?.has('core.worktree')) return false
  } else if (commonDir !== gitDir) {
    return true
  }
  if (config.has('core.bare') && booleanValue(config, 'core.bare') !== false) return false
  const named = lastValue(config, 'core.worktree')
  try {
    return named === undefined || realpathSync(resolve(gitDir, named)) === folder
  } catch {
    return false
  }
}

/** Whether objects may lie in other places too. */
export function hasAlternates(objectDir: string): boolean {
  const found = lstatOf(join(objectDir, 'info', 'alternates'))
  return found === 'unreadable' || (found !== 'absent' && (!found.isFile() || found.size > 0))
}
