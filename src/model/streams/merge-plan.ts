/** What a merge adds, as rows (docs/format.md#what-a-stream-holds). */
import { compareText } from '../compare.ts'
import type { MergePolicy } from './acts.ts'
import type { AdoptedRange, AdoptedRow } from './adopted-rows.ts'
import { streamLimits } from './stream-limits.ts'

export interface MergeSource {
  /** Index of its containing commit among the parents of the merge. */
  readonly source: number
  readonly streamId: string
  /** Its records below are known already; see `baseOffsets`. */
  readonly base: number
  /** Up to which it is merged. */
  readonly offset: number
  /** The oldest offset that it holds: above 0 after retention. */
  readonly oldest: number
  /**
   * Its records above `base` that the target, or an earlier source, holds although not from it: they came from there, or
   * from a stream that both have merged. Ascending, and apart from each other.
   */
  readonly held: readonly OffsetRange[]
}

/** Records from one offset up to, not including, another. */
export interface OffsetRange {
  readonly from: number
  readonly to: number
}

export interface MergeRequest {
  readonly policy: MergePolicy
  /** The next offset of the stream that is merged into; null for a new stream. */
  readonly target: { readonly nextOffset: number } | null
  readonly sources: readonly MergeSource[]
  /** For `interleave`: the timestamps of a source's records in a range, by ascending offset. */
  readonly timesOf: (range: AdoptedRange) => Iterable<number>
  /** For `custom:…`. */
  readonly rows: readonly AdoptedRow[]
}

export type MergePlan =
  | { readonly outcome: 'rows'; readonly rows: readonly AdoptedRow[] }
  | { readonly outcome: 'refused'; readonly reason: 'several-sources' | 'target-has-records' | 'source-was-cut' }

/** @returns rows that are not empty; none for a merge that adds nothing */
export function planMerge(request: MergeRequest): MergePlan {
  const { policy, target, sources } = request
  const [first] = sources
  if (first === undefined) throw new RangeError('a merge has a source')
  switch (policy) {
    case 'fast-forward':
      if (sources.length > 1) return { outcome: 'refused', reason: 'several-sources' }
      if (target === null) return plan([whole(first)])
      if (target.nextOffset !== first.base) return { outcome: 'refused', reason: 'target-has-records' }
      if (first.oldest > first.base) return { outcome: 'refused', reason: 'source-was-cut' }
      return plan([aboveBase(first)])
    case 'recursive':
      return plan(target === null ? [whole(first), ...sources.slice(1).flatMap(fresh)] : sources.flatMap(fresh))
    case 'interleave': {
      const row = interleaveRow(request)
      const below = target === null ? ranges([{ ...whole(first), to: first.base }]) : []
      return { outcome: 'rows', rows: [...below, ...(row === undefined ? [] : [row])] }
    }
    case 'ours':
      return plan(target === null ? [whole(first)] : [])
    default:
      return { outcome: 'rows', rows: request.rows }
  }
}

function whole({ source, oldest, offset }: MergeSource): AdoptedRange {
  return { source, from: oldest, to: offset }
}

function aboveBase({ source, base, oldest, offset }: MergeSource): AdoptedRange {
  return { source, from: Math.max(base, oldest), to: offset }
}

/** What a source adds: at least one range, perhaps an empty one. */
function fresh(merged: MergeSource): AdoptedRange[] {
  const { source, from, to } = aboveBase(merged)
  const found: AdoptedRange[] = []
  let at = from
  for (const held of merged.held) {
    if (held.from > at) found.push({ source, from: at, to: held.from })
    at = Math.max(at, held.to)
  }
  return at < to || found.length === 0 ? [...found, { source, from: at, to }] : found
}

/** A row interleaves one range of each source: held records between new ones are adopted again. */
function freshAtOnce(merged: MergeSource): AdoptedRange {
  const all = fresh(merged)
  return { source: merged.source, from: (all[0] as AdoptedRange).from, to: (all.at(-1) as AdoptedRange).to }
}

function plan(all: readonly AdoptedRange[]): MergePlan {
  return { outcome: 'rows', rows: ranges(all) }
}

function ranges(all: readonly AdoptedRange[]): AdoptedRow[] {
  return all.filter(({ from, to }) => to > from).map((range) => ({ kind: 'range', ...range }))
}

function interleaveRow({ sources, timesOf }: MergeRequest): AdoptedRow | undefined {
  const open = sources.map((source) => ({ ...freshAtOnce(source), streamId: source.streamId }))
  return interleavedRow(open.map((range) => ({ ...range, times: timesOf(range) })))
}

/** A range with the times of its records. */
export interface TimedRange extends AdoptedRange {
  readonly streamId: string
  readonly times: Iterable<number>
}

/** The row that interleaves the ranges with records: a plain one for a single range, none without records. */
export function interleavedRow(ranges: readonly TimedRange[]): AdoptedRow | undefined {
  const open = ranges.filter(({ from, to }) => to > from)
  const all = open.map(({ source, from, to }) => ({ source, from, to }))
  const [only] = all
  if (only === undefined) return undefined
  if (all.length === 1) return { kind: 'range', ...only }
  const next = all.map(({ from }) => from)
  const marks: number[][] = []
  let count = 0
  for (const index of interleave(open)) {
    if (count > 0 && count % streamLimits.interleaveMarkRecords === 0) marks.push([...next])
    next[index] = (next[index] as number) + 1
    count++
  }
  return { kind: 'interleave', ranges: all, marks }
}

/** Compares the next records of two ranges in an interleaved row. Of the same stream, the lower offset is first. */
export function compareInterleaved(
  left: { readonly time: number; readonly streamId: string; readonly offset: number },
  right: { readonly time: number; readonly streamId: string; readonly offset: number },
): number {
  return left.time - right.time || compareText(left.streamId, right.streamId) || left.offset - right.offset
}

/** Yields, for each record of an interleaved row, the index of its range. */
export function* interleave(
  streams: readonly { readonly streamId: string; readonly times: Iterable<number> }[],
): Generator<number> {
  const heads = streams.flatMap(({ streamId, times }, index) => {
    const rest = times[Symbol.iterator]()
    const { value, done } = rest.next()
    return done === true ? [] : [{ index, streamId, rest, time: value, offset: 0 }]
  })
  while (heads.length > 0) {
    let best = heads[0] as (typeof heads)[number]
    for (const head of heads) if (compareInterleaved(head, best) < 0) best = head
    yield best.index
    const { value, done } = best.rest.next()
    if (done === true) heads.splice(heads.indexOf(best), 1)
    else {
      best.time = value
      best.offset++
    }
  }
}
