/**
 * Locks as refs (docs/format.md#locks): each is a chain of commits; the newest one holds the file `lock.json`. Local
 * locks are below `refs/grite/locks/`, shared leases below `refs/grite-leases/` on their remote, and the last fetched
 * state of both below the tracking refs.
 *
 * Invariants
 * - A lock moves by compare-and-swap, to a child of its newest known commits: every move is a fast-forward.
 * - An unreadable lock is a result, never an error: it must not hide the others.
 */
import { createHash } from 'node:crypto'
import {
  buildTree,
  encodeCommit,
  type GitPort,
  type ObjectFormat,
  type Oid,
  type PendingObject,
  parseCommit,
  parseTree,
  type RefName,
} from '../../git/index.ts'
import {
  CorruptObjectError,
  formatLock,
  type Lock,
  limits,
  ObjectTooLargeError,
  parseLock,
  RefLockedError,
  RefMovedError,
} from '../../model/index.ts'
import { leasePrefix, lockPrefix, remotesPrefix, splitTrackingRef } from '../ref-names.ts'
import { commitDate } from './batch.ts'

const lockFile = 'lock.json'
/** As the Rust tool writes it, but without the e. */
const identity = { name: 'grite', email: 'grit@localhost' }

/** The content of a commit. */
interface ReadLock {
  readonly lock: Lock
  readonly committedAtUnixMs: number
}

/** The content of a commit with the matching suffix of its ref name, or why it has none. */
export type KnownLock =
  | (ReadLock & { readonly suffix: string; readonly problem: null })
  | { readonly lock: null; readonly problem: string }

/** A lock's ref and its content. */
export type FoundLock = FoundRef &
  ((ReadLock & { readonly problem: null }) | { readonly lock: null; readonly problem: string })

/** A cache of commit contents. */
export interface KnownLocks {
  readonly find: (oid: Oid) => KnownLock | undefined
  readonly remember: (oid: Oid, read: KnownLock) => void
}

interface FoundRef {
  readonly ref: RefName
  /** Null when the ref's object is missing. */
  readonly oid: Oid | null
}

/** The ref of a local lock. */
export function lockRefOf(resource: string): RefName {
  return `${lockPrefix}${lockSuffix(resource)}` as RefName
}

/** The ref of a shared lease, on its remote. */
export function leaseRefOf(resource: string): RefName {
  return `${leasePrefix}${lockSuffix(resource)}` as RefName
}

function lockSuffix(resource: string): string {
  return createHash('sha256').update(resource, 'utf8').digest('hex').slice(0, 16)
}

/** This clone's lock on a ref; null when there is none. */
export async function readLock(git: GitPort, ref: RefName): Promise<FoundLock | null> {
  try {
    const oid = await git.readRef(ref)
    return oid === null ? null : await readLockCommit(git, { ref, oid })
  } catch (error) {
    if (error instanceof CorruptObjectError) return { ref, oid: null, lock: null, problem: error.message }
    throw error
  }
}

/** All locks of this clone, by ref name. */
export function listLocks(git: GitPort, known?: KnownLocks): Promise<FoundLock[]> {
  return listBelow(git, [lockPrefix], known)
}

/** The locks of this clone, and all fetched locks and leases of every remote, by ref name. */
export function listSeenLocks(git: GitPort, known?: KnownLocks): Promise<FoundLock[]> {
  return listBelow(git, [lockPrefix, remotesPrefix], known)
}

/** A tracking ref's name, parsed: the part for the remote, and whether it is a lock or a lease. */
export interface TrackedLockName {
  readonly remotePart: string
  readonly kind: 'lock' | 'lease'
}

/** Null for a lock of this clone. */
export function parseTrackedLock(ref: RefName): TrackedLockName | null {
  if (!ref.startsWith(remotesPrefix)) return null
  const { remotePart, remoteRef } = splitTrackingRef(ref)
  return { remotePart, kind: remoteRef.startsWith(leasePrefix) ? 'lease' : 'lock' }
}

function isLockRef(ref: RefName): boolean {
  const name = ref.startsWith(remotesPrefix) ? splitTrackingRef(ref).remoteRef : ref
  return name.startsWith(lockPrefix) || name.startsWith(leasePrefix)
}

async function listBelow(
  git: GitPort,
  prefixes: readonly string[],
  known: KnownLocks | undefined,
): Promise<FoundLock[]> {
  const broken: FoundLock[] = []
  const rows = await git.listRefs(prefixes, (ref, reason) => {
    if (isLockRef(ref)) broken.push({ ref, oid: null, lock: null, problem: `the ref ${reason}` })
  })
  const found: FoundLock[] = []
  const remembering = known ?? rememberHere()
  for (const row of rows) if (isLockRef(row.ref)) found.push(await recall(git, row, remembering))
  return [...found, ...broken].sort((left, right) => (left.ref < right.ref ? -1 : 1))
}

/** Several refs may name one commit, which is read once. */
function rememberHere(): KnownLocks {
  const read = new Map<Oid, KnownLock>()
  return { find: (oid) => read.get(oid), remember: (oid, lock) => void read.set(oid, lock) }
}

interface LockRow {
  readonly ref: RefName
  readonly oid: Oid
}

async function recall(git: GitPort, row: LockRow, known: KnownLocks): Promise<FoundLock> {
  const remembered = known.find(row.oid)
  if (remembered !== undefined) return judge(row, remembered)
  const { isLasting, ...read } = await readCommit(git, row.oid)
  if (isLasting) known.remember(row.oid, read)
  return judge(row, read)
}

/** Reads the lock in one commit. Never throws on foreign data. */
export async function readLockCommit(git: GitPort, row: LockRow): Promise<FoundLock> {
  return judge(row, await readCommit(git, row.oid))
}

