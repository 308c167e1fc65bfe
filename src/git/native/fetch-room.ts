/**
 * Where `git fetch` stores its result: a git directory beside the repository's, like that of a linked work tree. Its
 * refs (`refs/worktree/`) and FETCH_HEAD are its own; objects and configuration are the repository's.
 *
 *     grite/fetch/<remote>/         between two fetches from a remote, so that an idle fetch writes nothing
 *     grite/tmp/<owner>-<random>/   in use
 *
 * Invariants
 * - One process at a time uses a room, and acquires it by a rename. A process that finds none creates one.
 * - git locks no ref of the repository, so a killed fetch leaves no lock that affects other processes. Rooms of dead
 *   owners are deleted.
 */
import {
  copyFileSync,
  type Dirent,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { encodeNamePart } from '../../model/index.ts'
import { isOwnerDead, type Owner, ownerFileAt, parseOwner } from '../durable/owner.ts'
import { errnoOf } from '../durable/storage-failure.ts'
import { temporaryName } from '../durable/temporary-name.ts'
import type { Environment } from '../locate-git.ts'
import { isOid } from '../oid.ts'
import type { Oid, RefName, RepositoryLayout } from '../port.ts'
import { refTemporaryDir } from '../ref-paths.ts'
import type { SharedPermissions } from '../shared-permissions.ts'

/** One refspec of a fetch, `+<left>*:<right>*`. */
export interface FetchPattern {
  readonly left: string
  readonly right: string
}

export interface FetchRoom {
  /** Whether an earlier fetch used it. */
  readonly isUsed: boolean
  /** Environment for git. */
  readonly environment: Environment
  /** The refspecs for git; their right sides are in the room. */
  readonly refspecs: readonly string[]
  /** The remote's refs after a successful fetch, by their names there. */
  readFound(): ReadonlyMap<RefName, Oid>
  /** Keeps the room for the next fetch from the remote. @param found - the result of `readFound` */
  keep(found: ReadonlyMap<RefName, Oid>): void
  /** Deletes the room. */
  discard(): void
}

export interface FetchRoomContext {
  readonly layout: RepositoryLayout
  readonly owner: Owner
  readonly permissions: SharedPermissions
}

/** @throws {Error} of the file system when no room can be created */
export function enterFetchRoom(
  context: FetchRoomContext,
  remote: string,
  patterns: readonly FetchPattern[],
): FetchRoom {
  const { layout, owner } = context
  const temporaryDir = refTemporaryDir(layout)
  makeFolder(context, temporaryDir)
  const path = temporaryName(temporaryDir, owner)
  const stored = join(layout.commonDir, 'grite', 'fetch', encodeNamePart(remote))
  const isUsed = takeRoom(stored, path)
  if (!isUsed) makeRoom(context, path)
  copyWorktreeConfig(layout, path)

  return {
    isUsed,
    environment: {
      GIT_DIR: path,
      GIT_COMMON_DIR: layout.commonDir,
      // Without it a relative core.worktree would be resolved from here.
      ...(layout.workTree === null ? {} : { GIT_WORK_TREE: layout.workTree }),
    },
    refspecs: patterns.map(({ left }) => `+${left}*:${inRoom(left)}*`),
    readFound: () => parseFetchHead(readFileSync(join(path, 'FETCH_HEAD'), 'utf8')),
    keep(found) {
      // A room with reftable refs costs as much to clean as to create.
      if (layout.refStorage !== 'files') return removeRoom(path)
      try {
        removeLost(path, patterns, found)
        // The next fetch may be another user's, and git creates this file with owner-only permissions.
        unlinkSync(join(path, 'FETCH_HEAD'))
        context.permissions.adjustFolder(path)
        if (!isUsed) makeFolder(context, dirname(stored))
        renameSync(path, stored)
      } catch (error) {
        if (errnoOf(error) === undefined) throw error
        // Another process put its own room there, or the disk is full: the next fetch creates one.
        removeRoom(path)
      }
    },
    discard: () => removeRoom(path),
  }
}

/** Deletes rooms of processes that are certainly gone. */
export function removeDeadRooms(layout: RepositoryLayout): void {
  for (const path of findDeadRooms(layout)) removeRoom(path)
}

export function findDeadRooms(layout: RepositoryLayout): readonly string[] {
  const folder = refTemporaryDir(layout)
  return entriesIn(folder)
    .filter((entry) => entry.isDirectory() && isOfDeadOwner(folder, entry.name))
    .map(({ name }) => join(folder, name))
}

function isOfDeadOwner(folder: string, name: string): boolean {
  const owner = parseOwner(name.slice(0, name.lastIndexOf('-')))
  return owner !== null && isOwnerDead(owner, ownerFileAt(join(folder, name)))
}

function takeRoom(stored: string, path: string): boolean {
  try {
    renameSync(stored, path)
    return true
  } catch (error) {
    if (errnoOf(error) === undefined) throw error
    return false
  }
}

function makeRoom({ layout, permissions }: FetchRoomContext, path: string): void {
  mkdirSync(path)
  // setup.c, is_git_directory(): a git directory needs a HEAD. Nothing is ever checked out here.
  writeFileSync(join(path, 'HEAD'), 'ref: refs/heads/.invalid\n')
  writeFileSync(join(path, 'commondir'), `${layout.commonDir}\n`)
  if (layout.refStorage === 'reftable') {
    mkdirSync(join(path, 'reftable'))
    writeFileSync(join(path, 'reftable', 'tables.list'), '')
    permissions.adjustFolder(join(path, 'reftable'))
  }
  permissions.adjustFolder(path)
}

/** A remote may be configured for a single work tree. */
function copyWorktreeConfig({ gitDir }: RepositoryLayout, path: string): void {
  const from = join(gitDir, 'config.worktree')
  const to = join(path, 'config.worktree')
  if (existsSync(from)) copyFileSync(from, to)
  else if (existsSync(to)) unlinkSync(to)
}

function inRoom(ref: string): string {
  return `refs/worktree/${ref.slice('refs/'.length)}`
}

/**
 * Parses lines of FETCH_HEAD for refs that are not branches or tags (builtin/fetch.c, store_updated_refs()): `<oid> TAB
 * [not-for-merge] TAB '<ref>' of <address>`.
 */
export function parseFetchHead(text: string): ReadonlyMap<RefName, Oid> {
  const found = new Map<RefName, Oid>()
  for (const line of text.split('\n')) {
    const [, oid = '', ref = ''] = /^([0-9a-f]{40,64})\t[^\t]*\t'(refs\/\S+)' of /.exec(line) ?? []
    if (isOid(oid, 'sha1') || isOid(oid, 'sha256')) found.set(ref as RefName, oid)
  }
  return found
}

/**
 * Removes refs that the remote no longer has: git would take the room's refs as proof of objects long after they are
 * gone.
 */
function removeLost(path: string, patterns: readonly FetchPattern[], found: ReadonlyMap<RefName, Oid>): void {
  for (const { left } of patterns) {
    const folder = left.slice(0, left.lastIndexOf('/'))
    for (const name of namesBelow(join(path, inRoom(folder)))) {
      const ref = `${folder}/${name}`
      if (ref.startsWith(left) && !found.has(ref as RefName)) unlinkSync(join(path, inRoom(ref)))
    }
  }
}

function namesBelow(folder: string): string[] {
  return entriesIn(folder).flatMap((entry) =>
    entry.isDirectory() ? namesBelow(join(folder, entry.name)).map((name) => `${entry.name}/${name}`) : [entry.name],
  )
}

function entriesIn(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(errnoOf(error) ?? '')) return []
    throw error
  }
}

/** A git whose parent was killed may still be writing there; it then fails, and the next fetch removes the rest. */
function removeRoom(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true, maxRetries: 3 })
  } catch (error) {
    if (errnoOf(error) === undefined) throw error
  }
}

function makeFolder({ permissions }: FetchRoomContext, path: string): void {
  const first = mkdirSync(path, { recursive: true })
  if (first === undefined) return
  for (let made = path; made.length >= first.length; made = dirname(made)) permissions.adjust(made)
}
