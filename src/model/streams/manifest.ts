/** Manifests of stream commits (docs/format.md#manifest): a CBOR array of exactly fourteen elements. */
import { type CborValue, encodeCbor } from '../cbor.ts'
import { type Act, actValue, mayHaveContent, readAct } from './acts.ts'
import { type AdoptedRow, countOfRow, readRow, rowValue } from './adopted-rows.ts'
import { CborReader } from './cbor-reader.ts'
import { StreamFormatError } from './format-error.ts'
import { type Lineage, lineageDigest, lineageValue, readLineage } from './lineage-facts.ts'
import { hashBytes, peakCount, rootOf, subtreeSizes } from './merkle.ts'
import type { SegmentRow } from './segment.ts'
import { bytesOfHex, type CloneId, type Incarnation, isStreamId, type StreamId } from './stream-id.ts'
import { streamLimits } from './stream-limits.ts'

export interface ProducerState {
  readonly id: string
  /** The last sequence. */
  readonly sequence: number
  /** Offset of the record with this sequence. */
  readonly offset: number
}

export type StreamContent =
  | { readonly kind: 'segment'; readonly row: SegmentRow }
  | { readonly kind: 'rows'; readonly rows: readonly AdoptedRow[] }

export interface Manifest {
  readonly streamId: StreamId
  readonly incarnation: Incarnation
  readonly generation: number
  /** Which clone may append. */
  readonly epoch: { readonly number: number; readonly owner: CloneId }
  readonly lineage: Lineage
  /** Commits of this generation up to this one. */
  readonly commitCount: number
  /** Of the content; without content, the next offset. */
  readonly firstOffset: number
  /** Records of the content. */
  readonly count: number
  readonly content: StreamContent | null
  /** The latest 1,000, by ascending offset. */
  readonly producers: readonly ProducerState[]
  /** Entries up to and including this commit. */
  readonly entries: number
  /** From high to low. */
  readonly peaks: readonly Uint8Array[]
  readonly act: Act | null
}

const manifestVersion = 1
const codecs = ['plain', 'zstd'] as const

/** The next offset after this commit. */
export function nextOffsetOf(manifest: Pick<Manifest, 'firstOffset' | 'count'>): number {
  return manifest.firstOffset + manifest.count
}

/** Entries that the commit itself adds. */
export function ownEntriesOf(manifest: Pick<Manifest, 'count' | 'content'>): number {
  if (manifest.content === null) return 0
  return manifest.content.kind === 'rows' ? manifest.content.rows.length : manifest.count
}

/** The root of the commit. */
export function rootOfManifest(
  manifest: Pick<Manifest, 'streamId' | 'incarnation' | 'lineage' | 'entries' | 'peaks'>,
): Uint8Array {
  const { streamId, incarnation, lineage, entries, peaks } = manifest
  return rootOf(lineageDigest(streamId, incarnation, lineage), entries, peaks)
}

/**
 * Encodes a manifest.
 *
 * @throws {StreamFormatError} on one that `decodeManifest` would refuse: better no commit than a damaged one
 */
export function encodeManifest(manifest: Manifest): Uint8Array {
  const { act } = manifest
  const body = encodeCbor([
    manifestVersion,
    manifest.streamId,
    bytesOfHex(manifest.incarnation),
    manifest.generation,
    [manifest.epoch.number, bytesOfHex(manifest.epoch.owner)],
    lineageValue(manifest.lineage),
    manifest.commitCount,
    manifest.firstOffset,
    manifest.count,
    contentValue(manifest.content),
    manifest.producers.map(({ id, sequence, offset }) => [id, sequence, offset]),
    manifest.entries,
    manifest.peaks,
    act === null || act.name === 'unknown' ? null : actValue(act),
  ])
  const bytes = act?.name === 'unknown' ? joinBytes(body.subarray(0, -1), act.bytes) : body
  decodeManifest(bytes)
  return bytes
}

function joinBytes(left: Uint8Array, right: Uint8Array): Uint8Array {
  const joined = new Uint8Array(left.length + right.length)
  joined.set(left)
  joined.set(right, left.length)
  return joined
}

function contentValue(content: StreamContent | null): CborValue {
  if (content === null) return null
  if (content.kind === 'rows') return [2, content.rows.map(rowValue)]
  const { codec, rawSize, storedSize, crc32c, sha256, subtrees } = content.row
  return [1, [codecs.indexOf(codec), rawSize, storedSize, crc32c, sha256, subtrees]]
}

/**
 * Decodes a manifest, and checks that its facts agree with each other. Byte strings are views into `bytes`.
 *
 * @throws {StreamFormatError} on other bytes than `encodeManifest` writes; an act of a later version is allowed
 */
