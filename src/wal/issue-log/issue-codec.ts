/**
 * The issue log's commits (spec §1.1):
 *
 *     meta.json
 *     events/<YYYY>/<MM>/<DD>/<chunk hash>.bin
 *     attachments/<sha256>            only where an AttachmentAdded brings its content
 *
 * Any file whose name ends in `.bin` is a chunk, at any depth; other files are extensions that a reader ignores.
 */
import { createHash } from 'node:crypto'
import { type CommitEntry, type CommitFile, type Oid, PairEntry, type TreeFiles } from '../../git/index.ts'
import {
  type ActorId,
  blake2b256,
  type ChunkEvent,
  type DecodedChunk,
  decodeChunk,
  decodeChunkInSteps,
  describeForeign,
  encodeChunk,
  findHeaderProblem,
  hashChunk,
  hashChunkInSteps,
  limits,
  parseForeignJson,
  runSteps,
  shape,
  shortenText,
  stepBytes,
} from '../../model/index.ts'
import { gapOfFile, problemsOfEntry, whyUnread } from '../entry-problems.ts'
import type { Segment, SegmentCodec, SegmentCommit, StreamProblem, TakenObjects } from '../segment-codec.ts'
import { type CarriedMeta, carriedMetaOf } from './carried-meta.ts'
import { decodePlainChunk } from './plain-chunk.ts'

/** The content of one commit. Not empty, one appending actor. */
export interface IssueBatch {
  readonly actor: ActorId
  /** Encoded event records, in order. */
  readonly records: readonly Uint8Array[]
  /** Time of the first event; names the folder of the chunk. Milliseconds. */
  readonly firstTsUnixMs: number
  /** Files beside the chunk by path: bytes, or the id of a blob already in the repository. */
  readonly extras?: TreeFiles
  /** Keys of meta.json after the four standard ones, including `requests`. */
  readonly meta?: Readonly<Record<string, unknown>>
  readonly date: SegmentCommit['date']
}

/** A commit of the issue log. */
export interface IssueSegment extends Segment<ChunkEvent, LogProblem> {
  /** Records whose id verifies but that this version cannot use; kept through a re-append. */
  readonly opaqueRecords: readonly Uint8Array[]
  /** Every present file that is neither meta.json nor a chunk, by path. Attachments match the SHA-256 in their name. */
  readonly extras: ReadonlyMap<string, Oid>
  /** Bytes of their contents, each object once, as far as they were read. */
  readonly extrasBytes: number
  /** Whether it repeats a large chunk that was decoded earlier in the same reading, and so is skipped here. */
  readonly repeatsChunk: boolean
  /** The parts of meta.json to carry when the events are re-appended. */
  readonly carries: CarriedMeta
}

export const attachmentFolder = 'attachments/'
export const metaPath = 'meta.json'
const metaSchemaVersion = 1
/** Author and committer of every commit of the issue log, and of its snapshots. */
export const issueLogIdentity = { name: 'grite', email: 'grit@local' }

/** A problem of the issue log; names the event when its record shows the id. */
export interface LogProblem extends StreamProblem {
  readonly eventId: string | null
}

export const issueCodec: SegmentCodec<IssueBatch, ChunkEvent, IssueSegment> = {
  markFile: metaPath,
  fileBytesMax: limits.chunkReadBytesMax,
  // Chunks before the files beside them.
  comesFirst: (path) => path.endsWith('.bin') || path === metaPath,
  encode,
  decode: (entry, taken) => runSteps(decodeInSteps(entry, taken)),
  decodeInSteps,
  decodePair,
}

function encode(batch: IssueBatch, parents: readonly Oid[]): SegmentCommit {
  const chunk = encodeChunk(batch.records)
  const chunkHash = hashChunk(chunk)
  const meta = {
    schema_version: metaSchemaVersion,
    actor_id: batch.actor,
    chunk_hash: chunkHash,
    prev_wal: parents[0] ?? null,
    ...batch.meta,
  }
  const files = new Map<string, Uint8Array | Oid>([
    [metaPath, new TextEncoder().encode(JSON.stringify(meta, null, 2))],
    [`events/${formatDay(batch.firstTsUnixMs, batch.date.unixSeconds)}/${chunkHash}.bin`, chunk],
    ...(batch.extras ?? []),
  ])
  return {
    files,
    message: `WAL: ${batch.records.length} events from ${batch.actor.slice(0, 8)}`,
    identity: issueLogIdentity,
    date: batch.date,
  }
}

