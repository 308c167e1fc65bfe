/**
 * Appends to a stream: one commit per batch, on top of the ref's present value, by compare-and-swap.
 *
 * Invariants
 * - When `append` returns a head, all its objects were on disk before the ref named it (R2).
 * - A batch is made for one head only. After a lost race it is made again from fresh state, never replayed.
 */
import {
  buildTree,
  encodeCommit,
  type GitPort,
  type ObjectFormat,
  type Oid,
  type PendingObject,
  type PublishPlan,
  Retry,
} from '../git/index.ts'
import { ConflictError, RefMovedError } from '../model/index.ts'
import type { Queue } from './append-queue.ts'
import { type HeadToRead, readSoundHead } from './sound-head.ts'
import { type AnyStream, updateOf } from './stream.ts'

/** How long an append retries before it fails with `conflict`. */
export const appendRetryMsMax = 10_000
const backoffMsFirst = 4
const backoffMsMax = 250

export interface AppendTarget<Batch, Item> {
  readonly git: GitPort
  readonly stream: AnyStream<Batch, Item>
  readonly queue: Queue
  readonly clock: { readonly nowUnixMs: () => number }
  /** A number from 0 up to, not including, 1. */
  readonly jitter: () => number
  readonly recover?: HeadToRead['recover']
  /** Aborts the pause after a lost race; the append rejects with its reason. */
  readonly signal?: AbortSignal | undefined
  /**
   * Parents of the commit of a batch; by default the ref's value. A branch begins on another stream's commit, a merge
   * has several.
   */
  readonly parentsOf?: (batch: Batch, head: Oid | null) => readonly Oid[]
}

export interface Appended<Batch> {
  readonly head: Oid
  /** The ref's previous value: the commit's parent, unless the target says otherwise. */
  readonly parent: Oid | null
  readonly batch: Batch
}

/**
 * Appends the batch that `makeBatch` makes for the present head; null when it makes none.
 *
 * @param makeBatch - validates and dates against the state at `head`; called again after each lost race
 * @throws {ConflictError} when the head kept moving, or stayed locked, for 10 s
 * @throws {IncompleteLogError} when the head is unreadable: a commit on top of it would hide the log
 */
export async function append<Batch, Item>(
  target: AppendTarget<Batch, Item>,
  makeBatch: (head: Oid | null) => Promise<Batch | null>,
): Promise<Appended<Batch> | null> {
  const { git, clock, recover, parentsOf = onTop } = target
  const { ref } = target.stream
  const retry = new Retry({
    ...{ firstMs: backoffMsFirst, maxMs: backoffMsMax, forMs: appendRetryMsMax },
    ...{ nowMs: () => clock.nowUnixMs(), jitter: target.jitter, signal: target.signal },
  })
  const release = await target.queue.enter()
  try {
    for (;;) {
      const parent = await readSoundHead({ git, ref, recover })
      const batch = await makeBatch(parent)
      if (batch === null) return null
      try {
        return { head: await publishBatch(target, batch, parent, parentsOf(batch, parent)), parent, batch }
      } catch (error) {
        if (!(error instanceof RefMovedError)) throw error
        if (!(await retry.again())) {
          throw new ConflictError(`${ref} kept moving for ${appendRetryMsMax} ms; nothing was written`, {
            details: { ref, reason: 'contended' },
            cause: error,
          })
        }
      }
    }
  } finally {
    await release()
  }
}

/**
 * Makes one batch the ref's new head, without a retry.
 *
 * @param expected - the ref's value; null for no ref
 * @param parents - of the commit; by default the ref's value
 * @param beside - other refs, which move first
 * @throws {RefMovedError} when the ref is no longer at `expected`
 */
export async function publishBatch<Batch, Item>(
  { git, stream }: Pick<AppendTarget<Batch, Item>, 'git' | 'stream'>,
  batch: Batch,
  expected: Oid | null,
  parents: readonly Oid[] = onTop(batch, expected),
  beside?: Pick<PublishPlan, 'staged' | 'updates'>,
): Promise<Oid> {
  const encoded = encodeBatch(git.layout.objectFormat, stream, batch, parents)
  await publishEncoded({ git, stream }, encoded, expected, beside)
  return encoded.commit
}

/** Makes an encoded batch the ref's new head, like `publishBatch`. */
export async function publishEncoded<Batch, Item>(
  { git, stream }: Pick<AppendTarget<Batch, Item>, 'git' | 'stream'>,
  { objects, commit, message }: EncodedBatch,
  expected: Oid | null,
  beside?: Pick<PublishPlan, 'staged' | 'updates'>,
): Promise<void> {
  const update = updateOf(stream, { expected, next: commit, reflogMessage: `grite: ${message}` })
  const { staged = [], updates = [] } = beside ?? {}
  await git.publish({ objects, staged, updates: [...updates, update], isOrdered: updates.length > 0 })
}

/** Parents of a commit on top of the ref's value. */
function onTop(_batch: unknown, head: Oid | null): readonly Oid[] {
  return head === null ? [] : [head]
}

export interface EncodedBatch {
  readonly objects: readonly PendingObject[]
  readonly commit: Oid
  readonly message: string
}

/** The objects of one batch on top of its parents, with its commit last. */
export function encodeBatch<Batch, Item>(
  format: ObjectFormat,
  { codec }: Pick<AnyStream<Batch, Item>, 'codec'>,
  batch: Batch,
  parents: readonly Oid[],
): EncodedBatch {
  const segment = codec.encode(batch, parents)
  for (const [path, content] of segment.files) {
    if (typeof content !== 'string' && content.length > codec.fileBytesMax)
      throw new RangeError(`${path} is larger than a reader accepts`)
  }
  const tree = buildTree(format, segment.files, segment.storedPaths)
  const commit = encodeCommit(format, {
    tree: tree.root,
    parents,
    author: { ...segment.identity, ...segment.date },
    message: segment.message,
  })
  return { objects: [...tree.objects, commit], commit: commit.oid, message: segment.message }
}
