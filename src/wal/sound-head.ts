/**
 * A head that can be read. A ref that names an object which is missing or damaged, as after a power loss, hides the whole
 * stream, and what is written on top of it buries that: so nothing is, and what the ref named before is looked for.
 */
import { type GitPort, metadataBytesMax, type Oid, type RefName, readReflog } from '../git/index.ts'
import { CorruptObjectError, IncompleteLogError, ObjectTooLargeError } from '../model/index.ts'
import { judgeHead } from './judge-head.ts'
import { remotesPrefix, splitTrackingRef } from './ref-names.ts'
import type { Stream } from './stream.ts'

/**
 * Whether an id is that of a commit which is here and can be read. One that is too large to be loaded is: the log goes on
 * below it, and its own files are reported as unread.
 * @throws {StorageError} when the disk says nothing of it
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
  /** Brings the ref to a head that can be read, where one can be found. */
  readonly recover?: (() => Promise<unknown>) | undefined
}

/**
 * The head of a stream, to go on from; null for an empty one.
 * @throws {IncompleteLogError} when it cannot be read, and nothing could be done about that
 */
export async function readSoundHead({ git, ref, recover }: HeadToRead): Promise<Oid | null> {
  const head = await git.readRef(ref)
  if (head === null || (await isCommit(git, head))) return head
  await recover?.()
  const found = await git.readRef(ref)
  if (found === null || (await isCommit(git, found))) return found
  throw new IncompleteLogError(`${ref} names commit ${found}, which cannot be read here; nothing was written`, {
    details: { reason: 'head-unreadable', ref, object_id: found },
    hints: [
      'Run `grite sync`: it takes the log from a remote that has it',
      'Otherwise put the object back from another clone or a backup',
    ],
  })
}

/** Moves of a ref that are looked through for a head that can be read. */
const reflogEntriesMax = 1000

/** The newest of the heads that a ref had by its reflog and that can be read; undefined when there is none. */
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

/**
 * What a ref named before a commit that cannot be read, and can be read itself: null for nothing, undefined where the
 * reflog does not know.
 */
export async function findParentByReflog(git: GitPort, ref: RefName, missing: Oid): Promise<Oid | null | undefined> {
  let oid: Oid | null = missing
  for (const { next, previous } of await readReflog(git, ref, reflogEntriesMax)) {
    if (next !== oid) continue
    oid = previous
    if (oid === null || (await isCommit(git, oid))) return oid
  }
  return undefined
}

/** A head of a stream that the last fetch from some remote has left here, and that can be read; undefined when there is none. */
export async function findTrackedHead<Batch, Item>(
  git: GitPort,
  stream: Pick<Stream<Batch, Item>, 'ref' | 'codec'>,
): Promise<Oid | undefined> {
  for (const { ref, oid } of await git.listRefs(remotesPrefix, () => {})) {
    if (splitTrackingRef(ref).remoteRef === stream.ref && (await judgeHead(git, stream, oid)) === null) return oid
  }
  return undefined
}
