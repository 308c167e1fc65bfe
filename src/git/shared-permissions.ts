/** File modes by `core.sharedRepository`, as git sets them (path.c, adjust_shared_perm()). */
import { chmodSync, lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { GitError, GriteError } from '../model/errors/index.ts'
import { configBytesMax, configFiles } from './config-files.ts'
import type { Disk } from './durable/disk.ts'
import { errnoOf } from './durable/storage-failure.ts'
import { lastValue, parseFileConfig } from './file-config.ts'
import type { Environment } from './locate-git.ts'
import type { RepositoryLayout } from './port.ts'
import { readSmallFile } from './read-small-file.ts'
import { createGitRunner, type GitRunner } from './run-git.ts'

/** Gives grite's files in the git directory the modes that git would give them. */
export interface SharedPermissions {
  /** False when the umask alone decides; the methods then do nothing. */
  readonly isShared: boolean
  /** Adjusts a file or folder that this process created. Ignores a vanished one. */
  adjust(path: string): void
  /** Adjusts one of our folders and the files directly in it, where we may change them. */
  adjustFolder(path: string): void
}

/** `add`: bits added to each file. `exact`: the bits of a file that is not executable. */
export interface SharedMode {
  readonly kind: 'add' | 'exact'
  readonly bits: number
}

/** Reads the setting as git does: from every configuration file. Usually without starting git. */
export async function readSharedPermissions(
  layout: RepositoryLayout,
  environment: Environment,
): Promise<SharedPermissions> {
  try {
    const mode = await readSharedMode(layout, environment)
    return mode === null ? privatePermissions : sharedPermissions(mode)
  } catch (error) {
    if (!(error instanceof GriteError)) throw error
    // Readers do not need it.
    const refuse = () => {
      throw error
    }
    return { isShared: true, adjust: refuse, adjustFolder: refuse }
  }
}

/** The umask decides. */
export const privatePermissions: SharedPermissions = { isShared: false, adjust() {}, adjustFolder() {} }

function sharedPermissions(mode: SharedMode): SharedPermissions {
  function adjust(path: string): void {
    try {
      const stat = lstatSync(path)
      if (stat.isSymbolicLink()) return
      const present = stat.mode & 0o7777
      const wanted = applySharedMode(mode, present, stat.isDirectory())
      if (wanted !== present) chmodSync(path, wanted)
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error
    }
  }
  return {
    isShared: true,
    adjust,
    adjustFolder(path) {
      for (const entry of [path, ...filesIn(path)]) if (isOwn(entry)) adjust(entry)
    },
  }
}

function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder).map((name) => join(folder, name))
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EACCES'].includes(errnoOf(error) ?? '')) return []
    throw error
  }
}

/** Only the owner of a file may change its mode. */
function isOwn(path: string): boolean {
  const uid = process.geteuid?.()
  return uid !== undefined && lstatSync(path, { throwIfNoEntry: false })?.uid === uid
}

const setGroupId = 0o2000

/** @param present - current permission bits, with set-id bits */
function applySharedMode({ kind, bits }: SharedMode, present: number, isDirectory: boolean): number {
  const isWritable = (present & 0o200) !== 0
  const isExecutable = (present & 0o100) !== 0
  let given = isWritable ? bits : bits & ~0o222
  if (isExecutable) given |= (given & 0o444) >> 2
  let wanted = kind === 'exact' ? (present & ~0o777) | given : present | given
  if (!isDirectory) return wanted
  wanted |= (wanted & 0o444) >> 2
  return (wanted & 0o060) === 0 ? wanted : wanted | setGroupId
}

/**
 * Parses the value (config.c, git_config_perm()).
 *
 * @param value - null for a key without `=`
 * @returns null where the umask decides
 * @throws {GitError} on a value that git refuses as well
 */
export function parseSharedRepository(value: string | null): SharedMode | null {
  const group = { kind: 'add', bits: 0o660 } as const
  const everybody = { kind: 'add', bits: 0o664 } as const
  if (value === null || value === 'group') return group
  if (value === 'umask' || value === '') return null
  if (['all', 'world', 'everybody'].includes(value)) return everybody
  if (/^\s*[+-]?[0-7]+$/.test(value)) {
    const bits = Number.parseInt(value, 8)
    if (bits === 0) return null
    if (bits === 1) return group
    if (bits === 2) return everybody
    if ((bits & 0o600) !== 0o600) throw refuseValue(value, 'the owner must be able to read and write')
    // Never gives others write permission; search permission follows from read permission.
    return { kind: 'exact', bits: bits & 0o666 }
  }
  const word = value.toLowerCase()
  if (['true', 'yes', 'on'].includes(word)) return group
  if (['false', 'no', 'off'].includes(word)) return null
  throw refuseValue(value, 'git does not know it')
}

function refuseValue(value: string, why: string): GitError {
  return new GitError(`core.sharedRepository is '${value.slice(0, 100)}': ${why}`, {
    details: { field: 'core.sharedRepository', value: value.slice(0, 100) },
    hints: ['Use umask, group, all or an octal mode such as 0660: `git config core.sharedRepository <value>`'],
  })
}

const key = 'core.sharedrepository'

async function readSharedMode(layout: RepositoryLayout, environment: Environment): Promise<SharedMode | null> {
  const askGit = () => askGitForMode(createGitRunner(layout, environment))
  if (environment.GIT_CONFIG_COUNT || environment.GIT_CONFIG_PARAMETERS) return askGit()
  let mode: SharedMode | null = null
  for (const path of configFiles(layout, environment)) {
    const bytes = path === '/dev/null' ? null : readSmallFile(path, configBytesMax)
    if (bytes === null) continue
    if ('unread' in bytes) return askGit()
    const text = bytes.toString('utf8')
    if (!/sharedrepository|include/i.test(text)) continue
    // Whether git reads a work tree's config file depends on an extension.
    const isPlain = !/include/i.test(text) && !path.endsWith('config.worktree')
    const config = isPlain ? parseFileConfig(text) : null
    if (config === null) return askGit()
    const value = lastValue(config, key)
    if (value !== undefined) mode = parseSharedRepository(value)
  }
  return mode
}

async function askGitForMode(git: GitRunner): Promise<SharedMode | null> {
  const { stdout } = await git.run(['config', '-z', '--get-regexp', '^core\\.sharedrepository$'], {
    okStatuses: [0, 1],
  })
  const last = stdout.toString('utf8').split('\0').filter(Boolean).at(-1)
  if (last === undefined) return null
  // Without a value there is no newline either.
  const newline = last.indexOf('\n')
  return parseSharedRepository(newline < 0 ? null : last.slice(newline + 1))
}

/** A disk that applies the setting to every new file and folder. */
export function shareDisk(disk: Disk, { isShared, adjust }: SharedPermissions): Disk {
  if (!isShared) return disk
  return {
    ...disk,
    createFile(path, parts, mode) {
      const file = disk.createFile(path, parts, mode)
      try {
        adjust(path)
      } catch (error) {
        disk.closeFile(file)
        disk.remove(path)
        throw error
      }
      return file
    },
    makeDirectory(path) {
      const gained = disk.makeDirectory(path)
      // Each folder that gained an entry gained the next one on the way to `path`.
      for (let made = path, count = 0; count < gained.length; count++) {
        adjust(made)
        made = gained[count] as string
      }
      return gained
    },
    append(path, text) {
      disk.append(path, text)
      if (isOwn(path)) adjust(path)
    },
  }
}
