/**
 * Appending to a stream: one commit per batch, on top of the ref's present value, by compare-and-swap.
 *
 * Invariants
 * - When `append` returns a head, the ref named it after all its objects were on the disk (R2).
 * - A batch is made for one head only. After a lost race it is made again from fresh state, never replayed.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { buildTree, encodeCommit, type GitPort, type ObjectFormat, type Oid, type PendingObject } from '../git/index.ts'
import { ConflictError, RefMovedError } from '../model/index.ts'
import type { Queue } from './append-queue.ts'
import { type HeadToRead, readSoundHead } from './sound-head.ts'
import { type AnyStream, updateOf } from './stream.ts'

/** How long an append fights for the head before it gives up with `conflict`. */
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
}

export interface Appended<Batch> {
  readonly head: Oid
  readonly parent: Oid | null
  readonly batch: Batch
}

/**
 * Appends the batch that `makeBatch` makes for the present head; null when it makes none.
 *
 * @param makeBatch - validates and dates against the state at `head`; called again after each lost race
 * @throws {ConflictError} when the head kept moving, or stayed locked, for 10 s
 * @throws {IncompleteLogError} when the head cannot be read: what stands on top of it would hide the log
 */
export async function append<Batch, Item>(
  target: AppendTarget<Batch, Item>,
  makeBatch: (head: Oid | null) => Promise<Batch | null>,
): Promise<Appended<Batch> | null> {
  const { git, clock, recover } = target
  const { ref } = target.stream
  const deadline = clock.nowUnixMs() + appendRetryMsMax
  const release = await target.queue.enter()
  try {
    for (let backoff = backoffMsFirst; ; backoff = Math.min(2 * backoff, backoffMsMax)) {
      const parent = await readSoundHead({ git, ref, recover })
      const batch = await makeBatch(parent)
      if (batch === null) return null
      try {
        return { head: await publishBatch(target, batch, parent), parent, batch }
      } catch (error) {
        if (!(error instanceof RefMovedError)) throw error
        if (clock.nowUnixMs() >= deadline) {
          throw new ConflictError(`${ref} kept moving for ${appendRetryMsMax} ms; nothing was written`, {
            details: { ref, reason: 'contended' },
            cause: error,
          })
        }
        await sleep(backoff * (0.5 + target.jitter()))
      }
    }
  } finally {
    await release()
  }
}

/**
 * Makes one batch the ref's new head, with no retry.
 * @throws {RefMovedError} when the ref is not at `parent` any more
 */
export async function publishBatch<Batch, Item>(
  { git, stream }: Pick<AppendTarget<Batch, Item>, 'git' | 'stream'>,
  batch: Batch,
  parent: Oid | null,
): Promise<Oid> {
  const { objects, commit, message } = encodeBatch(git.layout.objectFormat, stream, batch, parent)
  const update = updateOf(stream, { expected: parent, next: commit, reflogMessage: `grite: ${message}` })
  await git.publish({ objects, updates: [update] })
  return commit
}

/** The objects of one batch on top of a parent, its commit last. */
export function encodeBatch<Batch, Item>(
  format: ObjectFormat,
  { codec }: Pick<AnyStream<Batch, Item>, 'codec'>,
  batch: Batch,
  parent: Oid | null,
): { readonly objects: readonly PendingObject[]; readonly commit: Oid; readonly message: string } {
  const segment = codec.encode(batch, parent)
  for (const [path, content] of segment.files) {
    if (typeof content !== 'string' && content.length > codec.fileBytesMax)
      throw new RangeError(`${path} is larger than a reader accepts`)
  }
  const tree = buildTree(format, segment.files)
  const commit = encodeCommit(format, {
    tree: tree.root,
    parents: parent === null ? [] : [parent],
    author: { ...segment.identity, ...segment.date },
    message: segment.message,
  })
  return { objects: [...tree.objects, commit], commit: commit.oid, message: segment.message }
}
