/** Random facts of record streams for property tests. */
import fc from 'fast-check'
import { type ActorId, formatHex } from '../../../src/model/index.ts'
import {
  type Act,
  type AdoptedRow,
  type CloneId,
  countOfRow,
  type Incarnation,
  type Lineage,
  leafOfRecord,
  type Manifest,
  PeakList,
  type StreamId,
  type StreamRecord,
  streamLimits,
  subtreesOf,
} from '../../../src/model/streams/index.ts'
import { text } from '../arbitraries.ts'

/** A plain object of these members. */
function recordOf<Model>(model: { [Key in keyof Model]: fc.Arbitrary<Model[Key]> }): fc.Arbitrary<Model> {
  return fc.record(model, { noNullPrototype: true })
}

const hexOf = <Id extends string>(length: number): fc.Arbitrary<Id> =>
  bytesOf(length).map((bytes) => formatHex(bytes) as Id)
const bytesOf = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
const orNull = <Value>(value: fc.Arbitrary<Value>): fc.Arbitrary<Value | null> => fc.option(value, { nil: null })

/** Numbers around the widths of CBOR, and few other large ones. */
export const number = fc.oneof(
  fc.constantFrom(0, 1, 23, 24, 255, 256, 65_535, 65_536, 0xffff_ffff, 0x1_0000_0000),
  fc.nat(),
  fc.nat({ max: 2 ** 52 }),
)
export const streamId = fc.oneof(
  fc.constantFrom('build/42', '../..', 'Ä b', '😀', '\0\n', '%2F@7', '-', 'x'.repeat(512)),
  text.filter((id) => /\S/.test(id)),
) as fc.Arbitrary<StreamId>
const actor = orNull(hexOf<ActorId>(16))
const reason = orNull(text)
const bytes = fc.uint8Array({ maxLength: 300 })
const pairs = <Value>(value: fc.Arbitrary<Value>) =>
  fc.uniqueArray(fc.tuple(text, value), { maxLength: 4, selector: ([name]) => name })

export const anyRecord: fc.Arbitrary<StreamRecord> = recordOf({
  tsUnixMs: fc.oneof(number, fc.constant(Number.MAX_SAFE_INTEGER)),
  writer: actor,
  key: orNull(bytes),
  contentType: orNull(fc.oneof(text, fc.string({ minLength: 60, maxLength: 70 }))),
  headers: pairs(fc.oneof(text, bytes)),
  producer: orNull(recordOf({ id: text.filter((id) => id !== ''), sequence: number })),
  payload: bytes,
})

const position = { streamId, incarnation: hexOf<Incarnation>(8), offset: number }
const parent = recordOf({ ...position, root: hexOf<string>(32) })
const policy = recordOf({ maxAgeMs: orNull(number), maxBytes: orNull(number), maxCount: orNull(number) }).filter(
  (limits) => Object.values(limits).some((limit) => limit !== null),
)
const metadata = recordOf({ createdTs: number, actor, reason, labels: pairs(text), retention: orNull(policy) })
const lineage = fc.oneof(
  metadata.map((facts): Lineage => ({ kind: 'root', parents: [], metadata: facts })),
  fc.tuple(parent, metadata).map(([one, facts]): Lineage => ({ kind: 'branch', parents: [one], metadata: facts })),
  fc
    .tuple(fc.array(parent, { minLength: 1, maxLength: 4 }), metadata)
    .map(([parents, facts]): Lineage => ({ kind: 'merge', parents, metadata: facts })),
)

const range = recordOf({ source: fc.nat({ max: 4 }), from: number, length: fc.integer({ min: 1, max: 6000 }) }).map(
  ({ source, from, length }) => ({ source, from, to: from + length }),
)
const row: fc.Arbitrary<AdoptedRow> = fc.oneof(
  range.map((one) => ({ kind: 'range' as const, ...one })),
  fc.array(range, { minLength: 1, maxLength: 3 }).map((ranges) => ({
    kind: 'interleave' as const,
    ranges,
    marks: marksOf(ranges),
  })),
)

