/**
 * A snapshot's commit (docs/format.md#snapshot):
 *
 *     snapshot.json                   metadata, and the list of chunks
 *     events/0000.bin …               chunks of at most 1,000 events
 *     ext/report.json                 ours: problems found in the log, and counts
 *     ext/orphans.cbor                ours: records that the Rust tool must not see
 *     ext/signature.json              ours: the maker's signature
 *     attachments/<sha256>            ours: contents, as in the log
 */
import type { Oid } from '../../../git/index.ts'
import {
  type ActorId,
  describeForeign,
  formatHex,
  limits,
  Mismatch,
  parseForeignJson,
  parseHex,
  type Shape,
  shape,
  shortenText,
} from '../../../model/index.ts'
import type { LogProblem } from '../issue-codec.ts'

export const snapshotPaths = {
  facts: 'snapshot.json',
  events: 'events',
  extensions: 'ext',
  report: 'report.json',
  orphans: 'orphans.cbor',
  signature: 'signature.json',
  attachments: 'attachments',
} as const

const schemaVersion = 1
/** UTF-16 units of a foreign path in a message. */
export const pathShownMax = 80

/** One file of events, as listed in `snapshot.json`. */
export interface SnapshotChunk {
  /** `events/0000.bin`. */
  readonly path: string
  readonly chunkHash: string
  readonly eventCount: number
}

export interface SnapshotFacts {
  readonly createdTs: number
  /** The snapshot holds the log up to this commit. */
  readonly walHead: Oid
  /** Events in the chunks, without orphans. */
  readonly eventCount: number
  readonly chunks: readonly SnapshotChunk[]
}

export function formatSnapshotFacts({ createdTs, walHead, eventCount, chunks }: SnapshotFacts): string {
  const json = {
    schema_version: schemaVersion,
    created_ts: createdTs,
    wal_head: walHead,
    event_count: eventCount,
    chunks: chunks.map((chunk) => ({
      path: chunk.path,
      chunk_hash: chunk.chunkHash,
      event_count: chunk.eventCount,
    })),
  }
  return JSON.stringify(json, null, 2)
}

export const formatSnapshotMessage = (eventCount: number, createdTs: number): string =>
  `Snapshot: ${eventCount} events at ${createdTs}`

/** The path of a chunk by its index, from 0. */
export function chunkPath(index: number): string {
  return `${snapshotPaths.events}/${`${index}`.padStart(4, '0')}.bin`
}

