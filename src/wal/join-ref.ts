/**
 * Joins two chains of a stream with the union policy: items that one chain lacks are appended on top of it
 * (docs/format.md#re-append). Used by healing and sync.
 *
 * Invariants
 * - Nothing here moves a ref: commits are written, durably, and the caller decides what to do with them.
 * - The chain of a joined head holds every item of both sides; the join duplicates none.
 */
import type { GitPort, ObjectFormat, Oid, PendingObject } from '../git/index.ts'
import { NotFoundError } from '../model/index.ts'
import { encodeBatch } from './append.ts'
import { GapTally, incompleteLog, type LogGaps } from './log-gap.ts'
import { readLog } from './read-log.ts'
import type { Segment } from './segment-codec.ts'
import { isCommit } from './sound-head.ts'
import type { Stream, UnionStream } from './stream.ts'

/** Keeps segments of the other side up to this many items or bytes; beyond that they are read again when needed. */
const gainedItemsMax = 16_384
const gainedBytesMax = 32 * 1024 * 1024

/** Checks what one side gains from the other. */
export interface Inspection<Sealed> {
  readonly add: (segments: readonly Sealed[]) => void
  /** Called after all segments are added, before anything is written or moved. Throws to refuse. */
  readonly settle: () => Promise<void>
}

export interface JoinRequest<Sealed> {
  /** The head whose items must be kept. */
  readonly from: Oid
  /** The head to append them to; null for an empty stream. */
  readonly onto: Oid | null
  /** Best common ancestor of the two; null without one. */
  readonly base: Oid | null
  /** True where items may already be on a chain more than once. Then the whole of `onto` is searched. */
  readonly mayRepeat: boolean
  readonly nowUnixMs: number
  /** The segments of both sides above the base, where the caller has read them. */
  readonly read?: { readonly from: readonly Sealed[]; readonly onto: readonly Sealed[] } | undefined
  /** Starts checking the segments that `onto` has and `from` lacks. */
  readonly inspect?: (() => Inspection<Sealed>) | undefined
}

/** The problem type of a tenant's segments. */
type ProblemOf<Sealed extends Segment<unknown>> = Sealed['problems'][number]

export interface Joined<Sealed extends Segment<unknown>> {
  /** `onto` when it lacked nothing. */
  readonly head: Oid
  /** Objects of the new commits, which no ref names yet: pass them to the publish that moves a ref there. */
  readonly objects: readonly PendingObject[]
  /** Appended items. */
  readonly itemCount: number
  /** Segments that `onto` has and `from` lacks, parents before children; null when they are too many to keep. */
  readonly gained: readonly Sealed[] | null
  /** Unreadable parts of `from`, which were not carried. Above a gap of its chain their extent is unknown. */
  readonly unread: readonly ProblemOf<Sealed>[]
}

/**
 * Writes the commits that append to one head the items that it lacks of another.
 * @throws {NotFoundError} when the objects of a head are gone
 * @throws {IncompleteLogError} when `onto` cannot be read completely and no base is known: items below its gap would be
 *   written again
 */
export async function stageJoin<Batch, Item, Sealed extends Segment<Item>>(
  git: GitPort,
  stream: UnionStream<Batch, Item, Sealed>,
  request: JoinRequest<Sealed>,
): Promise<Joined<Sealed>> {
  const { from, onto, base, mayRepeat, nowUnixMs } = request
  const { batchesOfMissing, countOf } = stream.divergence
  const exclude = base === null ? [] : [base]
  const ours = request.read?.from ?? (await readSegments(git, stream, from, exclude))
  const theirs = await readGained(git, stream, request, exclude)
  if (base === null && theirs.gaps.count > 0) throw incompleteLog('cannot join another log to it', theirs.gaps)
  if (mayRepeat && base !== null) await collectIds(git, stream, base, theirs.ids)
  const batches = batchesOfMissing(ours, (id) => !theirs.ids.has(id), nowUnixMs)
  const { head, objects } = encodeBatches(git.layout.objectFormat, stream, batches, onto)
  if (objects.length > 0) await git.publish({ objects, updates: [] })
  return {
    // With no item on either side there is no stream to start.
    head: head ?? from,
    objects,
    itemCount: batches.reduce((sum, batch) => sum + countOf(batch), 0),
    gained: theirs.segments,
    unread: ours.flatMap(({ problems }) => problems.filter(({ unread }) => unread !== undefined)),
  }
}

function encodeBatches<Batch, Item>(
  format: ObjectFormat,
  stream: Pick<Stream<Batch, Item>, 'codec'>,
  batches: readonly Batch[],
  onto: Oid | null,
): { readonly head: Oid | null; readonly objects: PendingObject[] } {
  let head = onto
  // Batches share trees and files; a pack holds an object once.
  const objects = new Map<Oid, PendingObject>()
  for (const batch of batches) {
    const encoded = encodeBatch(format, stream, batch, head === null ? [] : [head])
    for (const object of encoded.objects) objects.set(object.oid, object)
    head = encoded.commit
  }
  return { head, objects: [...objects.values()] }
}

/** All segments below a head but not below others. @throws {NotFoundError} when the head is missing */
export async function readSegments<Batch, Item, Sealed extends Segment<Item>>(
  git: GitPort,
  stream: Pick<Stream<Batch, Item, Sealed>, 'codec'>,
  head: Oid,
  exclude: readonly Oid[],
): Promise<Sealed[]> {
  if (!(await isCommit(git, head))) throw new NotFoundError(`${head} is gone`)
  const all: Sealed[] = []
  for await (const segments of readLog(git, stream, { head, exclude })) all.push(...segments)
  return all
}

interface Gained<Sealed> {
  readonly ids: Set<string>
  readonly segments: readonly Sealed[] | null
  readonly gaps: LogGaps
}

async function readGained<Batch, Item, Sealed extends Segment<Item>>(
  git: GitPort,
  stream: UnionStream<Batch, Item, Sealed>,
  { onto, inspect, read }: JoinRequest<Sealed>,
  exclude: readonly Oid[],
): Promise<Gained<Sealed>> {
  const { idsOf, bytesOf } = stream.divergence
  const ids = new Set<string>()
  const gaps = new GapTally()
  let kept: Sealed[] | null = []
  let bytes = 0
  const inspection = inspect?.()
  if (onto === null) return { ids, segments: kept, gaps }
  for await (const segments of read === undefined ? readLog(git, stream, { head: onto, exclude }) : [read.onto]) {
    inspection?.add(segments)
    for (const segment of segments) {
      for (const id of idsOf(segment)) ids.add(id)
      gaps.take(segment.problems)
      bytes += bytesOf(segment)
    }
    kept?.push(...segments)
    if (ids.size > gainedItemsMax || bytes > gainedBytesMax) kept = null
  }
  await inspection?.settle()
  return { ids, segments: kept, gaps }
}

async function collectIds<Batch, Item, Sealed extends Segment<Item>>(
  git: GitPort,
  stream: UnionStream<Batch, Item, Sealed>,
  head: Oid,
  into: Set<string>,
): Promise<void> {
  for await (const segments of readLog(git, stream, { head })) {
    for (const segment of segments) for (const id of stream.divergence.idsOf(segment)) into.add(id)
  }
}
