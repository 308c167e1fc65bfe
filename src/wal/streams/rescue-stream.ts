/**
 * Turns what only this clone has of a diverged stream into a branch, and goes on from the other head
 * (docs/format.md#rescue).
 *
 * Invariants
 * - The journal is closed before it is read for the last time, so no append can be acknowledged behind it.
 * - The branch is durable before the stream's ref moves, and the ref moves before a journal is removed. A rescue that was
 *   killed at any point is done again, with the same branch.
 */
import { createHash } from 'node:crypto'
import { type GitPort, isOid, type Oid } from '../../git/index.ts'
import { ConflictError, formatHex, RefMovedError } from '../../model/index.ts'
import {
  type CloneId,
  encodeStreamId,
  type Incarnation,
  isStreamId,
  type Lineage,
  type Manifest,
  nextOffsetOf,
  rootOfManifest,
  type StreamId,
  shownStreamId,
} from '../../model/streams/index.ts'
import { publishBatch } from '../append.ts'
import { removeKnownChain } from './chain-cache.ts'
import { UnreadableCommitError } from './commit-reader.ts'
import { type JournalPlace, type JournalState, readJournals } from './journal/index.ts'
import type { SegmentTools } from './open-segment.ts'
import { cutSegments, type SealedBatch, sealRecords } from './seal-records.ts'
import { readSealedNote, removeSealedNote, writeSealedNote } from './sealed-note.ts'
import { StoppedAppends } from './stop-appends.ts'
import { type StreamCommit, segmentStream } from './stream-codec.ts'
import { type StreamHead, type StreamHeads, stateOf } from './stream-heads.ts'
import type { StreamReader } from './stream-reader.ts'
import { refOfStream } from './stream-refs.ts'
import { barrierQueue } from './stream-writer.ts'

export interface RescuePlace {
  readonly git: GitPort
  readonly reader: StreamReader
  readonly heads: StreamHeads
  readonly tools: SegmentTools
  readonly journals: JournalPlace
  readonly cloneId: CloneId
  readonly nowUnixMs: () => number
  readonly random: (byteCount: number) => Uint8Array
}

export interface RescueFacts {
  readonly actor: Lineage['metadata']['actor']
  readonly reason: string | null
}

export interface Rescued {
  readonly streamId: StreamId
  /** The branch that holds the rescued records; null when the other head had all of them. */
  readonly branch: StreamHead | null
  /** The offset at which the branch begins: records below it are the same on both sides. */
  readonly fromOffset: number
  readonly recordCount: number
  /** Where the stream was, and where it is now. */
  readonly before: StreamHead
  readonly after: StreamHead
}

/**
 * @param local - the stream's ref now
 * @param onto - where the stream is to go on: the remote's head, or `local` when only its journal has diverged
 * @throws {ConflictError} when the journal lacks records, or the ref moved meanwhile
 */
export async function rescueStream(
  place: RescuePlace,
  local: StreamHead,
  onto: StreamHead,
  { orphans, ...facts }: RescueFacts & { readonly orphans: readonly StreamHead[] },
): Promise<Rescued> {
  const { git, journals } = place
  const leave = await stopForGood(place)
  const state = readJournals(journals)
  let result: Rescued
  try {
    const old = await oldEndOf(place, local, onto, state)
    const common = await commonEnd(place, old, onto, state)
    const fromOffset = common ?? old.sealedOffset
    const tail = tailOf(place, old, state, fromOffset)
    const parent = common === null ? old.head : onto
    const more = { old: old.head, onto: parent, fromOffset, tail, keepsEmpty: common === null }
    const branch = await branchOff(place, { ...facts, ...more })
    const recordCount = branch === null ? 0 : nextOffsetOf(branch.manifest) - fromOffset
    if (local.commit !== onto.commit) {
      const logged = { keepsReflog: true, reflogMessage: 'grite: rescue' }
      const ended = orphans.map(({ ref, commit }) => ({ ref, expected: commit, next: null, ...logged }))
      const update = { ref: local.ref, expected: local.commit, next: onto.commit, ...logged }
      await git.publish({ objects: [], updates: [update, ...ended] })
    }
    result = { streamId: local.manifest.streamId, branch, fromOffset, recordCount, before: local, after: onto }
    const { disk, folder } = journals
    for (const file of state.all) if (file.isInPlace()) disk.remove(file.path)
    if (state.all.length > 0) await disk.flushFolder(folder)
    const { incarnation } = onto.manifest
    if (readSealedNote(journals) !== null) writeSealedNote(journals, { commit: onto.commit, incarnation })
  } finally {
    state.close()
    await leave()
  }
  return result
}

