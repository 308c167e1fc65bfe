import {
  describeForeign,
  InvalidArgsError,
  type JsonProblem,
  limits,
  parseForeignJson,
  requireTitle,
  shape,
  shortenText,
} from '../model/index.ts'
import { parseRfc3339 } from './rfc3339.ts'

/** One issue of a beads tracker. Absent and null keys are undefined here; `line` has everything unchanged. */
export interface BeadsIssue {
  readonly id: string
  readonly title: string
  readonly description: string | undefined
  /** `open`, `closed`, `tombstone` or any other word. */
  readonly status: string
  readonly priority: number | undefined
  readonly issueType: string | undefined
  readonly assignee: string | undefined
  readonly notes: string | undefined
  readonly closeReason: string | undefined
  readonly externalRef: string | undefined
  readonly design: string | undefined
  readonly acceptanceCriteria: string | undefined
  /** As written; text that is not a time stays an unmapped field. */
  readonly dueAt: string | undefined
  readonly labels: readonly string[]
  /** Milliseconds, truncated; 0 or later. */
  readonly createdAtMs: number
  /** Milliseconds, like the following ones. Negative when a program wrote Go's zero time. */
  readonly updatedAtMs: number
  readonly closedAtMs: number | undefined
  readonly deletedAtMs: number | undefined
  readonly dependencies: readonly BeadsDependency[]
  readonly comments: readonly BeadsComment[]
  /** The whole line as parsed. */
  readonly line: Readonly<Record<string, unknown>>
}

/** An edge as beads means it: the issue waits for, belongs to or is related to `dependsOnId`. */
export interface BeadsDependency {
  /** The issue that has the edge; equal to the line's own id. */
  readonly issueId: string | undefined
  readonly dependsOnId: string
  readonly type: string
  readonly createdAtMs: number | undefined
}

export interface BeadsComment {
  /** Whole numbers as digits. */
  readonly id: string | undefined
  readonly author: string
  readonly text: string
  readonly createdAtMs: number | undefined
  /** The comment as parsed. */
  readonly entry: Readonly<Record<string, unknown>>
}

/** A memory stored by `bd remember`. */
export interface BeadsMemory {
  readonly key: string
  readonly value: string
}

export type ParsedBeadsLine =
  | { readonly issue: BeadsIssue }
  | { readonly memory: BeadsMemory }
  /** File metadata, such as the schema. */
  | { readonly header: true }
  | { readonly malformed: string }

/** Leaves room for the five fields that an import sets as labels. */
const labelsMax = limits.labelsPerIssueMax - 5

/**
 * Parses one line. Strict about the types of mapped keys, tolerant of their values: a priority of 7 is kept, a priority
 * of "high" makes the line malformed. Never throws on foreign text.
 */
export function parseBeadsLine(text: string): ParsedBeadsLine {
  try {
    return readRecord(parseJson(text))
  } catch (error) {
    if (error instanceof MalformedError || error instanceof InvalidArgsError) return { malformed: error.message }
    throw error
  }
}

/** Never leaves this module. */
class MalformedError extends Error {}

function parseJson(text: string): Entry {
  const { value, problem } = parseForeignJson(text, shape.anything, { name: 'line', sizeMax: limits.lineBytesMax })
  if (problem !== null) throw new MalformedError(joinDetail(problem))
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new MalformedError('line is not a JSON object')
  }
  const integer = findInexactInteger(text)
  if (integer !== undefined)
    throw new MalformedError(`integer ${shortenText(integer, 60)} is too large for exact storage`)
  requireFinite(value)
  return value as Entry
}

function joinDetail({ message, detail }: JsonProblem): string {
  return detail === null ? message : `${message}: ${detail}`
}

const textOrNumber = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g

/** The first integer outside of strings that a double cannot hold. */
function findInexactInteger(text: string): string | undefined {
  if (!/\d{16}/.test(text)) return undefined
  for (const [token] of text.matchAll(textOrNumber)) {
    if (/^-?\d{16,}$/.test(token) && !isExact(token)) return token
  }
  return undefined
}

/** Whether these digits survive conversion to a double and back. */
function isExact(integer: string): boolean {
  // BigInt takes quadratic time, and cannot parse infinity; beyond 309 digits no double is finite.
  if (integer.length > 400) return false
  const double = Number(integer)
  if (!Number.isFinite(double)) return false
  return `${double}` === integer || BigInt(integer) === BigInt(double)
}

/** Recursive; the depth limit on foreign JSON protects it. */
function requireFinite(value: unknown): void {
  if (typeof value === 'number' && !Number.isFinite(value)) throw new MalformedError('a number is out of range')
  if (typeof value !== 'object' || value === null) return
  for (const member of Object.values(value)) requireFinite(member)
}

type Entry = Readonly<Record<string, unknown>>

/** Old trackers contain only issues, without a record kind. */
function readRecord(line: Entry): ParsedBeadsLine {
  if (Object.hasOwn(line, '_schema')) return { header: true }
  const kind = optionalText(line, '_type') ?? 'issue'
  if (kind === 'issue') return { issue: readIssue(line) }
  if (kind === 'memory') return { memory: readMemory(line) }
  throw new MalformedError(`record kind ${describeForeign(kind)} is not known`)
}

function readMemory(line: Entry): BeadsMemory {
  const [key, value] = [requireText(line, 'key'), requireText(line, 'value')]
  if (key.trim() === '') throw new MalformedError('key is empty')
  if (/[\u0000-\u001f\u007f-\u009f]/.test(key)) throw new MalformedError('key has a control character')
  requireBytes('key', key, limits.labelBytesMax)
  requireBytes('value', value, limits.bodyBytesMax)
  return { key, value }
}

