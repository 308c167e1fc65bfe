/** Proofs that a record is in a stream (docs/format.md#proof-of-a-record), checked by hashing alone. */
import { parseForeignJson } from '../foreign/parse-json.ts'
import { type Shape, shape } from '../foreign/shapes.ts'
import { formatHex } from '../hex.ts'
import { type AdoptedRow, rangesOfRow, readRow } from './adopted-rows.ts'
import { CborReader } from './cbor-reader.ts'
import { StreamFormatError } from './format-error.ts'
import { type LineageKind, type LineageParent, lineageDigest, lineageKinds } from './lineage-facts.ts'
import { checkPath, leafOfRecord, leafOfRow, rootOf, sameBytes } from './merkle.ts'
import { decodeRecord, type StreamRecord } from './record.ts'
import { bytesOfHex, type Incarnation, isStreamId, type StreamId } from './stream-id.ts'
import { streamLimits } from './stream-limits.ts'

/** What one stream contributes to a proof. */
export interface ProofStep {
  readonly streamId: StreamId
  readonly incarnation: Incarnation
  readonly kind: LineageKind
  readonly parents: readonly LineageParent[]
  readonly entries: number
  /** All peaks, from high to low. */
  readonly peaks: readonly Uint8Array[]
  /** Null for an inherited record: the next step is about the parent. */
  readonly found: {
    readonly entry: number
    /** Sibling hashes from the leaf up to its peak. */
    readonly path: readonly Uint8Array[]
    /** For an adopted record: the row, and the roots of its sources. */
    readonly adopted: { readonly row: Uint8Array; readonly sourceRoots: readonly Uint8Array[] } | null
  } | null
}

export interface ProofFacts {
  readonly streamId: StreamId
  readonly incarnation: Incarnation
  readonly offset: number
  readonly steps: readonly ProofStep[]
  /** As stored. */
  readonly record: Uint8Array
}

/** The document of a proof, to be written as JSON. */
export function proofDocument({ streamId, incarnation, offset, steps, record }: ProofFacts) {
  return {
    schema_version: 1,
    stream: streamId,
    incarnation,
    offset,
    steps: steps.map(stepDocument),
    record: toBase64(record),
  }
}

function stepDocument(step: ProofStep) {
  const { streamId, incarnation, kind, parents, entries, peaks, found } = step
  const adopted = found?.adopted ?? null
  const hexes = (hashes: readonly Uint8Array[]) => hashes.map((hash) => formatHex(hash))
  return {
    stream: streamId,
    incarnation,
    kind,
    parents: parents.map((parent) => [parent.streamId, parent.incarnation, parent.offset, parent.root]),
    entries,
    entry: found?.entry ?? null,
    path: found === null ? null : hexes(found.path),
    peaks: hexes(peaks),
    ...(adopted === null ? {} : { row: formatHex(adopted.row), row_sources: hexes(adopted.sourceRoots) }),
    root: formatHex(rootOfStep(step)),
  }
}

function rootOfStep({ streamId, incarnation, kind, parents, entries, peaks }: ProofStep): Uint8Array {
  return rootOf(lineageDigest(streamId, incarnation, { kind, parents }), entries, peaks)
}

function toBase64(bytes: Uint8Array): string {
  let text = ''
  for (let start = 0; start < bytes.length; start += 8192)
    text += String.fromCharCode(...bytes.subarray(start, start + 8192))
  return btoa(text)
}

function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
}

export type ProofVerdict =
  | {
      readonly valid: true
      readonly streamId: StreamId
      readonly incarnation: Incarnation
      readonly offset: number
      /** What the hashes say of the offset: it lies between these, both included. `to` is null where nothing bounds it. */
      readonly offsets: { readonly from: number; readonly to: number | null }
      /** 64 hex: to be compared with a root that the reader trusts. */
      readonly root: string
      readonly record: StreamRecord
    }
  | { readonly valid: false; readonly reason: string }

/** What the reader trusts beside a root. */
export interface TrustedFacts {
  /** The next offset that goes with the root, as a checkpoint states it. */
  readonly nextOffset?: number | undefined
}

/**
 * Checks a proof. A valid proof says that the record is in the stream with this root; whether to trust the root is up
 * to the caller.
 *
 * @param json - text of the document
 */