/**
 * Turns a later generation, which goes on from an end that the stream no longer has, into a branch of itself.
 *
 * @param place - with the journals of that generation
 * @param before - the end of the generation that is being rescued
 * @returns null when the rescue of that generation holds all of its records, or it had ended itself
 */
export async function rescueOrphan(
  place: RescuePlace,
  orphan: StreamHead,
  { before, onto }: { readonly before: StreamHead; readonly onto: StreamHead },
  facts: RescueFacts,
): Promise<Rescued | null> {
  const leave = await stopForGood(place)
  const state = readJournals(place.journals)
  try {
    const fromOffset = nextOffsetOf(orphan.manifest)
    const isSame = orphan.manifest.incarnation === before.manifest.incarnation
    const isHeld = isSame && fromOffset === nextOffsetOf(before.manifest)
    const keepsEmpty = stateOf(orphan.manifest) === 'live' && !isHeld
    const tail = tailOf(place, { head: orphan, sealedOffset: fromOffset }, state, fromOffset)
    const branch = await branchOff(place, { ...facts, old: orphan, onto: orphan, fromOffset, tail, keepsEmpty })
    if (branch === null) return null
    const recordCount = nextOffsetOf(branch.manifest) - fromOffset
    return { streamId: orphan.manifest.streamId, branch, fromOffset, recordCount, before: orphan, after: onto }
  } finally {
    state.close()
    await leave()
  }
}

/** Removes what is beside the ref of a generation that is gone: its journals, the note and the cache. */
export function discardFiles(journals: JournalPlace): void {
  removeSealedNote(journals)
  removeKnownChain(journals, journals)
  const state = readJournals(journals)
  for (const file of state.all) if (file.isInPlace()) journals.disk.remove(file.path)
  state.close()
}

/** Ends the newest file, so that writers of all processes stop. @returns what lets them look for a new one */
async function stopForGood(place: RescuePlace): Promise<() => Promise<void>> {
  const leave = await barrierQueue(place.journals).enter()
  try {
    const stopped = await StoppedAppends.begin(place, null)
    stopped?.dispose()
    return leave
  } catch (error) {
    await leave()
    throw error
  }
}

/** The newest commit that the journals continue, unless the ref is behind it. */
async function oldHeadOf(place: RescuePlace, local: StreamHead, { files }: JournalState): Promise<StreamHead> {
  let old = local
  const opened = files.flatMap(({ open }) => (open === null ? [] : [open.sealedCommit as Oid]))
  const note = readSealedNote(place.journals)
  for (const commit of note === null ? opened : [...opened, note.commit]) {
    if (commit === old.commit || (await place.git.isAncestor(commit, old.commit))) continue
    try {
      const { manifest } = await place.reader.manifests.read(commit)
      old = { ref: local.ref, commit, manifest }
    } catch (error) {
      if (!(error instanceof UnreadableCommitError)) throw error
      const { streamId } = local.manifest
      throw new ConflictError(
        `the journal of stream '${shownStreamId(streamId)}' continues ${commit}, which this clone lacks: ${error.message}`,
        { details: { reason: 'damaged', stream: streamId, object_id: error.objectId } },
      )
    }
  }
  return old
}

/** What this clone has: records of a commit's chain, and those of the journal after them. */
interface OldEnd {
  readonly head: StreamHead
  /** The journal counts from this offset on. */
  readonly sealedOffset: number
}

async function oldEndOf(place: RescuePlace, local: StreamHead, onto: StreamHead, state: JournalState): Promise<OldEnd> {
  const head = await oldHeadOf(place, local, state)
  const sealedOffset = nextOffsetOf(head.manifest)
  const differs = await firstDifference(place, head, state)
  if (differs === null) return { head, sealedOffset }
  // Another program put commits of others below the journal: only what comes before it is this clone's.
  if (head.commit === onto.commit) return { head, sealedOffset: differs }
  const { streamId } = head.manifest
  const message = `journal and commit ${head.commit} of stream '${shownStreamId(streamId)}' hold different records at offset ${differs}; both were left as they are`
  throw new ConflictError(message, { details: { reason: 'damaged', stream: streamId, offset: differs } })
}

/** Whether the journal holds other records than the head that it would be sealed onto. */
export async function journalContradicts(place: RescuePlace, local: StreamHead): Promise<boolean> {
  const state = readJournals(place.journals)
  try {
    return (await firstDifference(place, await oldHeadOf(place, local, state), state)) !== null
  } finally {
    state.close()
  }
}

