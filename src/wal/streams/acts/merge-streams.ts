/** Merges streams into an existing or a new one, by reference (docs/format.md#what-a-stream-holds). */
import type { Oid } from '../../../git/index.ts'
import type { ActorId } from '../../../model/index.ts'
import { ConflictError, formatHex, InvalidArgsError } from '../../../model/index.ts'
import {
  type AdoptedRow,
  countOfRow,
  type Labels,
  type Manifest,
  type MergeAct,
  type MergePolicy,
  nextOffsetOf,
  rangesOfRow,
  rootOfManifest,
  type StreamId,
  shownStreamId,
  streamLimits,
} from '../../../model/streams/index.ts'
import type { Position, StreamSummary } from '../record-streams.ts'
import type { StreamHead } from '../stream-heads.ts'
import { commitOfAct, withRows } from './act-manifest.ts'
import { type ActPlace, requireReadable } from './act-place.ts'
import { type CustomRow, customRows } from './custom-rows.ts'
import { type PlannedMerge, planMergeOf } from './merge-rows.ts'

export interface MergeSourceChoice {
  readonly streamId: StreamId
  /** Merged up to, not including, this offset. Default: all of it. */
  readonly below?: number | undefined
}

export interface MergeStreams {
  readonly sources: readonly MergeSourceChoice[]
  readonly policy: MergePolicy
  /** A new stream of the sources, or into an existing one. */
  readonly into: 'new' | 'existing'
  readonly actor: ActorId | null
  readonly reason: string | null
  /** Of a new stream. */
  readonly labels: Labels
  readonly evidence: Labels
  readonly notes: readonly string[]
  /** For `custom:…`: what it adds. */
  readonly rows: readonly CustomRow[]
  /** Writes nothing. */
  readonly preview: boolean
}

/** Records of one source, from an offset up to, not including, another. */
export interface MergedRange {
  readonly streamId: StreamId
  readonly from: number
  readonly to: number
}

export interface MergedRow {
  readonly kind: AdoptedRow['kind']
  readonly records: number
  readonly ranges: readonly MergedRange[]
}

export interface MergeResult {
  /** Null for the preview of a new stream. */
  readonly stream: StreamSummary | null
  /** Null for a preview. */
  readonly commit: Oid | null
  readonly policy: MergePolicy
  /** The best common positions; several after crossing merges. */
  readonly bases: readonly Position[]
  /** Each with the first offset that was new to the target. */
  readonly sources: readonly (Position & { readonly base: number })[]
  /** Offset of the first record that it adds. */
  readonly firstOffset: number
  readonly records: number
  readonly rows: readonly MergedRow[]
}

interface Source {
  readonly streamId: StreamId
  readonly head: StreamHead
  /** The containing commit; in a preview the head, where the offset is in the journal. */
  readonly commit: Oid
  readonly offset: number
}

/**
 * @throws {ConflictError} when a fast-forward is not possible, or a new stream exists
 * @throws {InvalidArgsError} on sources, offsets or rows that do not fit
 */
export async function mergeStreams(at: ActPlace, target: StreamId, request: MergeStreams): Promise<MergeResult> {
  checkRequest(target, request)
  return await requireReadable(target, async () => {
    const sources = await findSources(at, request)
    return request.into === 'new'
      ? await mergeNew(at, target, request, sources)
      : await mergeExisting(at, target, request, sources)
  })
}

async function mergeNew(
  at: ActPlace,
  target: StreamId,
  request: MergeStreams,
  sources: readonly Source[],
): Promise<MergeResult> {
  const generation = await at.heads.requireFree(target)
  const planned = await plan(at, target, request, null, sources)
  const rows = rowsOf(target, planned, null)
  if (request.preview) return result(request, planned, sources, { stream: null, commit: null, firstOffset: 0 }, rows, 0)
  const commits = sources.map(({ commit }) => commit)
  const roots = await rootsOf(at, commits)
  const parents = sources.map(({ head, offset }, index) => ({
    ...{ streamId: head.manifest.streamId, incarnation: head.manifest.incarnation, offset },
    root: formatHex(roots[index] as Uint8Array),
  }))
  const metadata = at.metadata(request, null)
  const genesis = await at.genesis(target, generation, 0, { kind: 'merge', parents, metadata })
  const act = actOf(request, planned, sources, metadata.createdTs)
  const stream = await at.begin(withRows({ ...genesis, act }, rows, roots), commits)
  return result(request, planned, sources, { stream, commit: stream.head, firstOffset: 0 }, rows, 0)
}