/** `YYYY/MM/DD` in UTC; for a time outside four-digit years, the day of the commit. */
function formatDay(tsUnixMs: number, commitUnixSeconds: number): string {
  const date = new Date(tsUnixMs)
  const usable = !Number.isNaN(date.getTime()) && date.getUTCFullYear() <= 9999
  return (usable ? date : new Date(commitUnixSeconds * 1000)).toISOString().slice(0, 10).replaceAll('-', '/')
}

/** A chunk of at least this size is decoded once per reading of the log, however many commits contain it. Bytes. */
const takenBytesMin = 64 * 1024

function* decodeInSteps(entry: CommitEntry, taken: TakenObjects = new Set()): Generator<undefined, IssueSegment> {
  const problems: LogProblem[] = []
  const report: Report = (severity, reason, objectId, eventId, more = {}) => {
    const short = shortenText(reason, limits.problemLengthMax)
    problems.push({ commit: entry.oid, objectId, eventId, severity, reason: short, ...more })
  }
  for (const problem of problemsOfEntry(entry)) problems.push({ ...problem, eventId: null })

  const metaFile = entry.files.find(({ path }) => path === metaPath)
  const meta = readMeta(entry, metaFile, report)
  const carries = carriedMetaOf(meta?.keys ?? null)
  if (carries.leftOut !== null) {
    report(
      'suspicious',
      `meta.json has more than a re-append carries: ${carries.leftOut} are too much`,
      metaFile?.oid ?? null,
      null,
    )
  }
  const items: ChunkEvent[] = []
  const opaqueRecords: Uint8Array[] = []
  const extras = new Map<string, Oid>()
  const chunks = new Map<Oid, CommitFile>()
  let chunkNames = 0
  const shaOf = hashOnce()
  for (const file of entry.files) {
    const { path, oid } = file
    if (path.endsWith('.bin')) {
      chunkNames += 1
      // A tree may list one chunk under several names; the right one counts.
      if (!chunks.has(oid) || isNamedRight(file, meta)) chunks.set(oid, file)
    } else if (path !== metaPath && isUsableExtra(entry.oid, file, shaOf, report)) extras.set(path, oid)
  }
  if (chunkNames > chunks.size) {
    report('suspicious', `${chunkNames - chunks.size} chunk files are copies of others beside them`, entry.oid, null)
  }
  let repeatsChunk = false
  for (const [oid, file] of chunks) {
    if (taken.has(oid)) {
      repeatsChunk = true
      continue
    }
    if ((file.content?.length ?? 0) >= takenBytesMin) taken.add(oid)
    const chunk = yield* readChunk(entry.oid, file, meta, report)
    for (const item of chunk?.events ?? []) items.push(item)
    for (const { record } of chunk?.damaged ?? []) if (record !== null) opaqueRecords.push(record)
  }
  if (extras.size > limits.carriedFilesMax && entry.problem === null) {
    const count = extras.size - limits.carriedFilesMax
    report('suspicious', `${count} files beside its chunks are more than a re-append carries`, entry.oid, null)
  }
  return {
    commit: entry.oid,
    parents: entry.parents,
    items,
    problems,
    opaqueRecords,
    extras,
    extrasBytes: sizeOf(entry.files, extras),
    repeatsChunk,
    carries,
  }
}

const noProblems: readonly LogProblem[] = []
const noRecords: readonly Uint8Array[] = []
const noExtras: ReadonlyMap<string, Oid> = new Map()
const noCarriedMeta = carriedMetaOf(null)