/** The first offset at which the journal and the commits of a head hold different records; null without one. */
async function firstDifference(place: RescuePlace, head: StreamHead, state: JournalState): Promise<number | null> {
  const end = nextOffsetOf(head.manifest)
  for (const batch of state.batchesFrom(0)) {
    const to = Math.min(end, batch.firstOffset + batch.records.length)
    if (to <= batch.firstOffset) return null
    const range = { from: batch.firstOffset, to }
    for await (const records of place.reader.read(head.commit, head.manifest, range, refuse(head)))
      for (const { offset, bytes } of records)
        if (Buffer.compare(bytes, batch.records[offset - batch.firstOffset] as Uint8Array) !== 0) return offset
  }
  return null
}

/**
 * The offset below which both have the same records. Null when a retention has dropped records below it, so that they
 * cannot be compared: then the old chain becomes a branch of itself.
 */
async function commonEnd(
  place: RescuePlace,
  old: OldEnd,
  onto: StreamHead,
  state: JournalState,
): Promise<number | null> {
  let common = Math.min(await commonCommitEnd(place, old.head, onto), old.sealedOffset)
  for (const { commit } of [old.head, onto]) if ((await place.reader.oldestOffsetOf(commit)) > common) return null
  const end = nextOffsetOf(onto.manifest)
  const theirs = place.reader.read(onto.commit, onto.manifest, { from: common, to: end }, refuse(onto))
  const ours = tailOf(place, old, state, common)
  try {
    let batch: SealedBatch | undefined
    for await (const records of theirs) {
      for (const { offset, bytes } of records) {
        while (batch === undefined || batch.firstOffset + batch.records.length <= offset) {
          const step = await ours.next()
          if (step.done === true) return common
          batch = step.value
        }
        const own = batch.records[offset - batch.firstOffset]
        if (own === undefined || Buffer.compare(own, bytes) !== 0) return common
        common = offset + 1
      }
    }
    return common
  } finally {
    await ours.return(undefined)
  }
}

async function commonCommitEnd({ git, reader }: RescuePlace, old: StreamHead, onto: StreamHead): Promise<number> {
  const base = await git.findMergeBase(old.commit, onto.commit)
  if (base === null) return 0
  try {
    const { manifest } = await reader.manifests.read(base)
    const isOwn = (head: StreamHead) => manifest.incarnation === head.manifest.incarnation
    if (isOwn(old) && isOwn(onto)) return nextOffsetOf(manifest)
    // Both are branches of the base's stream: each holds its records below its own fork.
    const forks = [old, onto].flatMap(({ manifest: { lineage } }) => lineage.parents.map(({ offset }) => offset))
    const areBranches = [old, onto].every((head) => head.manifest.lineage.kind === 'branch')
    return areBranches ? Math.min(nextOffsetOf(manifest), ...forks) : 0
  } catch (error) {
    if (error instanceof UnreadableCommitError) return 0
    throw error
  }
}

/** The records of the old head from an offset on, and those of the journal after them. */
async function* tailOf(
  place: RescuePlace,
  { head: old, sealedOffset }: OldEnd,
  state: JournalState,
  from: number,
): AsyncGenerator<SealedBatch> {
  let next = from
  if (from < sealedOffset) {
    const range = { from, to: sealedOffset }
    for await (const records of place.reader.read(old.commit, old.manifest, range, refuse(old))) {
      const [first] = records
      if (first === undefined) continue
      yield { firstOffset: first.offset, records: records.map(({ bytes }) => bytes) }
      next = first.offset + records.length
    }
  }
  for (const batch of state.batchesFrom(next)) {
    if (batch.firstOffset > next) throw lacking(old, next, batch.firstOffset)
    const records = batch.records.slice(next - batch.firstOffset)
    if (records.length === 0) continue
    yield { firstOffset: next, records }
    next += records.length
  }
}

function refuse({ manifest }: StreamHead) {
  return (part: {
    readonly objectId: Oid
    readonly reason: string
    readonly from: number
    readonly to: number
  }): never => {
    const { streamId } = manifest
    const message = `records ${part.from} to ${part.to - 1} of stream '${shownStreamId(streamId)}' are unreadable: ${part.reason}`
    throw new ConflictError(message, {
      details: { reason: 'damaged', stream: streamId, object_id: part.objectId, offset: part.from },
    })
  }
}