export function verifyProof(json: string, trusted: TrustedFacts = {}): ProofVerdict {
  const { value, problem } = parseForeignJson(json, proofShape, {
    name: 'the proof',
    sizeMax: proofLengthMax,
    depthMax: 6,
  })
  if (value === null) return { valid: false, reason: problem.message }
  try {
    return verifyFacts(value, trusted)
  } catch (error) {
    if (error instanceof StreamFormatError) return { valid: false, reason: error.message }
    throw error
  }
}

type ForeignProof = Exclude<ReturnType<typeof proofShape>, { expected: string }>
type ForeignStep = ForeignProof['steps'][number]

function verifyFacts(proof: ForeignProof, { nextOffset }: TrustedFacts): ProofVerdict {
  const record = fromBase64(proof.record)
  const decoded = decodeRecord(record)
  const steps = proof.steps.map(readStep)
  const first = steps[0]
  if (first === undefined || first.streamId !== proof.stream || first.incarnation !== proof.incarnation)
    return { valid: false, reason: 'the first step is about another stream' }
  for (const [index, step] of steps.entries()) {
    const fault = findStepFault(step, steps[index + 1], record)
    if (fault !== undefined) return { valid: false, reason: `step ${index + 1}: ${fault}` }
  }
  const fault = findOffsetFault(steps, proof.offset)
  if (fault !== undefined) return { valid: false, reason: fault }
  const { from, to } = offsetsOf(first, nextOffset ?? null)
  if (to !== null && proof.offset > to)
    return { valid: false, reason: `offset ${proof.offset} is above ${to}, the greatest one that its entry can have` }
  const { streamId, incarnation, root } = first
  const { offset } = proof
  return { valid: true, streamId, incarnation, offset, offsets: { from, to }, root: formatHex(root), record: decoded }
}

/**
 * The offsets that the record of a step can have in its stream. Every entry before it has at least one record, and so has
 * every entry after it; rows may have more.
 */
function offsetsOf({ kind, parents, entries, found }: ProofStep, nextOffset: number | null) {
  const base = kind === 'branch' ? (parents[0]?.offset ?? 0) : 0
  if (found === null) return { from: 0, to: base - 1 }
  return { from: base + found.entry, to: nextOffset === null ? null : nextOffset - (entries - found.entry) }
}

/** Follows the offset through the steps: an inherited record keeps it, and a row says from where it takes its records. */
function findOffsetFault(steps: readonly ReadStep[], offset: number): string | undefined {
  let [low, high] = [offset, offset]
  for (const [index, step] of steps.entries()) {
    const { from, to } = offsetsOf(step, null)
    ;[low, high] = [Math.max(low, from), Math.min(high, to ?? high)]
    if (low > high) {
      const words = to === null ? `offset ${from} or later` : `an offset below ${to + 1}`
      return `step ${index + 1}: the record has ${words}, not one that the step before it allows`
    }
    const { adopted } = step.found ?? { adopted: null }
    const next = steps[index + 1]
    if (adopted === null || next === undefined) continue
    const ranges = rangesOfRow(decodeRow(adopted.row)).filter((_range, at) =>
      sameBytes(adopted.sourceRoots[at] as Uint8Array, next.root),
    )
    low = Math.min(...ranges.map((range) => range.from))
    high = Math.max(...ranges.map((range) => range.to)) - 1
  }
  return undefined
}

interface ReadStep extends ProofStep {
  readonly root: Uint8Array
}

function findStepFault(step: ReadStep, next: ReadStep | undefined, record: Uint8Array): string | undefined {
  if (!sameBytes(step.root, rootOfStep(step))) return 'the root is not that of the lineage and the peaks'
  const { found } = step
  if (found === null) {
    const [parent, ...others] = step.parents
    if (step.kind !== 'branch' || parent === undefined || others.length > 0) return 'only a branch inherits records'
    if (next === undefined) return 'the step of the parent is missing'
    // The parent's commit may be one that it has inherited itself, so the root decides, not the name.
    return formatHex(next.root) === parent.root ? undefined : 'the next step is not about the parent'
  }
  const { entry, path, adopted } = found
  if (adopted === null && next !== undefined) return 'it is about the record itself, but there is another step'
  if (adopted !== null && next === undefined) return 'the step of the source is missing'
  const leaf = adopted === null ? leafOfRecord(record) : leafOfRow(adopted.row, adopted.sourceRoots)
  if (!checkPath(leaf, entry, step.entries, path, step.peaks)) return 'the path does not lead to the peak'
  if (adopted === null) return undefined
  if (rangesOfRow(decodeRow(adopted.row)).length !== adopted.sourceRoots.length) return 'the row has other sources'
  const isSource = adopted.sourceRoots.some((root) => next !== undefined && sameBytes(root, next.root))
  return isSource ? undefined : 'the next step is not about a source of the row'
}

