/**
 * Recognises repositories without git: those of `git init`, `git clone`, `git worktree add` and `git submodule add`,
 * with no relevant changes. Anything else is `unusual`, and git decides.
 */
import { accessSync, constants, lstatSync, realpathSync, type Stats, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { booleanValue, type FileConfig, lastValue, parseFileConfig } from './file-config.ts'
import type { ObjectFormat, RepositoryLayout } from './port.ts'
import { decodeUtf8, readSmallFile } from './read-small-file.ts'

/** Far above any config that git writes. */
const configBytesMax = 1024 * 1024
/** For HEAD, `.git` and `commondir`: one line with a name or a path. */
const lineBytesMax = 16 * 1024

/** The content of a folder: a repository, nothing that concerns git, or something that only git can judge. */
export type FolderFinding = RepositoryLayout | 'nothing' | 'unusual'

/** Checks one folder on the way up. @param folder - its real path */
export function lookForRepository(folder: string): FolderFinding {
  const dotGit = join(folder, '.git')
  const found = lstatOf(dotGit)
  if (found === 'absent') {
    // Without a HEAD it is not a bare repository. With one it may be a trap: see safe.bareRepository in git-config(1).
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

/** git refuses other users' repositories unless safe.directory lists them. */
function isOwn({ uid }: Stats): boolean {
  const user = process.geteuid?.()
  return user === undefined || uid === user
}

/** The path in the first `.git` file at or above a folder, even if it does not exist; null without such a file. */
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
  /** Whether the folder and the `.git` directory or file in it belong to the user. */
  readonly isOwn: boolean
}

function describe({ folder, gitDir, isOwn: isDotGitOwn }: Found): FolderFinding {
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

// setup.c: is_git_directory(). git also accepts other forms of HEAD, such as a symbolic link.
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

/** Extensions that do not affect the in-process code of this layer, and that every supported git knows. */
const harmlessExtensions = ['objectformat', 'partialclone', 'preciousobjects', 'noop', 'worktreeconfig']

/** The object format of a repository whose refs are files; null when any part of its format is uncertain. */
function readFormat(config: FileConfig): ObjectFormat | null {
  const version = onlyValue(config, 'core.repositoryformatversion')
  const extensions = [...config.keys()].filter((key) => key.startsWith('extensions.')).map((key) => key.slice(11))
  if (version === '0' && extensions.length === 0) return 'sha1'
  if (version !== '0' && version !== '1') return null
  if (!extensions.every((name) => harmlessExtensions.includes(name))) return null
  // A version 0 repository must not set its object format.
  if (version === '0' && extensions.includes('objectformat')) return null
  const format = extensions.includes('objectformat') ? onlyValue(config, 'extensions.objectformat') : 'sha1'
  return format === 'sha1' || format === 'sha256' ? format : null
}

function onlyValue(config: FileConfig, key: string): string | undefined {
  const values = config.get(key)
  return values?.length === 1 ? values[0] : undefined
}

/**
 * Whether the folder is the work tree, which core.bare and core.worktree may change: setup.c,
 * setup_discovered_git_dir().
 */
function isWorkTreeOf(folder: string, gitDir: string, commonDir: string, config: FileConfig): boolean {
  if (config.has('extensions.worktreeconfig') && booleanValue(config, 'extensions.worktreeconfig') !== false) {
    // Settings of one work tree. The shared ones apply beside them, in a linked work tree too.
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

/** Whether objects may also be in other stores. */
export function hasAlternates(objectDir: string): boolean {
  const found = lstatOf(join(objectDir, 'info', 'alternates'))
  return found === 'unreadable' || (found !== 'absent' && (!found.isFile() || found.size > 0))
}
