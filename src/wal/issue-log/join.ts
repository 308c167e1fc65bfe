/**
 * Joining two chains of the issue log: what one has and the other lacks is put on top of the other
 * (docs/format.md#re-append). Healing and sync are made of it.
 *
 * Invariants
 * - Nothing here moves a ref: commits are written, durably, and whoever asked decides what becomes of them.
 * - The chain of a joined head holds every event of both sides, none of them once more than before.
 */
import type { GitPort, ObjectFormat, Oid, PendingObject } from '../../git/index.ts'
import { NotFoundError } from '../../model/index.ts'
import { encodeBatch } from '../append.ts'
import { GapTally, incompleteLog, type LogGaps } from '../log-gap.ts'
import { readLog } from '../read-log.ts'
import type { LogProblem } from '../segment-codec.ts'
import { isCommit } from '../sound-head.ts'
import { batchesOfMissing, recordIdsOf } from './batch.ts'
import { type IssueBatch, type IssueSegment, issueCodec } from './issue-codec.ts'

/** Segments of the other side are kept up to this many events or bytes of records; more are read again when needed. */
const gainedEventsMax = 16_384
const gainedBytesMax = 32 * 1024 * 1024

/** Judges what one side gains from the other. */
export interface Inspection {
  readonly add: (segments: readonly IssueSegment[]) => void
  /** After all has been added, and before anything is written or moved. Throws to refuse. */
  readonly settle: () => Promise<void>
}

export interface JoinRequest {
  /** The head whose events must not be lost. */
  readonly from: Oid
  /** The head that they go on top of; null for an empty log. */
  readonly onto: Oid | null
  /** Best common ancestor of the two; null when they have none. */
  readonly base: Oid | null
  /** True where an event id may stand on a chain more than once already. Then the whole of `onto` is looked through. */
  readonly mayRepeat: boolean
  readonly nowUnixMs: number
  /** Begins to judge the segments that `onto` has and `from` has not. */
  readonly inspect?: (() => Inspection) | undefined
}

export interface Joined {
  /** `onto` when nothing was missing there. */
  readonly head: Oid
  /** Written for the new commits, which no ref names yet: to be given to the publish that moves one there. */
  readonly objects: readonly PendingObject[]
  /** Events that were put on top. */
  readonly eventCount: number
  /** What `onto` has and `from` has not, parents before children; null when that is too much to keep. */
  readonly gained: readonly IssueSegment[] | null
  /** What of `from` could not be read, and so was not carried. Above a gap of its chain nobody knows how much that is. */
  readonly unread: readonly LogProblem[]
}

/**
 * Writes the commits that bring onto one head what it lacks of another.
 * @throws {NotFoundError} when the objects of a head are gone
 * @throws {IncompleteLogError} when `onto` cannot be read whole and no base is known: what stands below its gap would be
 * written once more
 */
export async function stageJoin(git: GitPort, request: JoinRequest): Promise<Joined> {
  const { from, onto, base, mayRepeat, nowUnixMs } = request
  const exclude = base === null ? [] : [base]
  const ours = await readSegments(git, from, exclude)
  const theirs = await readGained(git, request, exclude)
  if (base === null && theirs.gaps.count > 0) throw incompleteLog('no other log can be joined to it', theirs.gaps)
  if (mayRepeat && base !== null) await collectIds(git, base, theirs.ids)
  const batches = batchesOfMissing(ours, (id) => !theirs.ids.has(id), nowUnixMs)
  const { head, objects } = encodeBatches(git.layout.objectFormat, batches, onto)
  if (objects.length > 0) await git.publish({ objects, updates: [] })
  return {
    // Of no event on either side there is no log to begin.
    head: head ?? from,
    objects,
    eventCount: batches.reduce((sum, { records }) => sum + records.length, 0),
    gained: theirs.segments,
    unread: ours.flatMap(({ problems }) => problems.filter(({ unread }) => unread !== undefined)),
  }
}

function encodeBatches(
  format: ObjectFormat,
  batches: readonly IssueBatch[],
  onto: Oid | null,
): { readonly head: Oid | null; readonly objects: PendingObject[] } {
  let head = onto
  // Batches share trees and files; a pack holds an object once.
  const objects = new Map<Oid, PendingObject>()
  for (const batch of batches) {
    const encoded = encodeBatch(format, issueCodec, batch, head)
    for (const object of encoded.objects) objects.set(object.oid, object)
    head = encoded.commit
  }
  return { head, objects: [...objects.values()] }
}

/** All segments below a head but not below others. @throws {NotFoundError} when the head is not here */
export async function readSegments(git: GitPort, head: Oid, exclude: readonly Oid[]): Promise<IssueSegment[]> {
  if (!(await isCommit(git, head))) throw new NotFoundError(`${head} is gone`)
  const all: IssueSegment[] = []
  for await (const segments of readLog(git, issueCodec, { head, exclude })) all.push(...segments)
  return all
}

interface Gained {
  readonly ids: Set<string>
  readonly segments: readonly IssueSegment[] | null
  readonly gaps: LogGaps
}

async function readGained(git: GitPort, { onto, inspect }: JoinRequest, exclude: readonly Oid[]): Promise<Gained> {
  const ids = new Set<string>()
  const gaps = new GapTally()
  let kept: IssueSegment[] | null = []
  let bytes = 0
  const inspection = inspect?.()
  if (onto === null) return { ids, segments: kept, gaps }
  for await (const segments of readLog(git, issueCodec, { head: onto, exclude })) {
    inspection?.add(segments)
    for (const segment of segments) {
      for (const id of recordIdsOf(segment)) ids.add(id)
      gaps.take(segment.problems)
      bytes += segment.items.reduce((sum, { record }) => sum + record.length, 0)
    }
    kept?.push(...segments)
    if (ids.size > gainedEventsMax || bytes > gainedBytesMax) kept = null
  }
  await inspection?.settle()
  return { ids, segments: kept, gaps }
}

async function collectIds(git: GitPort, head: Oid, into: Set<string>): Promise<void> {
  for await (const segments of readLog(git, issueCodec, { head })) {
    for (const id of segments.flatMap(recordIdsOf)) into.add(id)
  }
}