/** The name of a chunk in the tree `events`, which has one level; undefined for other paths. */
export function chunkName({ path }: SnapshotChunk): string | undefined {
  const name = path.replace(/^events\//, '')
  return name === '' || name.includes('/') ? undefined : name
}

const nameMax = 4096
/** More than a chunk has room for. */
const chunkEventsMax = 1_000_000
const anyVersion = shape.table({ schema_version: shape.anything })
const commitId = shape.text({ pattern: /^([0-9a-f]{40}|[0-9a-f]{64})$/, words: 'a commit id' })
const factsShape = shape.table({
  created_ts: shape.integer({ words: 'a time' }),
  wal_head: commitId,
  event_count: shape.integer({ words: 'a count' }),
  chunks: shape.list(
    shape.table({
      path: shape.text({ lengthMax: nameMax, words: 'a path' }),
      chunk_hash: shape.text({ pattern: /^[0-9a-f]{64}$/, words: 'a hash' }),
      event_count: shape.integer({ max: chunkEventsMax, words: 'a count' }),
    }),
  ),
})

/** Parses `snapshot.json`, or says why it is unusable. */
export function parseSnapshotFacts(json: string | Uint8Array): SnapshotFacts | string {
  const facts = parseVersioned(snapshotPaths.facts, json, factsShape)
  if (typeof facts === 'string') return facts
  const { created_ts: createdTs, wal_head: walHead, event_count: eventCount } = facts
  const chunks: SnapshotChunk[] = []
  const names = new Set<string>()
  for (const row of facts.chunks) {
    const chunk = { path: row.path, chunkHash: row.chunk_hash, eventCount: row.event_count }
    const name = chunkName(chunk)
    if (name === undefined) return `row ${chunks.length} of chunks is malformed`
    // A file listed a million times would be read a million times.
    if (names.has(name)) return `chunk ${shortenText(chunk.path, pathShownMax)} is listed twice`
    names.add(name)
    chunks.push(chunk)
  }
  const sum = chunks.reduce((total, chunk) => total + chunk.eventCount, 0)
  if (sum !== eventCount) return `event_count is ${eventCount}, the chunks have ${sum}`
  return { createdTs, walHead: walHead as Oid, eventCount, chunks }
}

/** Reads a file of a snapshot after checking that its `schema_version` is the known one. */
function parseVersioned<Value>(name: string, json: string | Uint8Array, read: Shape<Value>): Value | string {
  const versioned: Shape<Value | string> = (value) => {
    const version = anyVersion(value)
    if (version instanceof Mismatch) return version
    if (version.schema_version === schemaVersion) return read(value)
    const found = version.schema_version
    return `${name} ${found === undefined ? 'has no schema_version' : `is of the unknown schema_version ${describeForeign(found)}`}`
  }
  const { value, problem } = parseForeignJson(json, versioned, {
    name,
    sizeMax: limits.snapshotFactsBytesMax,
    valuesMax: limits.snapshotFactsValuesMax,
  })
  return problem === null ? value : problem.message
}

/** Problems found in the log, and counts of the snapshot's other parts. */
export interface SnapshotReport {
  /** Records in `ext/orphans.cbor`. */
  readonly orphanCount: number
  /** Files below `attachments/`. */
  readonly attachmentCount: number
  /** Whether an event id is on the log's chain more than once. */
  readonly hasRepeats: boolean
  readonly problemCount: number
  /** The first problems. */
  readonly problems: readonly LogProblem[]
}

/** Problems that a report lists; more are only counted. No user reads more than this one by one. */
export const problemsListedMax = 1000
const reasonLengthMax = 1000

export function formatSnapshotReport(report: SnapshotReport): string {
  const json = {
    schema_version: schemaVersion,
    orphan_count: report.orphanCount,
    attachment_count: report.attachmentCount,
    has_repeats: report.hasRepeats,
    problem_count: report.problemCount,
    problems: report.problems.map(({ commit, objectId, eventId, severity, reason }) => ({
      commit,
      object_id: objectId,
      event_id: eventId,
      severity,
      reason: shortenText(reason, reasonLengthMax),
    })),
  }
  return JSON.stringify(json, null, 2)
}

const objectId = shape.text({ pattern: /^[0-9a-f]{40,64}$/, words: 'an object id' })
const count = shape.integer({ words: 'a count' })
const reportShape = shape.table({
  orphan_count: count,
  attachment_count: count,
  has_repeats: shape.flag,
  problem_count: count,
  problems: shape.list(
    shape.table({
      commit: objectId,
      object_id: shape.nullable(objectId),
      event_id: shape.nullable(objectId),
      severity: shape.oneOf(['damaged', 'suspicious']),
      reason: shape.text({ lengthMax: reasonLengthMax, words: 'a short text' }),
    }),
    { countMax: problemsListedMax, words: `a list of at most ${problemsListedMax} problems` },
  ),
})

/** Parses `ext/report.json`, or says why it is unusable. */
export function parseSnapshotReport(json: string | Uint8Array): SnapshotReport | string {
  const report = parseVersioned(snapshotPaths.report, json, reportShape)
  if (typeof report === 'string') return report
  return {
    orphanCount: report.orphan_count,
    attachmentCount: report.attachment_count,
    hasRepeats: report.has_repeats,
    problemCount: report.problem_count,
    problems: report.problems.map(({ commit, object_id: objectId, event_id: eventId, severity, reason }) => {
      return { commit: commit as Oid, objectId: objectId as Oid | null, eventId, severity, reason }
    }),
  }
}

/** The maker's signature in `ext/signature.json`. Not verified yet. */
export interface SnapshotSignature {
  readonly actor: ActorId
  /** 64 hex characters. */
  readonly publicKey: string
  readonly sig: Uint8Array
}

const signatureBytesMax = 4096
const signatureShape = shape.table({
  schema_version: shape.oneOf([schemaVersion]),
  actor: shape.text({ pattern: /^[0-9a-f]{32}$/, words: 'an actor id' }),
  public_key: shape.text({ pattern: /^[0-9a-f]{64}$/, words: 'a public key' }),
  signature: shape.text({ pattern: /^[0-9a-f]{128}$/, words: 'a signature' }),
})

export function formatSnapshotSignature({ actor, publicKey, sig }: SnapshotSignature): string {
  const json = { schema_version: schemaVersion, actor, public_key: publicKey, signature: formatHex(sig) }
  return JSON.stringify(json, null, 2)
}

/** Parses `ext/signature.json`; null when nothing in it can be verified. */
export function parseSnapshotSignature(json: string | Uint8Array): SnapshotSignature | null {
  const { value } = parseForeignJson(json, signatureShape, { name: 'signature.json', sizeMax: signatureBytesMax })
  if (value === null) return null
  const sig = parseHex(value.signature) as Uint8Array
  return { actor: value.actor as ActorId, publicKey: value.public_key, sig }
}