/** Several refs may name the same commit, which belongs to only one of them. */
function judge({ ref, oid }: LockRow, read: KnownLock): FoundLock {
  if (read.lock === null) return { ref, oid, lock: null, problem: read.problem }
  if (!ref.endsWith(`/${read.suffix}`)) return { ref, oid, lock: null, problem: 'its resource belongs to another ref' }
  return { ref, oid, lock: read.lock, committedAtUnixMs: read.committedAtUnixMs, problem: null }
}

/** @returns the content of the commit, and whether it is final: a missing object may still arrive */
async function readCommit(git: GitPort, oid: Oid): Promise<KnownLock & { readonly isLasting: boolean }> {
  const damaged = (problem: string, isLasting = true) => ({ lock: null, problem, isLasting })
  try {
    const commit = await read(git, oid, 'commit')
    if (commit === null) return damaged('it is not a commit', false)
    const { tree, committedAtUnixSeconds } = parseCommit(commit)
    const rows = await read(git, tree, 'tree')
    const file = rows && parseTree(git.layout.objectFormat, rows).find(({ name }) => name === lockFile)
    if (!file) return damaged(`its commit holds no ${lockFile}`, rows !== null)
    const bytes = await read(git, file.oid, 'blob')
    if (bytes === null) return damaged(`${lockFile} is missing`, false)
    const { lock, problem } = parseLock(bytes)
    if (lock === null) return damaged(problem)
    const suffix = lockSuffix(lock.resource)
    return { lock, committedAtUnixMs: committedAtUnixSeconds * 1000, suffix, problem: null, isLasting: true }
  } catch (error) {
    if (error instanceof CorruptObjectError) return damaged(error.message, false)
    if (error instanceof ObjectTooLargeError) return damaged('one of its objects is too large for a lock')
    throw error
  }
}

async function read(git: GitPort, oid: Oid, type: 'commit' | 'tree' | 'blob'): Promise<Uint8Array | null> {
  const object = await git.readObject(oid, limits.lockFileBytesMax)
  return object?.type === type ? object.content : null
}

/** The commit of a lock, ready to be written. */
export function encodeLockCommit(
  format: ObjectFormat,
  { lock, parents, nowUnixMs }: { readonly lock: Lock; readonly parents: readonly Oid[]; readonly nowUnixMs: number },
): { readonly oid: Oid; readonly objects: readonly PendingObject[] } {
  const tree = buildTree(format, new Map([[lockFile, new TextEncoder().encode(formatLock(lock))]]))
  const commit = encodeCommit(format, {
    tree: tree.root,
    parents,
    author: { ...identity, ...commitDate(nowUnixMs) },
    message: `Lock: ${lock.resource}`,
  })
  return { oid: commit.oid, objects: [...tree.objects, commit] }
}

export interface LockMove {
  readonly ref: RefName
  /** The ref's present value; null without a ref. */
  readonly expected: Oid | null
  readonly lock: Lock
  /** Newest commits of this lock known elsewhere, as on a remote. */
  readonly alsoAfter?: readonly Oid[]
  readonly nowUnixMs: number
}

/**
 * Moves a lock of this clone.
 * @throws {RefMovedError} when another process moved it first
 */
export async function moveLock(
  git: GitPort,
  { ref, expected, lock, alsoAfter = [], nowUnixMs }: LockMove,
): Promise<Oid> {
  const parents = await newestCommits(git, [...(expected === null ? [] : [expected]), ...alsoAfter])
  const { oid, objects } = encodeLockCommit(git.layout.objectFormat, { lock, parents, nowUnixMs })
  await git.publish({ objects, updates: [{ ref, expected, next: oid, reflogMessage: `grite: lock ${lock.resource}` }] })
  return oid
}

/** The commits that no other of them contains. Skips ids that are not commits, which cannot be parents. */
export async function newestCommits(git: GitPort, oids: readonly Oid[]): Promise<Oid[]> {
  const different: Oid[] = []
  for (const oid of new Set(oids)) if (await isCommit(git, oid)) different.push(oid)
  const newest: Oid[] = []
  for (const oid of different) {
    let isContained = false
    for (const other of different) {
      if (other !== oid && (await git.isAncestor(oid, other))) isContained = true
    }
    if (!isContained) newest.push(oid)
  }
  return newest
}

async function isCommit(git: GitPort, oid: Oid): Promise<boolean> {
  try {
    return (await read(git, oid, 'commit')) !== null
  } catch (error) {
    if (error instanceof CorruptObjectError || error instanceof ObjectTooLargeError) return false
    throw error
  }
}

/** A ref to delete if it is still at `expected`. */
export interface RefToDelete {
  readonly ref: RefName
  readonly expected: Oid
}

/** Refs per transaction: git holds a lock file for each. */
const refsInTransactionMax = 500

/** Deletes refs that have not moved since they were read; skips the others. Returns the number of deleted refs. */
export async function deleteUnmovedRefs(git: GitPort, refs: readonly RefToDelete[]): Promise<number> {
  let deleted = 0
  for (let start = 0; start < refs.length; start += refsInTransactionMax) {
    const some = refs.slice(start, start + refsInTransactionMax)
    if (await deleteTogether(git, some)) deleted += some.length
    else for (const one of some) if (await deleteTogether(git, [one])) deleted += 1
  }
  return deleted
}

/** All or none. False when one has moved, or is being moved. */
async function deleteTogether(git: GitPort, refs: readonly RefToDelete[]): Promise<boolean> {
  try {
    await git.publish({ objects: [], updates: refs.map((one) => ({ ...one, next: null, reflogMessage: '' })) })
    return true
  } catch (error) {
    if (error instanceof RefMovedError || error instanceof RefLockedError) return false
    throw error
  }
}
