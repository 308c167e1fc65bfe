/**
 * Reads snapshots. Anyone who may push can push one, so nothing is trusted: hashes, counts and ids are recomputed, and
 * any mismatch makes the whole snapshot unusable; the log itself is available.
 */
import { createHash } from 'node:crypto'
import {
  type GitPort,
  isOid,
  type ObjectType,
  type Oid,
  type OnBrokenRef,
  parseCommit,
  parseTree,
  type RefName,
} from '../../../git/index.ts'
import {
  type ChunkEvent,
  CorruptObjectError,
  type DecodedChunk,
  decodeChunk,
  decodeRecords,
  findHeaderProblem,
  formatHex,
  hashChunk,
  limits,
  ObjectTooLargeError,
  shortenText,
  sliceChunk,
  sliceRecords,
  snapshotDigest,
  UnusableSnapshotError,
} from '../../../model/index.ts'
import { loadBulkHashing } from '../../bulk-hashing.ts'
import { verifySignature } from '../../ed25519.ts'
import { snapshotPrefix, snapshotTimeOf } from '../../ref-names.ts'
import { carriedMetaOf } from '../carried-meta.ts'
import { attachmentFolder, type IssueSegment, type LogProblem } from '../issue-codec.ts'
import { decodePlainChunk } from '../plain-chunk.ts'
import {
  chunkName,
  parseSnapshotFacts,
  parseSnapshotReport,
  parseSnapshotSignature,
  pathShownMax,
  type SnapshotFacts,
  type SnapshotReport,
  type SnapshotSignature,
  snapshotPaths,
} from './snapshot-codec.ts'

/** A snapshot's ref, whatever it points to. */
export interface SnapshotRef {
  readonly ref: RefName
  readonly oid: Oid
  /** The time in its name, by which snapshots are ordered; 0 without one. Milliseconds. */
  readonly timestamp: number
}

/** An opened snapshot; its events are not read yet. */
export interface Snapshot extends SnapshotRef, SnapshotFacts {
  /** Null when there is nothing beside the events, and in snapshots of other tools, which keep nothing else. */
  readonly report: SnapshotReport | null
  /** Ids of its trees and blobs, where present. */
  readonly parts: {
    readonly facts: Oid
    readonly report: Oid | undefined
    readonly events: Oid | undefined
    readonly attachments: Oid | undefined
    readonly orphans: Oid | undefined
  }
  /** Its signature, not verified; null without one. */
  readonly signature: SnapshotSignature | null
}

/** Events from which on loading the faster hash pays. */
const bulkEvents = 500

const treeBytesMax = 64 * 1024 * 1024

/**
 * The snapshots of a repository, the newest first.
 * @param onBroken - called for refs without an object, which are left out
 */
export async function listSnapshots(git: GitPort, onBroken: OnBrokenRef): Promise<readonly SnapshotRef[]> {
  const rows = await git.listRefs(snapshotPrefix, onBroken)
  return rows.map((row) => ({ ...row, timestamp: snapshotTimeOf(row.ref) })).sort(newestFirst)
}

function newestFirst(left: SnapshotRef, right: SnapshotRef): number {
  return right.timestamp - left.timestamp || (left.ref < right.ref ? -1 : 1)
}

/**
 * Reads a snapshot's metadata.
 * @throws {UnusableSnapshotError} when its ref is not a snapshot, or any part of it is malformed
 */
