/** Plans what a merge adds, from the commits that it joins: the same when it is made and when it is verified. */
import type { GitPort, Oid } from '../../../git/index.ts'
import {
  type AdoptedRow,
  baseOffsets,
  containedPositions,
  type LineageGraph,
  type MergePlan,
  type MergePolicy,
  type MergeSource,
  mergeBases,
  type OffsetRange,
  type Position,
  planMerge,
  recordTime,
  type StreamId,
  streamLimits,
} from '../../../model/streams/index.ts'
import { UnreadableCommitError } from '../commit-reader.ts'
import type { StreamIdentity } from '../layout.ts'
import type { OnUnread } from '../segment-loader.ts'
import type { StreamReader } from '../stream-reader.ts'
import { identityOf, keyOf, readLineageGraph } from './lineage-graph.ts'

/** Records of a commit's stream below an offset. */
export interface MergedPosition {
  readonly commit: Oid
  readonly offset: number
}

export interface MergeFacts {
  readonly policy: MergePolicy
  /** Null for a new stream. */
  readonly target: MergedPosition | null
  readonly sources: readonly MergedPosition[]
  /** For `custom:…`. */
  readonly rows: readonly AdoptedRow[]
  /** Heads of earlier generations: what they have merged, the later ones do not say. */
  readonly earlier: readonly Oid[]
  /** Whether marks of interleaved rows are needed, which takes reading their records. */
  readonly withMarks: boolean
  /** As merges were made before they left out what the target holds already (docs/format.md#what-a-stream-holds). */
  readonly isByFirstRule?: boolean
}

export interface PlannedMerge {
  readonly plan: MergePlan
  readonly bases: readonly (StreamIdentity & { readonly offset: number })[]
  /** The first new offset of each source. */
  readonly baseOffsets: readonly number[]
}

/** @throws {UnreadableCommitError} when a commit or a record that it needs is unreadable */
export async function planMergeOf(git: GitPort, reader: StreamReader, facts: MergeFacts): Promise<PlannedMerge> {
  const { policy, target, sources, rows, earlier, withMarks, isByFirstRule = false } = facts
  const all = target === null ? sources : [target, ...sources]
  const graph = await readLineageGraph(git, reader.manifests, [...all.map(({ commit }) => commit), ...earlier])
  const identities = new Map<Oid, StreamIdentity>()
  for (const { commit } of all) identities.set(commit, (await reader.manifests.read(commit)).manifest)
  const identify = (commit: Oid) => identities.get(commit) as StreamIdentity
  const positionOf = ({ commit, offset }: MergedPosition) => ({ id: keyOf(identify(commit)), offset })
  const from = baseOffsets(graph, target === null ? null : positionOf(target), sources.map(positionOf))
  const firstIndex = target === null ? 0 : 1
  const merged: MergeSource[] = []
  for (const [index, { commit, offset }] of sources.entries()) {
    const base = from[index] as number
    const oldest = Math.min(offset, await oldestOffset(reader, commit, base))
    const earlier = [...(target === null ? [] : [target]), ...sources.slice(0, index)].map(positionOf)
    const held =
      isByFirstRule || earlier.length === 0 || !leavesOutHeld(policy)
        ? []
        : await heldParts(reader, commit, { from: Math.max(base, oldest), to: offset }, reachOf(graph, earlier))
    merged.push({
      ...{ source: index + firstIndex, streamId: identify(commit).streamId as StreamId },
      ...{ base, offset, oldest, held },
    })
  }
  const times = new Map<number, Float64Array>()
  const starts = new Map<number, number>()
  if (policy === 'interleave') {
    for (const [index, { source, base, oldest, offset }] of merged.entries()) {
      const { commit } = sources[index] as MergedPosition
      const start = Math.min(offset, Math.max(base, oldest))
      times.set(source, withMarks ? await readTimes(reader, commit, start, offset) : new Float64Array(offset - start))
      starts.set(source, start)
    }
  }
  const plan = planMerge({
    ...{ policy, sources: merged, rows, target: target === null ? null : { nextOffset: target.offset } },
    timesOf: ({ source, from: first, to }) => {
      const start = starts.get(source) ?? 0
      return times.get(source)?.subarray(first - start, to - start) ?? []
    },
  })
  // So many pieces do not fit into a commit: then their source is adopted whole.
  if (!isByFirstRule && plan.outcome === 'rows' && plan.rows.length > streamLimits.rowsMax && rows.length === 0)
    return await planMergeOf(git, reader, { ...facts, isByFirstRule: true })
  const bases = mergeBases(graph, all.map(positionOf)).map(({ id, offset }) => ({ ...identityOf(id), offset }))
  return { plan, bases, baseOffsets: from }
}

function leavesOutHeld(policy: MergePolicy): boolean {
  return policy === 'recursive' || policy === 'interleave'
}

/** The greatest offset of each stream that one of the positions contains. */
function reachOf(graph: LineageGraph, positions: readonly Position[]): ReadonlyMap<string, number> {
  const reach = new Map<string, number>()
  for (const position of positions)
    for (const [id, offset] of containedPositions(graph, position)) reach.set(id, Math.max(offset, reach.get(id) ?? 0))
  return reach
}

/**
 * The records of a range whose origin is reached. Only adopted rows are read: what a stream inherits tells its origin.
 *
 * @throws {UnreadableCommitError} when a record is unreadable
 */
async function heldParts(
  reader: StreamReader,
  commit: Oid,
  range: OffsetRange,
  reach: ReadonlyMap<string, number>,
): Promise<readonly OffsetRange[]> {
  const held: { from: number; to: number }[] = []
  const hold = (from: number, to: number) => {
    const last = held.at(-1)
    if (last !== undefined && last.to === from) last.to = to
    else if (from < to) held.push({ from, to })
  }
  if (range.from >= range.to) return held
  const { manifest } = await reader.manifests.read(commit)
  for (const { owner, firstOffset, to: end, adopted } of await reader.layoutOf(commit).spansOf(range.from, range.to)) {
    const [from, to] = [Math.max(firstOffset, range.from), Math.min(end, range.to)]
    if (adopted === null) {
      hold(from, Math.min(to, Math.max(from, reach.get(keyOf(owner)) ?? 0)))
      continue
    }
    for await (const records of reader.read(commit, manifest, { from, to }, refuseUnread))
      for (const { offset, origin } of records)
        if (origin !== null && origin.offset < (reach.get(keyOf(origin)) ?? 0)) hold(offset, offset + 1)
  }
  return held
}

const refuseUnread: OnUnread = ({ objectId, reason }) => {
  throw new UnreadableCommitError(objectId, reason)
}

/** @throws {UnreadableCommitError} when the stream of the commit cannot be followed down to an offset that it may hold */
async function oldestOffset(reader: StreamReader, commit: Oid, base: number): Promise<number> {
  const oldest = await reader.oldestOffsetOf(commit)
  const { broken } = reader.layoutOf(commit)
  if (broken !== null && broken.below > base) throw new UnreadableCommitError(broken.objectId, broken.reason)
  return oldest
}

/** @throws {UnreadableCommitError} when a record is unreadable */
export async function readTimes(reader: StreamReader, commit: Oid, from: number, to: number): Promise<Float64Array> {
  const times = new Float64Array(Math.max(0, to - from))
  const { manifest } = await reader.manifests.read(commit)
  for await (const records of reader.read(commit, manifest, { from, to }, refuseUnread))
    for (const { offset, bytes } of records) times[offset - from] = recordTime(bytes, 0)
  return times
}