function lacking({ manifest: { streamId } }: StreamHead, from: number, to: number): ConflictError {
  const message = `the journal of stream '${shownStreamId(streamId)}' lacks the records ${from} to ${to - 1}; it was left as it is`
  return new ConflictError(message, { details: { reason: 'damaged', stream: streamId, offset: from } })
}

interface BranchOff extends RescueFacts {
  readonly old: StreamHead
  readonly onto: StreamHead
  readonly fromOffset: number
  readonly tail: AsyncGenerator<SealedBatch>
  /** Also makes a branch that only inherits. */
  readonly keepsEmpty?: boolean
}

async function branchOff(place: RescuePlace, facts: BranchOff): Promise<StreamHead | null> {
  const { old, fromOffset } = facts
  const batches: SealedBatch[] = []
  let count = 0
  for await (const batch of facts.tail) {
    batches.push(batch)
    count += batch.records.length
  }
  if (count === 0 && facts.keepsEmpty !== true) return null
  const streamId = rescueIdOf(old, batches)
  const ref = refOfStream(streamId, 0)
  const found = await place.heads.read(streamId, 0)
  // An earlier rescue was killed after this step.
  if (found !== null && nextOffsetOf(found.manifest) >= fromOffset + count) return found
  let head = found ?? (await beginBranch(place, streamId, facts))
  const stream = segmentStream(ref, streamId, place.tools)
  const done = nextOffsetOf(head.manifest)
  const missing = batches.flatMap((batch): readonly SealedBatch[] => {
    const records = batch.records.slice(Math.max(0, done - batch.firstOffset))
    return records.length === 0 ? [] : [{ firstOffset: Math.max(done, batch.firstOffset), records }]
  })
  for (const records of cutSegments(missing)) {
    const commit = await sealRecords(place.tools, head.manifest, records)
    const oid = await publishBatch({ git: place.git, stream }, commit, head.commit)
    head = { ref, commit: oid, manifest: commit.manifest }
  }
  return head
}

async function beginBranch(
  { git, heads, reader, tools, cloneId, nowUnixMs, random }: RescuePlace,
  streamId: StreamId,
  { old, onto, fromOffset, actor, reason }: BranchOff,
): Promise<StreamHead> {
  const containing = await reader.layoutOf(onto.commit).containingCommit(fromOffset)
  const labels = [[rescueLabel, old.commit]] as const
  const metadata = { createdTs: nowUnixMs(), actor, reason, labels, retention: null }
  let lineage: Lineage = { kind: 'root', parents: [], metadata }
  if (containing !== null) {
    const { manifest } = await reader.manifests.read(containing)
    const { streamId: parentId, incarnation } = onto.manifest
    const parent = { streamId: parentId, incarnation, offset: fromOffset, root: formatHex(rootOfManifest(manifest)) }
    lineage = { kind: 'branch', parents: [parent], metadata }
  }
  const manifest: Manifest = {
    ...{ streamId, generation: 0, lineage, firstOffset: fromOffset },
    incarnation: formatHex(random(8)) as Incarnation,
    epoch: { number: 1, owner: cloneId },
    ...{ commitCount: 1, count: 0, content: null, producers: [], entries: 0, peaks: [] },
    act: { name: 'genesis' },
  }
  const ref = refOfStream(streamId, 0)
  const commit: StreamCommit = { manifest, segment: null, tsUnixMs: metadata.createdTs }
  try {
    const parents = containing === null ? [] : [containing]
    const oid = await publishBatch({ git, stream: segmentStream(ref, streamId, tools) }, commit, null, parents)
    return { ref, commit: oid, manifest }
  } catch (error) {
    if (!(error instanceof RefMovedError)) throw error
    const found = await heads.read(streamId, 0)
    if (found === null) throw error
    return found
  }
}

/** The label of a branch that a rescue made; its value is the old head. */
const rescueLabel = 'rescue'

export function isRescueBranch({ lineage: { metadata } }: Manifest): boolean {
  return metadata.labels.some(([key, value]) => key === rescueLabel && (isOid(value, 'sha1') || isOid(value, 'sha256')))
}

/** The same for the same records, so that a second attempt finds the branch of the first. */
function rescueIdOf({ commit, manifest }: StreamHead, batches: readonly SealedBatch[]): StreamId {
  const hash = createHash('sha256').update(commit)
  for (const { records } of batches) for (const record of records) hash.update(record)
  const part = hash.digest('hex').slice(0, 16)
  const id = `${manifest.streamId}/rescue/${part}`
  // The longest ids leave no room for a suffix.
  return (isStreamId(id) ? id : `rescue/${encodeStreamId(manifest.streamId)}/${part}`) as StreamId
}