export function decodeManifest(bytes: Uint8Array): Manifest {
  if (bytes.length > streamLimits.manifestBytesMax)
    throw new StreamFormatError(`manifest of ${bytes.length} bytes, more than ${streamLimits.manifestBytesMax}`)
  const reader: CborReader = new CborReader(bytes)
  reader.tuple(14, 'a manifest')
  if (reader.unsigned('a version') !== manifestVersion) reader.fail(`version ${manifestVersion}`)
  const streamId = reader.text('a stream id')
  if (!isStreamId(streamId)) reader.fail('a stream id')
  const incarnation = reader.hex('an incarnation', 8) as Incarnation
  const generation = reader.unsigned('a generation')
  reader.tuple(2, 'an epoch')
  const epoch = { number: reader.unsigned('an epoch'), owner: reader.hex('an owner', 16) as CloneId }
  const lineage = readLineage(reader)
  const commitCount = reader.unsigned('a commit count')
  const firstOffset = reader.unsigned('a first offset')
  const count = reader.unsigned('a count')
  const content = reader.orNull(() => readContent(reader))
  const producers = reader.list('producers', streamLimits.producersMax, () => readProducer(reader))
  const entries = reader.unsigned('a number of entries')
  const peaks = reader.list('peaks', peakCount(entries), () => reader.bytes('a peak', hashBytes))
  const act = reader.orNull(() => readAct(reader, bytes))
  reader.end()
  const manifest: Manifest = {
    streamId,
    incarnation,
    generation,
    epoch,
    lineage,
    commitCount,
    firstOffset,
    count,
    content,
    producers,
    entries,
    peaks,
    act,
  }
  const fault = findFault(manifest)
  if (fault !== undefined) throw new StreamFormatError(`manifest: ${fault}`)
  return manifest
}

function readContent(reader: CborReader): StreamContent {
  reader.tuple(2, 'content')
  const kind = reader.unsigned('a kind of content')
  if (kind === 1) return { kind: 'segment', row: readSegmentRow(reader) }
  if (kind !== 2) reader.fail('a known kind of content')
  return { kind: 'rows', rows: reader.list('rows', streamLimits.rowsMax, () => readRow(reader)) }
}

/** Subtrees of one range of entries: at most two of each size below 2^53. */
const subtreesMax = 2 * 53

function readSegmentRow(reader: CborReader): SegmentRow {
  reader.tuple(6, 'a segment row')
  const codec = codecs[reader.unsigned('a codec')] ?? reader.fail('a known codec')
  const rawSize = reader.unsigned('a raw size')
  const storedSize = reader.unsigned('a stored size')
  const crc32c = reader.unsigned('a CRC-32C')
  if (crc32c > 0xffff_ffff) reader.fail('a CRC-32C of 32 bits')
  if (codec === 'plain' && rawSize !== storedSize) reader.fail('the raw size as the stored size')
  const sha256 = reader.bytes('a SHA-256', hashBytes)
  const subtrees = reader.list('subtrees', subtreesMax, () => reader.bytes('a subtree', hashBytes))
  return { codec, rawSize, storedSize, crc32c, sha256, subtrees }
}

function readProducer(reader: CborReader): ProducerState {
  reader.tuple(3, 'a producer')
  const id = reader.text('a producer id')
  return { id, sequence: reader.unsigned('a sequence'), offset: reader.unsigned('an offset') }
}

/** Facts that contradict each other. */
function findFault(manifest: Manifest): string | undefined {
  const { content, count, entries, peaks, act, producers } = manifest
  const nextOffset = nextOffsetOf(manifest)
  if (!Number.isSafeInteger(nextOffset)) return 'the next offset is above 2^53'
  if (manifest.commitCount === 0) return 'the commit count is 0'
  if (manifest.epoch.number === 0) return 'the epoch is 0'
  if (peaks.length !== peakCount(entries)) return `${entries} entries have ${peakCount(entries)} peaks`
  if ((content === null) !== (count === 0)) return `${count} records, but ${content === null ? 'no' : 'some'} content`
  if (content !== null && !mayHaveContent(act)) return 'its act has no content'
  const ownEntries = ownEntriesOf(manifest)
  if (ownEntries > entries) return `${ownEntries} new entries of ${entries}`
  if (content?.kind === 'segment') {
    if (act?.name === 'merge') return 'a merge has no segment'
    const expected = subtreeSizes(entries - count, count).length
    if (content.row.subtrees.length !== expected) return `${count} records have ${expected} subtrees`
  }
  if (content?.kind === 'rows') {
    if (act?.name !== 'merge' && act?.name !== 'unknown') return 'only a merge adopts rows'
    if (content.rows.reduce((sum, row) => sum + countOfRow(row), 0) !== count)
      return `its rows have not ${count} records`
  }
  const last = producers.at(-1)
  if (last !== undefined && last.offset >= nextOffset) return 'a producer is past the end'
  if (producers.some(({ offset }, index) => offset >= (producers[index + 1]?.offset ?? nextOffset)))
    return 'the producers are not sorted by offset'
  if (new Set(producers.map(({ id }) => id)).size !== producers.length) return 'a producer is listed twice'
  return undefined
}
