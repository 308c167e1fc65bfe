/**
 * A JSON export, of ours or of the Rust tool (spec §6.6), read back into events:
 *
 *     { "meta": { "schema_version": 1, … }, "issues": […],
 *       "events": [ { "event_id", "issue_id", "actor", "ts_unix_ms", "parent"?, "kind", "sig"? } ],
 *       "attachments"?: { "<sha256>": "<base64>" } }
 *
 * Ours has `sig` as hex, all symbols of a ContextUpdated, and on request the content of attachments. An event whose
 * id is not the hash of what is stated is skipped, never repaired.
 */
import {
  compareVersions,
  type DependencyType,
  dependencyTypes,
  describeForeign,
  type Event,
  type EventBody,
  type EventId,
  type EventKindName,
  eventKindNames,
  eventKinds,
  GriteError,
  InvalidArgsError,
  type IssueId,
  type IssueStateWord,
  identifyEvent,
  issueStates,
  limits,
  parseActorId,
  parseEventId,
  parseForeignJson,
  parseHex,
  parseIssueId,
  parseSha256,
  type Sha256Hex,
  type SourceSymbol,
  shape,
  shortenText,
} from '../model/index.ts'

export interface GriteExport {
  /** Verified: every id is the hash of its event. In the order of the file, copies included. */
  readonly events: readonly Event[]
  readonly skipped: readonly SkippedEvent[]
  /** Content by the name it is stored under. The caller verifies that it has this SHA-256. */
  readonly attachments: ReadonlyMap<Sha256Hex, Uint8Array>
  /** Attachments that are not base64 or not named by a SHA-256. */
  readonly skippedAttachments: readonly string[]
}

export interface SkippedEvent {
  /** 0-based place in `events`. */
  readonly index: number
  /** As stated, null when there is none. */
  readonly eventId: string | null
  readonly reason: string
}

/**
 * Reads a whole export.
 *
 * @throws {InvalidArgsError} when the text is not JSON or has not the shape of an export
 */
export function parseGriteExport(text: string): GriteExport {
  const { events, attachments } = requireExport(parseJson(text))
  const read: Event[] = []
  const skipped: SkippedEvent[] = []
  for (const [index, entry] of events.entries()) {
    const outcome = readEvent(entry)
    if (typeof outcome === 'string') skipped.push({ index, eventId: statedId(entry), reason: outcome })
    else read.push(outcome)
  }
  return { events: read, skipped, ...readAttachments(attachments) }
}

type Entry = Readonly<Record<string, unknown>>