async function mergeExisting(
  at: ActPlace,
  target: StreamId,
  request: MergeStreams,
  sources: readonly Source[],
): Promise<MergeResult> {
  let made: { planned: PlannedMerge; rows: readonly AdoptedRow[]; firstOffset: number } | null = null
  const planOn = async (head: StreamHead, offset: number) => {
    const planned = await plan(at, target, request, { commit: head.commit, offset }, sources)
    made = { planned, rows: rowsOf(target, planned, offset), firstOffset: offset }
    return made
  }
  if (request.preview) {
    const head = await at.heads.require(target)
    const { planned, rows, firstOffset } = await planOn(head, await at.nextOffset(target))
    const stream = await at.summary(head)
    return result(request, planned, sources, { stream, commit: null, firstOffset }, rows, 1)
  }
  const commits = sources.map(({ commit }) => commit)
  const head = await at.act(target, async (before) => {
    const { planned, rows } = await planOn(before, nextOffsetOf(before.manifest))
    const roots = [rootOfManifest(before.manifest), ...(await rootsOf(at, commits))]
    const act = actOf(request, planned, sources, at.place.clock.nowUnixMs())
    return { commit: commitOfAct(before.manifest, act, rows, roots), parents: (oid) => [oid, ...commits] }
  })
  const { planned, rows, firstOffset } = made as unknown as Awaited<ReturnType<typeof planOn>>
  const stream = await at.summary(head)
  return result(request, planned, sources, { stream, commit: head.commit, firstOffset }, rows, 1)
}

async function findSources(at: ActPlace, { sources, preview }: MergeStreams): Promise<readonly Source[]> {
  const found: Source[] = []
  for (const { streamId, below } of sources) {
    const { at: offset, head } = preview
      ? await unsealedPosition(at, streamId, below)
      : await at.sealedPosition(streamId, below)
    const sealed = nextOffsetOf(head.manifest)
    const commit = offset > sealed ? head.commit : await at.reader.layoutOf(head.commit).containingCommit(offset)
    if (commit === null) {
      const oldest = await at.reader.oldestOffsetOf(head.commit)
      throw new InvalidArgsError(
        `offset ${offset} of stream '${shownStreamId(streamId)}' is below the oldest one, ${oldest}`,
        { details: { field: 'source', stream: streamId, value: offset, oldest } },
      )
    }
    found.push({ streamId, head, commit, offset })
  }
  return found
}

async function unsealedPosition(at: ActPlace, streamId: StreamId, below: number | undefined) {
  const head = await at.heads.require(streamId)
  const end = await at.nextOffset(streamId)
  if (below === undefined || below <= end) return { at: below ?? end, head }
  throw new InvalidArgsError(
    `offset ${below} of stream '${shownStreamId(streamId)}' is above its next offset, ${end}`,
    { details: { field: 'source', stream: streamId, value: below, next_offset: end } },
  )
}

async function plan(
  at: ActPlace,
  target: StreamId,
  request: MergeStreams,
  into: { readonly commit: Oid; readonly offset: number } | null,
  sources: readonly Source[],
): Promise<PlannedMerge> {
  const { policy, preview } = request
  const rows = await customRows(at, request.rows, sources, into === null ? 0 : 1)
  const total = rows.length
  if (total > streamLimits.rowsMax) {
    const message = `a merge into '${shownStreamId(target)}' has ${total} rows, more than ${streamLimits.rowsMax}`
    throw new InvalidArgsError(message, { details: { field: 'rows', value: total } })
  }
  const earlier: Oid[] = []
  for (const streamId of [target, ...sources.map((source) => source.streamId)])
    earlier.push(...(await earlierHeads(at, streamId)))
  return await planMergeOf(at.place.git, at.reader, {
    ...{ policy, target: into, sources, rows, earlier },
    withMarks: !preview,
  })
}