function decodeRow(bytes: Uint8Array): AdoptedRow {
  const reader = new CborReader(bytes)
  const row = readRow(reader)
  reader.end()
  return row
}

function readStep(step: ForeignStep): ReadStep {
  const { stream, incarnation, kind, entries, entry, path, row, row_sources: sources } = step
  if ((entry === null) !== (path === null)) throw new StreamFormatError('a step has an entry and a path, or neither')
  if ((row === undefined) !== (sources === undefined)) throw new StreamFormatError('a row comes with its sources')
  if (entry === null && row !== undefined) throw new StreamFormatError('a row has an entry')
  const adopted =
    row === undefined || sources === undefined ? null : { row: bytesOfHex(row), sourceRoots: sources.map(bytesOfHex) }
  const found = entry === null || path === null ? null : { entry, path: path.map(bytesOfHex), adopted }
  return {
    streamId: stream as StreamId,
    incarnation: incarnation as Incarnation,
    kind,
    parents: step.parents.map(readParent),
    entries,
    peaks: step.peaks.map(bytesOfHex),
    found,
    root: bytesOfHex(step.root),
  }
}

function readParent(parent: readonly unknown[]): LineageParent {
  const [streamId, incarnation, offset, root] = parent
  const isParent =
    parent.length === 4 &&
    typeof streamId === 'string' &&
    isStreamId(streamId) &&
    typeof incarnation === 'string' &&
    /^[0-9a-f]{16}$/.test(incarnation) &&
    typeof offset === 'number' &&
    Number.isSafeInteger(offset) &&
    offset >= 0 &&
    typeof root === 'string' &&
    /^[0-9a-f]{64}$/.test(root)
  if (!isParent) throw new StreamFormatError('a parent is [stream id, incarnation, offset, root]')
  return { streamId, incarnation: incarnation as Incarnation, offset, root }
}

/** A chain of branches has a step for each. */
const stepsMax = 4096
const proofLengthMax = 128 * 1024 * 1024
/** Rows of at most 64 ranges, with all their marks. */
const rowLengthMax = 2 * streamLimits.manifestBytesMax
const recordLengthMax = 2 * (streamLimits.recordBytesCeiling + streamLimits.recordFrameBytesMax)

// A pattern with a repeated group would use up the stack on megabytes of text.
const isBase64 = (text: string) => text.length % 4 === 0 && !/[^A-Za-z0-9+/]/.test(text.replace(/==?$/, ''))
const isHex = (text: string) => text.length % 2 === 0 && !/[^0-9a-f]/.test(text)

const streamShape = shape.text({ accepts: isStreamId, words: 'a stream id' })
const incarnationShape = shape.text({ pattern: /^[0-9a-f]{16}$/, words: '16 hexadecimal digits' })
const hashShape = shape.text({ pattern: /^[0-9a-f]{64}$/, words: '64 hexadecimal digits' })
const hashes = (countMax: number): Shape<readonly string[]> => shape.list(hashShape, { countMax })
const stepShape = shape.table({
  stream: streamShape,
  incarnation: incarnationShape,
  kind: shape.oneOf(lineageKinds),
  parents: shape.list(shape.list(shape.anything, { countMax: 4 }), { countMax: streamLimits.mergeSourcesMax }),
  entries: shape.integer(),
  entry: shape.nullable(shape.integer()),
  path: shape.nullable(hashes(53)),
  peaks: hashes(53),
  row: shape.optional(shape.text({ accepts: isHex, lengthMax: rowLengthMax, words: 'hexadecimal' })),
  row_sources: shape.optional(hashes(streamLimits.mergeSourcesMax + 1)),
  root: hashShape,
})
const proofShape = shape.table({
  schema_version: shape.oneOf([1]),
  stream: streamShape,
  incarnation: incarnationShape,
  offset: shape.integer(),
  steps: shape.list(stepShape, { countMax: stepsMax }),
  record: shape.text({
    accepts: isBase64,
    lengthMax: recordLengthMax,
    words: 'base64',
  }),
})
