/** Merges: the answer says which ranges are added; that these are the right ones, and what is read then, the data say. */
import assert from 'node:assert/strict'
import type { MergePolicy, StreamId } from '../../../../src/model/streams/index.ts'
import type { MergeResult, MergeStreams } from '../../../../src/wal/streams/index.ts'
import { id } from '../store-setup.ts'
import { endOf, type Head, keyOf, knownOf, namesOf, newestOf, nextOf, type Rec, whole } from './state.ts'
import { type Act, begin, isTaken, moveOn, planned, refusals, type Turn } from './turn.ts'

type CustomRows = MergeStreams['rows']

interface Source {
  readonly head: Head
  /** Merged up to, not including, this offset. */
  readonly below: number
}

function merge(turn: Turn, policy: MergePolicy, into: 'new' | 'existing'): (() => Promise<void>) | null {
  const { clone, store, step, view } = turn
  const target = into === 'new' ? id(`s${step.at % 6}`) : turn.name
  const names = namesOf(clone).filter((name) => name !== target && newestOf(clone, name)?.head.state === 'live')
  const chosen = [names[step.other % names.length], names[(step.other + 1 + step.at) % names.length]]
  const sources = [...new Set(chosen)].slice(0, 1 + (step.count % 2)).flatMap((name): Source[] => {
    const found = name === undefined ? null : newestOf(clone, name)
    if (found === null) return []
    const head = whole(found)
    return [{ head, below: step.at % 3 === 0 ? Math.max(head.first, endOf(found) - 1) : endOf(found) }]
  })
  if (sources.length === 0) return null
  const rows = policy.startsWith('custom:') ? customRows(sources, step.at) : []
  const old = into === 'new' ? null : whole(view)
  return planned({
    do: () =>
      store.acts.merge(target, {
        ...{ policy, into, rows, preview: false, actor: null, reason: null, labels: [], evidence: [], notes: [] },
        sources: sources.map(({ head, below }) => ({ streamId: head.name, below })),
      }),
    refused: into === 'new' ? [isTaken(clone, target) && 'conflict'] : refusals(turn),
    mayRefuse: [policy === 'fast-forward' && 'conflict'],
    expect: (answer) => {
      const added = expand(answer, sources)
      assert.equal(answer.records, added.length)
      assert.equal(answer.firstOffset, old === null ? 0 : nextOf(old))
      checkRows(answer, sources, old)
      const from = answer.firstOffset + added.length
      const joins = sources.map(({ head, below }) => ({ kind: 'merge' as const, from, of: head, below, isKnown: true }))
      const made = answer.stream ?? assert.fail('it was no preview')
      if (old === null) return begin(turn, made, { first: 0, records: added, joins })
      moveOn(turn, view, { records: [...old.records, ...added], joins: [...old.joins, ...joins] })
    },
  })
}

/** A range of each source, or both interleaved. */
function customRows(sources: readonly Source[], at: number): CustomRows {
  const ranges = sources.flatMap(({ head, below }) => {
    const from = Math.min(head.first + (at % 2), below - 1)
    return from < head.first ? [] : [{ streamId: head.name, from, to: below }]
  })
  return ranges.length === 2 && at % 4 === 0 ? [{ interleave: ranges }] : ranges
}

function expand({ rows }: MergeResult, sources: readonly Source[]): readonly Rec[] {
  return rows.flatMap(({ ranges, records }) => {
    const found = ranges.flatMap(({ streamId, from, to }) => {
      const { head, below } = sourceOf(sources, streamId)
      assert.ok(from >= head.first && from < to && to <= nextOf(head))
      return head.records
        .slice(from - head.first, to - head.first)
        .map((rec, index) => ({ rec, streamId, holder: holderOf(head, below), offset: from + index }))
    })
    assert.equal(found.length, records)
    // The record with the smallest time is next, but never before those of its own stream.
    const waiting = ranges.map(({ streamId }) => found.filter((each) => each.streamId === streamId))
    return found.map(() => {
      const first = waiting
        .filter((list) => list.length > 0)
        .reduce((best, list) => (compare(list[0] as Found, best[0] as Found) < 0 ? list : best))
      return (first.shift() as Found).rec
    })
  })
}

/** The stream whose commit is merged: what a branch has below its fork is in commits of its parent. */
function holderOf({ name, joins }: Head, below: number): StreamId {
  const fork = joins.find(({ kind, from }) => kind === 'fork' && below <= from)
  return fork === undefined ? name : holderOf(fork.of, below)
}

interface Found {
  readonly rec: Rec
  readonly streamId: StreamId
  readonly holder: StreamId
  readonly offset: number
}

function compare(left: Found, right: Found): number {
  const order = Buffer.compare(Buffer.from(left.holder), Buffer.from(right.holder))
  return left.rec.tsUnixMs - right.rec.tsUnixMs || order || left.offset - right.offset
}

function sourceOf(sources: readonly Source[], streamId: StreamId): Source {
  return sources.find(({ head }) => head.name === streamId) ?? assert.fail(`${streamId} is no source`)
}

/** Nothing new is left out, and nothing known is added again. */
function checkRows({ policy, rows }: MergeResult, sources: readonly Source[], old: Head | null): void {
  const [first] = sources as readonly [Source]
  const taken = (name: StreamId) =>
    rows
      .flatMap(({ ranges }) => ranges)
      .filter(({ streamId }) => streamId === name)
      .flatMap(({ from, to }) => Array.from({ length: to - from }, (_, index) => from + index))
  const all = ({ head, below }: Source) => Array.from({ length: below - head.first }, (_, index) => head.first + index)
  if (policy.startsWith('custom:')) return
  if (policy === 'ours' || policy === 'fast-forward') {
    const added =
      old === null ? all(first) : policy === 'ours' ? [] : all(first).filter((offset) => offset >= nextOf(old))
    assert.deepEqual(taken(first.head.name), added)
    return
  }
  for (const [index, source] of sources.entries()) {
    const { head } = source
    const offsets = taken(head.name)
    if (old === null && index === 0) {
      assert.deepEqual(offsets, all(source))
      continue
    }
    const earlier = sources.slice(0, index).map((each) => knownOf(each.head, each.below, false))
    const known = old === null ? earlier : [knownOf(old, nextOf(old), true), ...earlier]
    const isIn = (set: 'least' | 'most', offset: number) =>
      known.some((each) => each[set].has(keyOf((head.records[offset - head.first] as Rec).origin)))
    for (const offset of all(source))
      assert.ok(offsets.includes(offset) || isIn('most', offset), `${head.name}@${offset} is left out`)
    const judged = policy === 'interleave' ? [...new Set([offsets.at(0), offsets.at(-1)])] : offsets
    for (const offset of judged)
      assert.ok(offset === undefined || !isIn('least', offset), `${head.name}@${offset} is added again`)
  }
}

const policies = [
  ['recursive', 4],
  ['interleave', 3],
  ['fast-forward', 2],
  ['ours', 2],
  ['custom:test', 2],
] as const

export const mergeActs: readonly Act[] = policies.flatMap(([policy, weight]) =>
  (['existing', 'new'] as const).map((into) => ({
    name: `merge ${policy} into ${into}`,
    weight: into === 'new' ? 1 : weight,
    plan: (turn: Turn) => merge(turn, policy, into),
  })),
)