/** The most frequent commit of all, in a third of the time: a chunk and a meta.json that say the truth. */
function decodePair(entry: CommitEntry): IssueSegment | null {
  if (!(entry instanceof PairEntry)) return null
  const { bytes, first, second, parents } = entry
  if (second.pathEnd - second.pathStart !== metaPath.length || first.end - first.start >= takenBytesMin) return null
  if (bytes.latin1Slice(second.pathStart, second.pathEnd) !== metaPath) return null
  const chunk = bytes.subarray(first.start, first.end)
  if (findHeaderProblem(chunk) !== null) return null
  const chunkHash = formatDigest(blake2b256(chunk))
  const nameStart = bytes.lastIndexOf(slash, first.pathEnd - 1) + 1
  if (nameStart <= first.pathStart || bytes.latin1Slice(nameStart, first.pathEnd) !== `${chunkHash}.bin`) return null
  if (!isPlainMeta(bytes.latin1Slice(second.start, second.end), chunkHash, parents[0] ?? null)) return null
  const items = decodePlainChunk(chunk)
  if (items === null) return null
  return {
    commit: entry.oid,
    parents,
    items,
    problems: noProblems,
    opaqueRecords: noRecords,
    extras: noExtras,
    extrasBytes: 0,
    repeatsChunk: false,
    carries: noCarriedMeta,
  }
}

const slash = 0x2f

/** In a third of the time of `formatHex`. */
function formatDigest(digest: Uint8Array): string {
  return Buffer.prototype.hexSlice.call(digest, 0, digest.length)
}

const plainMetaStart = '{\n  "schema_version": 1,\n  "actor_id": "'
const actorEnd = plainMetaStart.length + 32
const actorId = /^[0-9a-f]{32}$/

/** Whether the text of a meta.json is what `plainMeta` accepts, with this chunk and parent. */
function isPlainMeta(text: string, chunkHash: string, prevWal: Oid | null): boolean {
  const actor = text.slice(plainMetaStart.length, actorEnd)
  const parent = prevWal === null ? 'null' : `"${prevWal}"`
  const plain = `${plainMetaStart}${actor}",\n  "chunk_hash": "${chunkHash}",\n  "prev_wal": ${parent}\n}`
  return text === plain && actorId.test(actor)
}

function sizeOf(files: readonly CommitFile[], extras: ReadonlyMap<string, Oid>): number {
  if (extras.size === 0) return 0
  const sizes = new Map<Oid, number>()
  for (const { path, oid, content } of files) if (extras.has(path)) sizes.set(oid, content?.length ?? 0)
  return [...sizes.values()].reduce((sum, size) => sum + size, 0)
}

function isNamedRight({ path }: CommitFile, meta: Meta | null): boolean {
  return typeof meta?.chunkHash === 'string' && path.endsWith(`${meta.chunkHash}.bin`)
}

/** Hashes contents of a commit, each object once. */
function hashOnce(): (file: CommitFile) => string | null {
  const known = new Map<Oid, string>()
  return ({ oid, content }) => {
    if (content === null) return null
    const sha256 = known.get(oid) ?? createHash('sha256').update(content).digest('hex')
    known.set(oid, sha256)
    return sha256
  }
}

/** UTF-16 units of a path in a message. */
const pathShownMax = 120

const attachmentPath = /^attachments\/([0-9a-f]{64})$/

/** The SHA-256 in the path of an attachment's content; undefined for any other file. */
export function attachmentShaOf(path: string): string | undefined {
  return attachmentPath.exec(path)?.[1]
}

function isUsableExtra(
  commit: Oid,
  file: CommitFile,
  shaOf: (file: CommitFile) => string | null,
  report: Report,
): boolean {
  const { path, mode, oid, problem } = file
  const sha256 = attachmentShaOf(path)
  const isHere = mode.startsWith('100') && problem !== 'missing' && problem !== 'corrupt'
  const gap = gapOfFile(commit, file, 'file')
  if (sha256 === undefined) {
    if (gap !== undefined) report('damaged', `${path} is ${problem}`, oid, null, { gap })
    return isHere
  }
  // Two files with one name and different contents: the choice must not depend on arrival order.
  const found = shaOf(file)
  if (isHere && found === sha256) return true
  const what = found === null ? `is ${problem}` : `has the SHA-256 ${found}`
  report('damaged', `${path} ${what}`, oid, null, gap === undefined ? {} : { gap })
  return false
}

type Report = (
  severity: LogProblem['severity'],
  reason: string,
  objectId: Oid | null,
  eventId: string | null,
  more?: Pick<LogProblem, 'unread' | 'gap'>,
) => void