export async function openSnapshot(git: GitPort, row: SnapshotRef): Promise<Snapshot> {
  const read = reader(git, row)
  const root = await read.tree(parseCommitOf(read, await read.object(row.oid, 'commit', treeBytesMax)).tree)
  const factsOid = root.get(snapshotPaths.facts)
  if (factsOid === undefined) throw read.unusable('it has no snapshot.json')
  const facts = parseSnapshotFacts(await read.file(factsOid))
  if (typeof facts === 'string') throw read.unusable(facts)
  if (!isOid(facts.walHead, git.layout.objectFormat)) throw read.unusable('wal_head is not a commit id')
  const extensions = await read.tree(root.get(snapshotPaths.extensions))
  const reportOid = extensions.get(snapshotPaths.report)
  const report = reportOid === undefined ? null : parseSnapshotReport(await read.file(reportOid))
  if (typeof report === 'string') throw read.unusable(report)
  const parts = {
    facts: factsOid,
    report: reportOid,
    events: root.get(snapshotPaths.events),
    attachments: root.get(snapshotPaths.attachments),
    orphans: extensions.get(snapshotPaths.orphans),
  }
  const isReported = report !== null || (parts.attachments ?? parts.orphans) === undefined
  if (!isReported) throw read.unusable('it has no report.json')
  const signatureOid = extensions.get(snapshotPaths.signature)
  const signature = signatureOid === undefined ? null : parseSnapshotSignature(await read.file(signatureOid))
  return { ...row, ...facts, report, parts, signature }
}

/**
 * Whether a snapshot carries a valid signature by the key that it names. The caller decides whose key that is, and
 * whether it counts.
 */
export async function isSignatureValid(git: GitPort, snapshot: Snapshot): Promise<boolean> {
  const { parts, signature } = snapshot
  if (signature === null) return false
  const read = reader(git, snapshot)
  const attachments = [...(await read.tree(parts.attachments)).keys()]
  if (!attachments.every((name) => sha256Name.test(name))) return false
  const files = {
    facts: await read.file(parts.facts),
    report: parts.report === undefined ? null : await read.file(parts.report),
    orphans:
      parts.orphans === undefined
        ? null
        : await read.named(parts.orphans, snapshotPaths.orphans, limits.chunkReadBytesMax),
    attachments,
  }
  return verifySignature(formatHex(snapshotDigest(signature.actor, files)), signature.sig, signature.publicKey)
}

const sha256Name = /^[0-9a-f]{64}$/

/** Requires that a snapshot belongs to the log that ends in `head`. @throws {UnusableSnapshotError} */
export async function requireSnapshotOf(git: GitPort, snapshot: Snapshot, head: Oid): Promise<void> {
  if (await git.isAncestor(snapshot.walHead, head)) return
  throw reader(git, snapshot).unusable(`its wal_head ${snapshot.walHead} is not in the log`)
}

/**
 * The whole snapshot as verified segments of a log, one chunk at a time. Problems are those found in the log.
 * @throws {UnusableSnapshotError} at the first mismatch; the segments before it are sound
 */
export async function* readSnapshot(git: GitPort, snapshot: Snapshot): AsyncGenerator<readonly IssueSegment[]> {
  const read = reader(git, snapshot)
  if (snapshot.eventCount >= bulkEvents) await loadBulkHashing()
  yield [await readExtras(read, snapshot)]
  const names = await read.tree(snapshot.parts.events)
  const chunks = snapshot.chunks.map((chunk) => ({ ...chunk, oid: names.get(chunkName(chunk) ?? '') }))
  // Each chunk is fetched while the previous one is decoded.
  const fetchBlob = (index: number) => {
    const chunk = chunks[index]
    if (chunk === undefined) return undefined
    const fetched = read.named(chunk.oid, chunk.path, limits.chunkReadBytesMax)
    fetched.catch(() => {})
    return fetched
  }
  let fetched = fetchBlob(0)
  for (const [index, { path, chunkHash, eventCount }] of chunks.entries()) {
    const bytes = (await fetched) as Uint8Array
    fetched = fetchBlob(index + 1)
    if (hashChunk(bytes) !== chunkHash) throw read.unusable(`${path} does not match its chunk_hash`)
    const events = decodePlain(bytes) ?? decodeOther(read, path, bytes)
    if (events.length !== eventCount) throw read.unusable(`${path} has ${events.length} events, not ${eventCount}`)
    if (snapshot.report === null && events.some(namesAttachment))
      throw read.unusable('its tool does not store attachment contents')
    yield [segmentOf(snapshot, { items: events })]
  }
}