/** Heads of the generations of a stream before the present one, as far as they are here. */
async function earlierHeads({ heads }: ActPlace, streamId: StreamId): Promise<readonly Oid[]> {
  const found: Oid[] = []
  const newest = await heads.find(streamId)
  for (let generation = (newest?.manifest.generation ?? 0) - 1; generation >= 0; generation--) {
    const head = await heads.read(streamId, generation)
    if (head?.manifest.incarnation === newest?.manifest.incarnation && head !== null) found.push(head.commit)
  }
  return found
}

function rowsOf(target: StreamId, { plan: planned, baseOffsets }: PlannedMerge, nextOffset: number | null) {
  if (planned.outcome === 'rows') return planned.rows
  const shown = shownStreamId(target)
  const why = {
    'several-sources': 'it takes one source',
    'target-has-records': `it has ${(nextOffset ?? 0) - (baseOffsets[0] ?? 0)} records that the source does not have`,
    'source-was-cut': 'the source no longer holds the records that would follow',
  }[planned.reason]
  throw new ConflictError(`stream '${shown}' cannot be fast-forwarded: ${why}`, {
    details: {
      ...{ reason: planned.reason, stream: target, next_offset: nextOffset, base_offset: baseOffsets[0] ?? null },
    },
    hints: ['Merge with --policy recursive or interleave'],
  })
}

async function rootsOf(at: ActPlace, commits: readonly Oid[]): Promise<readonly Uint8Array[]> {
  const roots: Uint8Array[] = []
  for (const commit of commits) roots.push(rootOfManifest((await at.reader.manifests.read(commit)).manifest))
  return roots
}

function actOf(
  { policy, actor, reason, evidence, notes }: MergeStreams,
  { bases }: PlannedMerge,
  sources: readonly Source[],
  ts: number,
): MergeAct {
  const offsets = sources.map(({ offset }) => offset)
  const named = bases.map(({ streamId, incarnation, offset }) => ({ streamId, incarnation, offset }))
  return { name: 'merge', ts, actor, reason, policy, offsets, bases: named, evidence, notes }
}

function result(
  { policy }: MergeStreams,
  { bases, baseOffsets }: PlannedMerge,
  sources: readonly Source[],
  made: Pick<MergeResult, 'stream' | 'commit' | 'firstOffset'>,
  rows: readonly AdoptedRow[],
  firstSource: number,
): MergeResult {
  return {
    ...{ policy, bases, ...made },
    sources: sources.map(({ head, offset }, index) => ({
      ...identityIn(head.manifest),
      ...{ offset, base: baseOffsets[index] ?? 0 },
    })),
    records: rows.reduce((count, row) => count + countOfRow(row), 0),
    rows: rows.map((row) => ({
      ...{ kind: row.kind, records: countOfRow(row) },
      ranges: rangesOfRow(row).map(({ source, from, to }) => ({
        streamId: (sources[source - firstSource] as Source).streamId,
        ...{ from, to },
      })),
    })),
  }
}

function identityIn({ streamId, incarnation }: Manifest) {
  return { streamId, incarnation }
}

function checkRequest(target: StreamId, { sources, policy, rows, evidence, notes }: MergeStreams): void {
  const refuse = (field: string, message: string): never => {
    throw new InvalidArgsError(message, { details: { field, stream: target } })
  }
  if (sources.length === 0) refuse('source', 'a merge needs a source')
  if (sources.length > streamLimits.mergeSourcesMax)
    refuse('source', `${sources.length} sources in one merge, more than ${streamLimits.mergeSourcesMax}`)
  const ids = new Set(sources.map(({ streamId }) => streamId))
  if (ids.size < sources.length) refuse('source', 'a source is there twice')
  if (ids.has(target)) refuse('source', `stream '${shownStreamId(target)}' cannot be merged into itself`)
  const isCustom = policy.startsWith('custom:')
  if (!isCustom && rows.length > 0) refuse('rows', `rows are for the policy custom:<name>, not ${policy}`)
  if (evidence.length > streamLimits.labelsMax)
    refuse('evidence', `${evidence.length} pairs of evidence, more than ${streamLimits.labelsMax}`)
  if (notes.length > streamLimits.labelsMax)
    refuse('note', `${notes.length} notes, more than ${streamLimits.labelsMax}`)
  for (const text of [...notes, ...evidence.map(([, value]) => value)])
    if (text.length > streamLimits.labelValueBytesMax)
      refuse('note', `a note or evidence of more than ${streamLimits.labelValueBytesMax} characters`)
}