function requireBytes(what: string, text: string, bytesMax: number): void {
  if (new TextEncoder().encode(text).length > bytesMax)
    throw new MalformedError(`${what} has more than ${bytesMax} bytes`)
}

function readIssue(line: Entry): BeadsIssue {
  const createdAtMs = requireTime(line, 'created_at')
  if (createdAtMs < 0) throw new MalformedError('created_at is before 1970')
  const issue = {
    id: requireId(line),
    title: requireText(line, 'title'),
    description: optionalText(line, 'description'),
    // Absent in trackers that omit defaults.
    status: optionalText(line, 'status') ?? 'open',
    priority: optionalInteger(line, 'priority'),
    issueType: optionalText(line, 'issue_type'),
    assignee: optionalText(line, 'assignee'),
    notes: optionalText(line, 'notes'),
    closeReason: optionalText(line, 'close_reason'),
    externalRef: optionalText(line, 'external_ref'),
    design: optionalText(line, 'design'),
    acceptanceCriteria: optionalText(line, 'acceptance_criteria'),
    dueAt: typeof line.due_at === 'string' ? line.due_at : undefined,
    labels: optionalArray(line, 'labels').map((label) => requireString(label, 'a label')),
    createdAtMs,
    updatedAtMs: optionalTime(line, 'updated_at') ?? createdAtMs,
    closedAtMs: optionalTime(line, 'closed_at'),
    deletedAtMs: optionalTime(line, 'deleted_at'),
    dependencies: optionalArray(line, 'dependencies').map(readDependency),
    comments: optionalArray(line, 'comments').map(readComment),
    line,
  }
  requireTitle(issue.title)
  if (issue.status.trim() === '') throw new MalformedError('status is empty')
  if (issue.labels.length > labelsMax) throw new MalformedError(`more than ${labelsMax} labels`)
  return issue
}

/** An id becomes a title, a database key and part of a hash followed by a NUL: a single plain word. */
function requireId(line: Entry): string {
  const id = requireText(line, 'id')
  if (id.trim() === '') throw new MalformedError('id is empty')
  if (/[\u0000-\u0020\u007f-\u00a0]/.test(id)) throw new MalformedError('id has a space or a control character')
  if (new TextEncoder().encode(id).length > limits.labelBytesMax) {
    throw new MalformedError(`id has more than ${limits.labelBytesMax} bytes`)
  }
  return id
}

function readDependency(value: unknown): BeadsDependency {
  const entry = requireEntry(value, 'a dependency')
  return {
    issueId: optionalText(entry, 'issue_id'),
    dependsOnId: requireText(entry, 'depends_on_id'),
    type: requireText(entry, 'type'),
    createdAtMs: optionalTime(entry, 'created_at'),
  }
}

function readComment(value: unknown): BeadsComment {
  const entry = requireEntry(value, 'a comment')
  return {
    id: optionalId(entry),
    author: requireText(entry, 'author'),
    text: requireText(entry, 'text'),
    createdAtMs: optionalTime(entry, 'created_at'),
    entry,
  }
}

/** Whole numbers before beads 1.0, texts since; both identify the same comment. */
function optionalId(entry: Entry): string | undefined {
  const value = findValue(entry, 'id')
  return typeof value === 'string' ? requireString(value, 'id') : optionalInteger(entry, 'id')?.toString()
}

/** Edges kept from an earlier line; skips anything that is not an edge. */
export function readBeadsDependencies(values: readonly unknown[]): BeadsDependency[] {
  return values.flatMap((value) => {
    try {
      return [readDependency(value)]
    } catch (error) {
      if (error instanceof MalformedError) return []
      throw error
    }
  })
}

function requireEntry(value: unknown, what: string): Entry {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new MalformedError(`${what} is not an object`)
  }
  return value as Entry
}

/** Own keys only, so that `toString` is never found; null counts as absent. */
function findValue(entry: Entry, key: string): unknown {
  return Object.hasOwn(entry, key) ? (entry[key] ?? undefined) : undefined
}

function requireText(entry: Entry, key: string): string {
  const text = optionalText(entry, key)
  if (text === undefined) throw new MalformedError(`${key} is missing`)
  return text
}

function optionalText(entry: Entry, key: string): string | undefined {
  const value = findValue(entry, key)
  return value === undefined ? undefined : requireString(value, key)
}

function requireString(value: unknown, what: string): string {
  if (typeof value !== 'string') throw new MalformedError(`${what} is not a text`)
  if (!value.isWellFormed()) throw new MalformedError(`${what} is not valid Unicode (a lone surrogate)`)
  return value
}

function optionalInteger(entry: Entry, key: string): number | undefined {
  const value = findValue(entry, key)
  if (value === undefined) return undefined
  if (!Number.isSafeInteger(value)) throw new MalformedError(`${key} is not an integer`)
  return value as number
}

function optionalArray(entry: Entry, key: string): readonly unknown[] {
  const value = findValue(entry, key)
  if (value === undefined) return []
  if (!Array.isArray(value)) throw new MalformedError(`${key} is not an array`)
  return value
}

function requireTime(entry: Entry, key: string): number {
  const time = optionalTime(entry, key)
  if (time === undefined) throw new MalformedError(`${key} is missing`)
  return time
}

function optionalTime(entry: Entry, key: string): number | undefined {
  const text = optionalText(entry, key)
  if (text === undefined) return undefined
  const time = parseRfc3339(text)
  if (time === undefined) throw new MalformedError(`${key} '${text.slice(0, 60)}' is not an RFC 3339 time`)
  return time
}