/** Marks of ranges that are read one after the other. */
function marksOf(ranges: readonly { readonly from: number; readonly to: number }[]): number[][] {
  const every = streamLimits.interleaveMarkRecords
  const total = ranges.reduce((count, { from, to }) => count + to - from, 0)
  return Array.from({ length: Math.floor((total - 1) / every) }, (_, index) => {
    let rest = (index + 1) * every
    return ranges.map(({ from, to }) => {
      const taken = Math.min(rest, to - from)
      rest -= taken
      return from + taken
    })
  })
}

const deed = { ts: number, actor, reason }
const merge: fc.Arbitrary<Act> = recordOf({
  name: fc.constant('merge' as const),
  ...deed,
  policy: fc.constantFrom('fast-forward', 'recursive', 'interleave', 'ours', 'custom:mine'),
  offsets: fc.array(number, { maxLength: 3 }),
  bases: fc.array(recordOf(position), { maxLength: 3 }),
  evidence: pairs(text),
  notes: fc.array(text, { maxLength: 3 }),
})
const bareAct: fc.Arbitrary<Act> = fc.oneof(
  recordOf({ name: fc.constant('takeover' as const), ...deed, previousEpoch: number }),
  recordOf({
    name: fc.constant('checkpoint' as const),
    ...deed,
    kind: text,
    key: orNull(bytesOf(32)),
    signature: orNull(bytesOf(64)),
  }),
  recordOf({
    name: fc.constant('carry' as const),
    ...deed,
    previousGeneration: number,
    previousRoot: bytesOf(32),
    cutEntry: number,
  }),
  recordOf({ name: fc.constant('continued' as const), ...deed, nextGeneration: number }),
  recordOf({ name: fc.constant('tombstone' as const), ...deed }),
)

const frame = {
  streamId,
  incarnation: hexOf<Incarnation>(8),
  generation: number,
  epoch: recordOf({ number: number.map((epoch) => epoch + 1), owner: hexOf<CloneId>(16) }),
  lineage,
  commitCount: number.map((count) => count + 1),
  firstOffset: number,
}

/** Peaks and subtrees of random leaves. */
function tree(before: number, own: number) {
  const leaves = Array.from({ length: before + own }, (_, index) => leafOfRecord(Uint8Array.of(index)))
  const list = PeakList.empty()
  for (const leaf of leaves) list.append(leaf)
  return { entries: list.entries, peaks: list.peaks, subtrees: subtreesOf(before, leaves.slice(before)) }
}

const sealing: fc.Arbitrary<Manifest> = recordOf({
  ...frame,
  before: fc.nat({ max: 40 }),
  count: fc.integer({ min: 1, max: 20 }),
  codec: fc.constantFrom('plain' as const, 'zstd' as const),
  rawSize: number,
  crc32c: fc.integer({ min: 0, max: 0xffff_ffff }),
  sha256: bytesOf(32),
  act: fc.constantFrom(null, { name: 'genesis' as const }),
  producers: fc.uniqueArray(text, { maxLength: 3 }),
}).map(({ before, count, codec, rawSize, crc32c, sha256, producers, ...facts }) => {
  const { subtrees, ...peaks } = tree(before, count)
  const storedSize = codec === 'plain' ? rawSize : Math.floor(rawSize / 2)
  const row = { codec, rawSize, storedSize, crc32c, sha256, subtrees }
  const shown = producers.slice(0, count).map((id, index) => ({ id, sequence: 7, offset: facts.firstOffset + index }))
  return { ...facts, ...peaks, count, content: { kind: 'segment', row }, producers: shown }
})
const merging: fc.Arbitrary<Manifest> = recordOf({
  ...frame,
  rows: fc.array(row, { minLength: 1, maxLength: 4 }),
  act: merge,
}).map(({ rows, ...facts }) => {
  const { entries, peaks } = tree(3, rows.length)
  const count = rows.reduce((sum, one) => sum + countOfRow(one), 0)
  return { ...facts, entries, peaks, count, content: { kind: 'rows', rows }, producers: [] }
})
const acting: fc.Arbitrary<Manifest> = recordOf({ ...frame, act: orNull(fc.oneof(bareAct, merge)) }).map((facts) => {
  const { entries, peaks } = tree(5, 0)
  return { ...facts, entries, peaks, count: 0, content: null, producers: [] }
})
export const anyManifest = fc.oneof(sealing, merging, acting)