/** The four keys of `meta.json` as grite and the Rust tool write them. */
const plainMeta =
  /^\{\n {2}"schema_version": 1,\n {2}"actor_id": "[0-9a-f]{32}",\n {2}"chunk_hash": "([0-9a-f]{64})",\n {2}"prev_wal": (?:null|"([0-9a-f]{40}|[0-9a-f]{64})")\n\}$/
/** Longer than any plain one. Bytes. */
const plainMetaBytesMax = 320
const metaShape = shape.record(shape.anything)

interface Meta {
  readonly prevWal: unknown
  readonly chunkHash: unknown
  /** Null when it has only the four keys. */
  readonly keys: ReadonlyMap<string, unknown> | null
}

interface PlainMeta extends Meta {
  readonly prevWal: string | null
  readonly chunkHash: string
}

function readMeta(entry: CommitEntry, file: CommitFile | undefined, report: Report): Meta | null {
  if (file?.content == null) {
    const gap = file && gapOfFile(entry.oid, file, 'file')
    const more = gap === undefined ? {} : { gap }
    if (entry.problem === null)
      report('suspicious', `meta.json is ${file?.problem ?? 'missing'}`, file?.oid ?? entry.oid, null, more)
    return null
  }
  const meta = readPlainMeta(asBuffer(file.content), 0, file.content.length) ?? parseMeta(file, report)
  if (meta !== null && (meta.prevWal ?? null) !== (entry.parents[0] ?? null)) {
    const named = describeForeign(meta.prevWal)
    report('suspicious', `meta.json names ${named} as prev_wal, the commit's parent differs`, file.oid, null)
  }
  return meta
}

/** Nearly every meta.json has only the four keys; one pattern reads those without parsing JSON. */
function readPlainMeta(bytes: Buffer, start: number, end: number): PlainMeta | null {
  if (end - start > plainMetaBytesMax) return null
  const match = plainMeta.exec(bytes.latin1Slice(start, end))
  return match === null ? null : { chunkHash: match[1] as string, prevWal: match[2] ?? null, keys: null }
}

function parseMeta({ content, oid }: CommitFile, report: Report): Meta | null {
  const { value, problem } = parseForeignJson(content as Uint8Array, metaShape, {
    name: metaPath,
    sizeMax: limits.metaBytesMax,
  })
  if (problem === null) return { prevWal: value.get('prev_wal'), chunkHash: value.get('chunk_hash'), keys: value }
  report('suspicious', problem.message, oid, null)
  return null
}

function* readChunk(
  commit: Oid,
  file: CommitFile,
  meta: Meta | null,
  report: Report,
): Generator<undefined, DecodedChunk | null> {
  const path = shortenText(file.path, pathShownMax)
  if (file.content === null) {
    report('damaged', `chunk ${path} is ${file.problem}`, file.oid, null, whyUnread(commit, file))
    return null
  }
  // An invalid header needs no hash check.
  const headerProblem = findHeaderProblem(file.content)
  if (headerProblem !== null) {
    report('damaged', `chunk ${path}: ${headerProblem}`, file.oid, null)
    return null
  }
  const isLarge = file.content.length > stepBytes
  const hash = isLarge ? yield* hashChunkInSteps(file.content) : hashChunk(file.content)
  const name = file.path.slice(file.path.lastIndexOf('/') + 1, -'.bin'.length)
  if (name !== hash) report('suspicious', `chunk ${path} has the hash ${hash}`, file.oid, null)
  if (meta !== null && meta.chunkHash !== hash) {
    const named = describeForeign(meta.chunkHash)
    report('suspicious', `meta.json names chunk ${named}, the chunk has the hash ${hash}`, file.oid, null)
  }
  const plain = isLarge ? null : decodePlainChunk(asBuffer(file.content))
  if (plain !== null) return { events: plain, damaged: [], damagedUnnamed: 0, problem: null }
  const chunk = isLarge ? yield* decodeChunkInSteps(file.content) : decodeChunk(file.content)
  if (chunk.problem !== null) report('damaged', `chunk ${path}: ${chunk.problem}`, file.oid, null)
  for (const damaged of chunk.damaged) report('damaged', damaged.reason, file.oid, damaged.eventId)
  if (chunk.damagedUnnamed > 0) report('damaged', `${chunk.damagedUnnamed} more records are damaged`, file.oid, null)
  return chunk
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
