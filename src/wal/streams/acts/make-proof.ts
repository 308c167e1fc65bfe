/** Makes the proof that a record is in a stream (docs/format.md#proof-of-a-record). */
import type { Oid } from '../../../git/index.ts'
import { NotFoundError } from '../../../model/index.ts'
import {
  type AdoptedRow,
  compareInterleaved,
  countOfRow,
  encodeRow,
  KnownNodes,
  leafOfRecord,
  type Manifest,
  nextOffsetOf,
  ownEntriesOf,
  type ProofFacts,
  type ProofStep,
  pathOf,
  type StreamId,
  shownStreamId,
  streamLimits,
} from '../../../model/streams/index.ts'
import { type ReadManifest, UnreadableCommitError } from '../commit-reader.ts'
import type { Span } from '../layout.ts'
import { sourceRootsOf } from './act-manifest.ts'
import { type ActPlace, requireReadable } from './act-place.ts'
import { ownSubtreesOf, parentRootsOf, walkChain } from './chain.ts'
import { readTimes } from './merge-rows.ts'

/** Streams through which a record may have come. */
const stepsMax = 4096

/** A proof for the root of the sealed head. @throws {NotFoundError} for an offset that is not sealed */
export async function makeProof(at: ActPlace, streamId: StreamId, offset: number): Promise<ProofFacts> {
  const head = await at.heads.require(streamId)
  return await requireReadable(streamId, async () => {
    const steps: ProofStep[] = []
    let next: Place = { commit: head.commit, offset }
    for (;;) {
      const step = await makeStep(at, next)
      if (step === null) throw notThere(streamId, offset, head.manifest)
      steps.push(step.step)
      if (step.record !== null) {
        const { incarnation } = head.manifest
        return { streamId, incarnation, offset, steps, record: step.record }
      }
      if (steps.length >= stepsMax) throw new UnreadableCommitError(next.commit, `record ${offset} has no origin`)
      next = step.next
    }
  })
}

interface Place {
  readonly commit: Oid
  /** In the stream of the commit. */
  readonly offset: number
}

type Step =
  | { readonly step: ProofStep; readonly record: Uint8Array }
  | { readonly step: ProofStep; readonly record: null; readonly next: Place }

async function makeStep(at: ActPlace, { commit, offset }: Place): Promise<Step | null> {
  const { manifests } = at.reader
  const { manifest } = await manifests.read(commit)
  const [span] = await at.reader.layoutOf(commit).spansOf(offset, offset + 1)
  if (span === undefined || offset < span.firstOffset) return null
  const { streamId, incarnation, lineage, entries, peaks } = manifest
  const shared = { streamId, incarnation, kind: lineage.kind, parents: lineage.parents, entries, peaks }
  if (span.owner.streamId !== streamId || span.owner.incarnation !== incarnation) {
    const parent = await firstParentOf(at, commit)
    return { step: { ...shared, found: null }, record: null, next: { commit: parent, offset } }
  }
  const found = await manifests.read(span.commit)
  const before = found.manifest.entries - ownEntriesOf(found.manifest)
  const known = await knownNodes(at, commit, found)
  if (span.adopted === null) {
    const records = (await manifests.readSegment(found)).all()
    known.addLeaves(before, records.map(leafOfRecord))
    const entry = before + offset - span.firstOffset
    const path = pathOf(entry, entries, known)
    const record = records[offset - span.firstOffset] as Uint8Array
    return { step: { ...shared, found: { entry, path, adopted: null } }, record }
  }
  const { row, index, skip } = findRow(span, offset)
  const entry = before + index
  const sourceRoots = sourceRootsOf(row, await parentRootsOf(manifests, found))
  const adopted = { row: encodeRow(row), sourceRoots }
  const next = await findInRow(at, row, span.adopted.parents, skip)
  return { step: { ...shared, found: { entry, path: pathOf(entry, entries, known), adopted } }, record: null, next }
}