/** The events of a chunk in which everything is as writers make it; null for any other. */
function decodePlain(bytes: Uint8Array): readonly ChunkEvent[] | null {
  if (findHeaderProblem(bytes) !== null) return null
  return decodePlainChunk(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))
}

/** @throws {UnusableSnapshotError} when any record is not sound */
function decodeOther(read: Reader, path: string, bytes: Uint8Array): readonly ChunkEvent[] {
  const chunk = decodeChunk(bytes)
  const [damaged] = chunk.damaged
  const problem = chunk.problem ?? (damaged && `${damaged.reason} (event ${damaged.eventId})`)
  if (problem !== undefined) throw read.unusable(`${path}: ${problem}`)
  return chunk.events
}

/**
 * Every record of a snapshot, chunk by chunk, orphans last. Verifies nothing.
 * @throws {UnusableSnapshotError} when a part is missing or its layout is not a writer's
 */
export async function* readRawRecords(git: GitPort, snapshot: Snapshot): AsyncGenerator<readonly Uint8Array[]> {
  const read = reader(git, snapshot)
  const names = await read.tree(snapshot.parts.events)
  for (const chunk of snapshot.chunks) {
    const bytes = await read.named(names.get(chunkName(chunk) ?? ''), chunk.path, limits.chunkReadBytesMax)
    const records = sliceChunk(bytes)
    if (records?.length !== chunk.eventCount) {
      const isOther = hashChunk(bytes) !== chunk.chunkHash
      const found = records === null ? 'is damaged' : `has ${records.length} events, not ${chunk.eventCount}`
      throw read.unusable(
        `${shortenText(chunk.path, pathShownMax)} ${isOther ? 'does not match its chunk_hash' : found}`,
      )
    }
    yield records
  }
  if (snapshot.parts.orphans === undefined) return
  const orphans = sliceRecords(
    await read.named(snapshot.parts.orphans, snapshotPaths.orphans, limits.chunkReadBytesMax),
  )
  if (orphans === null) throw read.unusable(`${snapshotPaths.orphans} is damaged`)
  yield orphans
}

/** The attachment contents of a snapshot by their paths in the log. */
export async function readAttachmentOids(git: GitPort, snapshot: Snapshot): Promise<ReadonlyMap<string, Oid>> {
  const rows = await reader(git, snapshot).tree(snapshot.parts.attachments)
  return new Map([...rows].map(([sha256, oid]) => [`${attachmentFolder}${sha256}`, oid]))
}

const namesAttachment = ({ event }: ChunkEvent): boolean => event.body.type === 'AttachmentAdded'

/** The parts outside the chunks: problems, attachments, orphans. */
async function readExtras(read: Reader, snapshot: Snapshot): Promise<IssueSegment> {
  const { report, parts } = snapshot
  if (report === null) return segmentOf(snapshot, {})
  const missing: LogProblem[] = []
  const extras = new Map<string, Oid>()
  const attachments = await read.tree(parts.attachments)
  if (attachments.size !== report.attachmentCount) throw read.unusable('attachments are missing')
  for (const [sha256, oid] of attachments) {
    const path = `${attachmentFolder}${sha256}`
    const found = await read.attachment(oid)
    if (found === sha256) extras.set(path, oid)
    else if (found !== null) throw read.unusable(`${path} has the SHA-256 ${found}`)
    else {
      const reason = `${path} is missing`
      missing.push({ commit: snapshot.oid, objectId: oid, eventId: null, severity: 'damaged', reason })
    }
  }
  const orphans = await readOrphans(read, parts.orphans)
  if (orphans.events.length + orphans.damaged.length !== report.orphanCount) throw read.unusable('orphans are missing')
  return segmentOf(snapshot, { items: orphans.events, extras, problems: [...report.problems, ...missing] })
}

const noOrphans: DecodedChunk = { events: [], damaged: [], damagedUnnamed: 0, problem: null }

