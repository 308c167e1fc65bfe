/**
 * Finds readable heads. A ref to a missing or damaged object, as after a power loss, hides the whole stream, and an
 * append on top of it would bury the stream: so nothing is appended, and a former value of the ref is searched.
 */
import { type GitPort, metadataBytesMax, type Oid, type RefName, readReflog } from '../git/index.ts'
import { CorruptObjectError, IncompleteLogError, ObjectTooLargeError } from '../model/index.ts'
import { judgeHead } from './judge-head.ts'
import { remotesPrefix, splitTrackingRef } from './ref-names.ts'
import type { Stream } from './stream.ts'

/**
 * Whether an id is a readable commit. A commit too large to load counts as one: the log continues below it, and its own
 * files are reported as unread.
 * @throws {StorageError} when the disk gives no answer
 */
export async function isCommit(git: GitPort, oid: Oid): Promise<boolean> {
  try {
    return (await git.readObject(oid, metadataBytesMax))?.type === 'commit'
  } catch (error) {
    if (error instanceof ObjectTooLargeError) return error.details.type === 'commit'
    if (error instanceof CorruptObjectError) return false
    throw error
  }
}

export interface HeadToRead {
  readonly git: GitPort
  readonly ref: RefName
  /** Moves the ref to a readable head, if one can be found. */
  readonly recover?: (() => Promise<unknown>) | undefined
}

/**
 * The head of a stream to append to; null for an empty stream.
 * @throws {IncompleteLogError} when it is unreadable and recovery failed
 */
export async function readSoundHead({ git, ref, recover }: HeadToRead): Promise<Oid | null> {
  const head = await git.readRef(ref)
  if (head === null || (await isCommit(git, head))) return head
  await recover?.()
  const found = await git.readRef(ref)
  if (found === null || (await isCommit(git, found))) return found
  throw new IncompleteLogError(`${ref} points to commit ${found}, which cannot be read here; nothing was written`, {
    details: { reason: 'head-unreadable', ref, object_id: found },
    hints: [
      'Run `grite sync` to get the log from a remote that has it',
      'Otherwise restore the object from another clone or a backup',
    ],
  })
}

/** Moves of a ref searched for a readable head. */
const reflogEntriesMax = 1000

/** The newest readable head in a ref's reflog; undefined without one. */
export async function findFormerHead(git: GitPort, ref: RefName): Promise<Oid | undefined> {
  const tried = new Set<Oid>()
  for (const { next, previous } of await readReflog(git, ref, reflogEntriesMax)) {
    for (const oid of [next, previous]) {
      if (oid === null || tried.has(oid)) continue
      tried.add(oid)
      if (await isCommit(git, oid)) return oid
    }
  }
  return undefined
}

/** The ref's readable value before an unreadable commit: null for no ref, undefined where the reflog does not know. */
export async function findParentByReflog(git: GitPort, ref: RefName, missing: Oid): Promise<Oid | null | undefined> {
  let oid: Oid | null = missing
  for (const { next, previous } of await readReflog(git, ref, reflogEntriesMax)) {
    if (next !== oid) continue
    oid = previous
    if (oid === null || (await isCommit(git, oid))) return oid
  }
  return undefined
}

/** A readable head of a stream that the last fetch from some remote left here; undefined without one. */
export async function findTrackedHead<Batch, Item>(
  git: GitPort,
  stream: Pick<Stream<Batch, Item>, 'ref' | 'codec'>,
): Promise<Oid | undefined> {
  for (const { ref, oid } of await git.listRefs(remotesPrefix, () => {})) {
    if (splitTrackingRef(ref).remoteRef === stream.ref && (await judgeHead(git, stream, oid)) === null) return oid
  }
  return undefined
}