/** Where a branch begins: the commit of its parent. */
async function firstParentOf({ place, reader }: ActPlace, commit: Oid): Promise<Oid> {
  let parent: Oid | undefined
  for await (const link of walkChain(place.git, reader.manifests, commit)) parent = link.parents[0]
  if (parent === undefined) throw new UnreadableCommitError(commit, `no commit before ${commit} begins its stream`)
  return parent
}

/** Peaks before the commit with the entry, and the subtrees of it and of all later ones. */
async function knownNodes({ place, reader }: ActPlace, head: Oid, entryAt: ReadManifest): Promise<KnownNodes> {
  const known = new KnownNodes()
  const { manifests } = reader
  for await (const { commit, parents, hints } of walkChain(place.git, manifests, head)) {
    // A commit without content adds no entry.
    if (hints?.count !== 0 || commit === entryAt.commit) {
      const found = await manifests.read(commit)
      const own = ownEntriesOf(found.manifest)
      const first = found.manifest.entries - own
      const { leaves, subtrees } = await ownSubtreesOf(manifests, found)
      if (leaves !== null) known.addLeaves(first, leaves)
      if (subtrees !== null) known.addSubtrees(first, own, subtrees)
    }
    if (commit !== entryAt.commit) continue
    const [parent] = parents
    if (parent !== undefined && entryAt.manifest.commitCount > 1) {
      const { manifest } = await manifests.read(parent)
      known.addPeaks(manifest.entries, manifest.peaks)
    }
    return known
  }
  return known
}

function findRow({ firstOffset, adopted }: Span, offset: number) {
  let start = firstOffset
  for (const [index, row] of (adopted?.rows ?? []).entries()) {
    const count = countOfRow(row)
    if (offset < start + count) return { row, index, skip: offset - start }
    start += count
  }
  throw new RangeError(`offset ${offset} is in no row`)
}

/** The record of a row after some others. */
async function findInRow(at: ActPlace, row: AdoptedRow, parents: readonly Oid[], skip: number): Promise<Place> {
  if (row.kind === 'range') return { commit: parents[row.source] as Oid, offset: row.from + skip }
  const every = streamLimits.interleaveMarkRecords
  const passed = Math.floor(skip / every)
  const starts = passed === 0 ? row.ranges.map(({ from }) => from) : (row.marks[passed - 1] as readonly number[])
  const rest = skip - passed * every
  const open = []
  for (const [index, { source, to }] of row.ranges.entries()) {
    const commit = parents[source] as Oid
    const { manifest } = await at.reader.manifests.read(commit)
    const from = starts[index] as number
    // No range gives more than all records of the row up to this one.
    const times = await readTimes(at.reader, commit, from, Math.min(to, from + rest + 1))
    open.push({ commit, streamId: manifest.streamId, from, times, at: 0 })
  }
  for (let taken = 0; ; taken++) {
    const ready = open
      .filter((range) => range.at < range.times.length)
      .map((range) => ({
        range,
        time: range.times[range.at] as number,
        streamId: range.streamId,
        offset: range.from + range.at,
      }))
    const [first, ...others] = ready
    if (first === undefined) throw new RangeError(`record ${skip} is in no range`)
    const best = others.reduce((least, other) => (compareInterleaved(other, least) < 0 ? other : least), first)
    if (taken === rest) return { commit: best.range.commit, offset: best.offset }
    best.range.at++
  }
}

function notThere(streamId: StreamId, offset: number, manifest: Manifest): NotFoundError {
  const sealed = nextOffsetOf(manifest)
  const why = offset >= sealed ? `sealed are those below ${sealed}` : 'retention has removed it'
  return new NotFoundError(`stream '${shownStreamId(streamId)}' has no sealed record at offset ${offset}: ${why}`, {
    details: { stream: streamId, offset, sealed_offset: sealed },
    hints: offset >= sealed ? ['Run `grite stream seal` first'] : [],
  })
}