function isEntry(value: unknown): value is Entry {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function parseJson(text: string): unknown {
  // The whole text is in memory already, and a log may be of any length.
  const { value, problem } = parseForeignJson(text, shape.anything, {
    name: 'export',
    sizeMax: Number.MAX_SAFE_INTEGER,
  })
  if (problem === null) return value
  throw new InvalidArgsError(problem.detail === null ? problem.message : `${problem.message}: ${problem.detail}`)
}

function requireExport(value: unknown): { readonly events: readonly unknown[]; readonly attachments: Entry } {
  if (!isEntry(value) || !isEntry(value.meta) || !Array.isArray(value.events)) {
    throw new InvalidArgsError('export has no `meta` and `events`')
  }
  if (value.meta.schema_version !== 1) {
    throw new InvalidArgsError(
      `export has schema version ${describeForeign(value.meta.schema_version)}; 1 is understood`,
    )
  }
  return { events: value.events, attachments: isEntry(value.attachments) ? value.attachments : {} }
}

function statedId(entry: unknown): string | null {
  return isEntry(entry) && typeof entry.event_id === 'string' ? shortenText(entry.event_id, 80) : null
}

/** The event, or why it cannot be restored. */
function readEvent(entry: unknown): Event | string {
  if (!isEntry(entry)) return 'not an object'
  try {
    const stated = parseEventId(requireText(entry, 'event_id'))
    const event = identifyEvent({
      issueId: parseIssueId(requireText(entry, 'issue_id')),
      actor: parseActorId(requireText(entry, 'actor')),
      tsUnixMs: requireTime(entry),
      parent: entry.parent === undefined || entry.parent === null ? null : parseEventId(requireText(entry, 'parent')),
      body: readKind(entry.kind),
    })
    if (event.eventId !== stated) return 'event_id does not match its content'
    return { ...event, sig: readSignature(entry.sig) }
  } catch (error) {
    if (error instanceof UnreadableError || error instanceof GriteError) return error.message
    throw error
  }
}

/** Never leaves this module. */
class UnreadableError extends Error {}

function requireText(entry: Entry, key: string): string {
  const value = entry[key]
  if (typeof value !== 'string') throw new UnreadableError(`${key} is not a text`)
  return value
}

function requireTime(entry: Entry): number {
  const time = entry.ts_unix_ms
  if (!Number.isSafeInteger(time) || (time as number) < 0 || (time as number) > limits.tsUnixMsMax) {
    throw new UnreadableError('ts_unix_ms is not an unsigned integer below 2^53')
  }
  return time as number
}

function readSignature(value: unknown): Uint8Array | null {
  if (value === undefined || value === null) return null
  const bytes = typeof value === 'string' ? parseHex(value) : undefined
  if (bytes === undefined) throw new UnreadableError('sig is not hexadecimal')
  return bytes
}

function readKind(kind: unknown): EventBody {
  const [name, ...rest] = isEntry(kind) ? Object.keys(kind) : []
  if (!isEntry(kind) || name === undefined || rest.length > 0) throw new UnreadableError('kind is not one named object')
  if (!eventKindNames.includes(name as EventKindName))
    throw new UnreadableError(`unknown kind ${shortenText(name, 80)}`)
  const stated = kind[name]
  if (!isEntry(stated)) throw new UnreadableError(`${name} is not an object`)
  const fields = Object.entries(eventKinds[name as EventKindName].fields)
  return Object.fromEntries([
    ['type', name],
    ...fields.map(([field, type]) => [field, readField(stated, field, type)]),
  ]) as unknown as EventBody
}

type FieldType = { [Name in EventKindName]: (typeof eventKinds)[Name]['fields'] }[EventKindName] extends infer Fields
  ? Fields extends Readonly<Record<string, infer Type>>
    ? Type
    : never
  : never

function readField(stated: Entry, field: string, type: FieldType): unknown {
  const value = Object.hasOwn(stated, field) ? stated[field] : undefined
  switch (type) {
    case 'text':
      return requireText(stated, field)
    case 'optionalText':
      return value === null || value === undefined ? null : requireText(stated, field)
    case 'issueState':
      return requireWord<IssueStateWord>(value, issueStates, field)
    case 'dependencyType':
      return requireWord<DependencyType>(value, dependencyTypes, field)
    case 'issueId':
      return parseIssueId(requireText(stated, field))
    case 'sha256':
      return parseSha256(requireText(stated, field))
    case 'sortedTexts':
      if (!Array.isArray(value) || !value.every((item) => typeof item === 'string')) {
        throw new UnreadableError(`${field} is not an array of texts`)
      }
      return value
    case 'sortedSymbols':
      return readSymbols(value, stated.symbol_count)
  }
}

function requireWord<Word extends string>(value: unknown, words: readonly Word[], field: string): Word {
  if (!words.includes(value as Word)) throw new UnreadableError(`${field} is not one of ${words.join(', ')}`)
  return value as Word
}

/** The Rust tool's export counts symbols without naming them; none at all can be restored even so. */
function readSymbols(value: unknown, count: unknown): readonly SourceSymbol[] {
  if (value === undefined && count === 0) return []
  if (value === undefined) throw new UnreadableError('symbols are not in the export')
  if (!Array.isArray(value)) throw new UnreadableError('symbols is not an array')
  return value.map((symbol) => {
    if (!isEntry(symbol)) throw new UnreadableError('a symbol is not an object')
    return {
      name: requireText(symbol, 'name'),
      kind: requireText(symbol, 'kind'),
      lineStart: requireU32(symbol, 'line_start'),
      lineEnd: requireU32(symbol, 'line_end'),
    }
  })
}

function requireU32(entry: Entry, key: string): number {
  const value = entry[key]
  if (!Number.isInteger(value) || (value as number) < 0 || (value as number) > 0xffff_ffff) {
    throw new UnreadableError(`${key} is not an unsigned 32-bit integer`)
  }
  return value as number
}

function readAttachments(stated: Entry): Pick<GriteExport, 'attachments' | 'skippedAttachments'> {
  const attachments = new Map<Sha256Hex, Uint8Array>()
  const skippedAttachments: string[] = []
  for (const [name, value] of Object.entries(stated)) {
    const bytes = typeof value === 'string' ? parseBase64(value) : undefined
    if (bytes === undefined || !/^[0-9a-f]{64}$/.test(name)) skippedAttachments.push(name)
    else attachments.set(name as Sha256Hex, bytes)
  }
  return { attachments, skippedAttachments }
}

function parseBase64(text: string): Uint8Array | undefined {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return undefined
  const binary = atob(text)
  const bytes = new Uint8Array(binary.length)
  for (let index = 0; index < binary.length; index++) bytes[index] = binary.charCodeAt(index)
  return bytes
}

export interface RestorePlan {
  /** To be appended in this order; creations come before what they create. */
  readonly events: readonly Event[]
  /** Events that the log holds. */
  readonly unchanged: number
  /** Copies of an event within the file. */
  readonly duplicate: number
  /** Creations of an issue that has one already; they would contribute nothing. */
  readonly skipped: readonly { readonly eventId: EventId; readonly reason: string }[]
}

/**
 * Plans the restoring of verified events.
 *
 * @param known - which of these events the log holds
 * @param created - which of their issues have a creation in the log
 */
export function planRestore(
  events: readonly Event[],
  known: ReadonlySet<EventId>,
  created: ReadonlySet<IssueId>,
): RestorePlan {
  const fresh = new Map<EventId, Event>()
  const issues = new Set(created)
  const skipped: { eventId: EventId; reason: string }[] = []
  let unchanged = 0
  for (const event of [...events].sort(compareByIssue)) {
    if (known.has(event.eventId)) unchanged += 1
    else if (!fresh.has(event.eventId)) fresh.set(event.eventId, event)
  }
  const duplicate = events.length - unchanged - fresh.size
  const kept = [...fresh.values()].filter(({ body, issueId, eventId }) => {
    if (body.type !== 'IssueCreated') return true
    if (issues.has(issueId)) {
      skipped.push({ eventId, reason: 'the issue has a creation already' })
      return false
    }
    issues.add(issueId)
    return true
  })
  return { events: kept, unchanged, duplicate, skipped }
}

function compareByIssue(left: Event, right: Event): number {
  if (left.issueId !== right.issueId) return left.issueId < right.issueId ? -1 : 1
  return compareVersions(left, right)
}
