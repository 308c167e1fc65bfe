/**
 * A snapshot's commit (docs/format.md#snapshot):
 *
 *     snapshot.json                   what it is of, and its chunks
 *     events/0000.bin …               chunks of at most 1,000 events
 *     ext/report.json                 ours: what was found in the log beside events
 *     ext/orphans.cbor                ours: records that the Rust tool must not see
 *     attachments/<sha256>            ours: contents, as in the log
 */
import type { Oid } from '../../git/index.ts'
import type { LogProblem } from '../segment-codec.ts'

export const snapshotPaths = {
  facts: 'snapshot.json',
  events: 'events',
  extensions: 'ext',
  report: 'report.json',
  orphans: 'orphans.cbor',
  attachments: 'attachments',
} as const

const schemaVersion = 1

/** One file of events, as `snapshot.json` names it. */
export interface SnapshotChunk {
  /** `events/0000.bin`. */
  readonly path: string
  readonly chunkHash: string
  readonly eventCount: number
}

export interface SnapshotFacts {
  readonly createdTs: number
  /** The commit of the log that it holds everything up to. */
  readonly walHead: Oid
  /** Events in the chunks; orphans are not counted. */
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

/** The path of a chunk by its place, from 0. */
export function chunkPath(index: number): string {
  return `${snapshotPaths.events}/${String(index).padStart(4, '0')}.bin`
}

/** The name of a chunk in the tree `events`, which has one level; undefined when the path names nothing in it. */
export function chunkName({ path }: SnapshotChunk): string | undefined {
  const name = path.replace(/^events\//, '')
  return name === '' || name.includes('/') ? undefined : name
}

/** What `snapshot.json` says, or why that cannot be used. */
export function parseSnapshotFacts(text: string): SnapshotFacts | string {
  const json = parseObject(text)
  if (json === undefined) return 'snapshot.json is not a JSON object'
  if (json.schema_version !== schemaVersion) return `schema_version ${JSON.stringify(json.schema_version)} is not known`
  const { created_ts: createdTs, wal_head: walHead, event_count: eventCount, chunks: rows } = json
  if (!isCount(createdTs)) return 'created_ts is not a time'
  if (typeof walHead !== 'string' || !/^([0-9a-f]{40}|[0-9a-f]{64})$/.test(walHead))
    return 'wal_head is not a commit id'
  if (!isCount(eventCount)) return 'event_count is not a count'
  if (!Array.isArray(rows)) return 'chunks is not a list'
  const chunks: SnapshotChunk[] = []
  const names = new Set<string>()
  for (const row of rows) {
    const chunk = readChunkRow(row)
    const name = chunk && chunkName(chunk)
    if (chunk === undefined || name === undefined) return `row ${chunks.length} of chunks is malformed`
    // A file named a million times would be read a million times.
    if (names.has(name)) return `chunk ${chunk.path} is named twice`
    names.add(name)
    chunks.push(chunk)
  }
  const sum = chunks.reduce((total, chunk) => total + chunk.eventCount, 0)
  if (sum !== eventCount) return `event_count is ${eventCount}, the chunks have ${sum}`
  return { createdTs, walHead: walHead as Oid, eventCount, chunks }
}

function readChunkRow(row: unknown): SnapshotChunk | undefined {
  if (typeof row !== 'object' || row === null) return undefined
  const { path, chunk_hash: chunkHash, event_count: eventCount } = row as Record<string, unknown>
  if (typeof path !== 'string' || typeof chunkHash !== 'string' || !isCount(eventCount)) return undefined
  return { path, chunkHash, eventCount }
}

/** What was found in the log beside the events, and how much of it is in the snapshot. */
export interface SnapshotReport {
  /** Records in `ext/orphans.cbor`. */
  readonly orphanCount: number
  /** Files below `attachments/`. */
  readonly attachmentCount: number
  /** Whether an event id stands on the log's chain more than once. */
  readonly hasRepeats: boolean
  readonly problemCount: number
  /** The first of the problems. */
  readonly problems: readonly LogProblem[]
}

/** Problems that a report lists; the others are counted. More than anybody is told one by one. */
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
      reason: reason.slice(0, reasonLengthMax),
    })),
  }
  return JSON.stringify(json, null, 2)
}

/** What `ext/report.json` says, or why that cannot be used. */
export function parseSnapshotReport(text: string): SnapshotReport | string {
  const json = parseObject(text)
  if (json?.schema_version !== schemaVersion) return 'report.json has another schema_version'
  const { orphan_count: orphanCount, attachment_count: attachmentCount, problem_count: problemCount } = json
  const { has_repeats: hasRepeats } = json
  if (typeof hasRepeats !== 'boolean') return 'report.json does not tell of repeats'
  if (!isCount(orphanCount) || !isCount(attachmentCount) || !isCount(problemCount)) return 'report.json lacks a count'
  if (!Array.isArray(json.problems) || json.problems.length > problemsListedMax) return 'report.json lists no problems'
  const problems = json.problems.map(readProblem)
  if (problems.includes(undefined)) return 'report.json lists a problem that is none'
  return { orphanCount, attachmentCount, hasRepeats, problemCount, problems: problems as LogProblem[] }
}

function readProblem(row: unknown): LogProblem | undefined {
  if (typeof row !== 'object' || row === null) return undefined
  const { commit, object_id: objectId, event_id: eventId, severity, reason } = row as Record<string, unknown>
  const isSevere = severity === 'damaged' || severity === 'suspicious'
  if (!isHex(commit) || !isHexOrNull(objectId) || !isHexOrNull(eventId) || !isSevere) return undefined
  if (typeof reason !== 'string' || reason.length > reasonLengthMax) return undefined
  return { commit: commit as Oid, objectId: objectId as Oid | null, eventId, severity, reason }
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const json: unknown = JSON.parse(text)
    const isObject = typeof json === 'object' && json !== null && !Array.isArray(json)
    return isObject ? (json as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0
const isHex = (value: unknown): value is string => typeof value === 'string' && /^[0-9a-f]{40,64}$/.test(value)
const isHexOrNull = (value: unknown): value is string | null => value === null || isHex(value)