async function readOrphans(read: Reader, oid: Oid | undefined): Promise<DecodedChunk> {
  if (oid === undefined) return noOrphans
  const orphans = decodeRecords(await read.named(oid, snapshotPaths.orphans, limits.chunkReadBytesMax))
  const problem = orphans.problem ?? orphans.damaged.find(({ record }) => record === null)?.reason
  if (problem !== undefined) throw read.unusable(`${snapshotPaths.orphans}: ${problem}`)
  return orphans
}

function segmentOf(
  { walHead }: Snapshot,
  { items = [], extras = new Map(), problems = [] }: Partial<Pick<IssueSegment, 'items' | 'extras' | 'problems'>>,
): IssueSegment {
  return {
    commit: walHead,
    parents: [],
    items,
    problems,
    opaqueRecords: [],
    extras,
    extrasBytes: 0,
    repeatsChunk: false,
    carries: carriedMetaOf(null),
  }
}

interface Reader {
  readonly unusable: (reason: string, cause?: unknown) => UnusableSnapshotError
  readonly object: (oid: Oid, type: ObjectType, bytesMax: number) => Promise<Uint8Array>
  /** Names and ids of a tree's rows; empty for a missing tree. */
  readonly tree: (oid: Oid | undefined) => Promise<ReadonlyMap<string, Oid>>
  /** `snapshot.json` or `report.json`. */
  readonly file: (oid: Oid) => Promise<Uint8Array>
  readonly named: (oid: Oid | undefined, name: string, bytesMax: number) => Promise<Uint8Array>
  /** The SHA-256 of a blob; null when this repository does not have it. */
  readonly attachment: (oid: Oid) => Promise<string | null>
}

/** Objects of one snapshot; any problem with one makes the snapshot unusable. */
function reader(git: GitPort, { ref, oid: commit }: SnapshotRef): Reader {
  const unusable = (reason: string, cause?: unknown) =>
    new UnusableSnapshotError(`${ref}: ${reason}`, { details: { ref, oid: commit, reason }, cause })

  async function find(oid: Oid, type: ObjectType, bytesMax: number): Promise<Uint8Array | null> {
    try {
      const found = await git.readObject(oid, bytesMax)
      if (found !== null && found.type !== type) throw unusable(`${oid} is a ${found.type}, not a ${type}`)
      return found?.content ?? null
    } catch (error) {
      if (error instanceof CorruptObjectError || error instanceof ObjectTooLargeError)
        throw unusable(error.message, error)
      throw error
    }
  }

  async function object(oid: Oid, type: ObjectType, bytesMax: number): Promise<Uint8Array> {
    const content = await find(oid, type, bytesMax)
    if (content === null) throw unusable(`${type} ${oid} is missing`)
    return content
  }

  async function tree(oid: Oid | undefined): Promise<ReadonlyMap<string, Oid>> {
    if (oid === undefined) return new Map()
    const bytes = await object(oid, 'tree', treeBytesMax)
    try {
      return new Map(parseTree(git.layout.objectFormat, bytes).map(({ name, oid: row }) => [name, row]))
    } catch (error) {
      throw unusable(`tree ${oid} is damaged`, error)
    }
  }

  return {
    unusable,
    object,
    tree,
    file: (oid) => object(oid, 'blob', limits.snapshotFactsBytesMax),
    async named(oid, name, bytesMax) {
      if (oid === undefined) throw unusable(`${name} is missing`)
      return object(oid, 'blob', bytesMax)
    },
    async attachment(oid) {
      const content = await find(oid, 'blob', limits.chunkReadBytesMax)
      return content === null ? null : createHash('sha256').update(content).digest('hex')
    },
  }
}

function parseCommitOf(read: Reader, bytes: Uint8Array): { readonly tree: Oid } {
  try {
    return parseCommit(bytes)
  } catch (error) {
    throw read.unusable('its commit is damaged', error)
  }
}
