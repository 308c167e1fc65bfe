/**
 * The view's keyspace (design §5), built and parsed only here. Ids in keys are raw bytes, times are big-endian, free
 * text ends in a NUL byte; a scan checks the length of the rest, so text that contains a NUL is not mistaken for a
 * shorter one.
 */

import type { ActorId, CardSlot, DependencyType, EventId, IssueId, IssueStateWord } from '../model/index.ts'
import { formatHex } from '../model/index.ts'

const issueIdBytes = 16
const actorIdBytes = 16
const eventIdBytes = 32

export const eventKey = (id: EventId): Buffer => join('event/', hexBytes(id))
export const issueStateKey = (id: IssueId): Buffer => issueKey('issue_state/', id)
/** The list row of an issue as JSON text. */
export const issueRowKey = (id: IssueId): Buffer => issueKey('issue_row/', id)
export const issueEventKey = (issue: IssueId, tsUnixMs: number, id: EventId): Buffer =>
  join('issue_events/', hexBytes(issue), '/', timeBytes(tsUnixMs), '/', hexBytes(id))
export const labelKey = (label: string, issue: IssueId): Buffer => issueKey(`label_index/${label}\0`, issue)
export const assigneeKey = (user: string, issue: IssueId): Buffer => issueKey(`assignee_index/${user}\0`, issue)
export const stateKey = (state: IssueStateWord, updatedTs: number, issue: IssueId): Buffer =>
  Buffer.from(`state_index/${state}/${timeCharacters(updatedTs)}${idCharacters(issue)}`, 'latin1')
/** Every edge stored with an issue, see dependency-list.ts. */
export const dependencyForwardKey = (source: IssueId): Buffer => join('dep_forward/', hexBytes(source))
export const dependencyReverseKey = (target: IssueId, source: IssueId, type: DependencyType): Buffer =>
  join('dep_reverse/', hexBytes(target), '/', hexBytes(source), `/${type}`)
export const aliasKey = (originalId: string, issue: IssueId): Buffer =>
  join('alias/', `${originalId}\0`, hexBytes(issue))
/** An imported issue with a kept edge to an original id, whether or not that issue is here. */
export const importedEdgeKey = (originalId: string, issue: IssueId): Buffer =>
  join('import_edge/', `${originalId}\0`, hexBytes(issue))
/** The blob with an attachment's content: the value is its object id as text. */
export const attachmentKey = (sha256: string): Buffer => join('attachment/', hexBytes(sha256))
export const fileContextKey = (path: string): Buffer => join('context_files/', path)
export const symbolKey = (name: string, path: string): Buffer => join('context_symbols/', `${name}\0${path}`)
export const projectContextKey = (key: string): Buffer => join('context_project/', key)
/** The combined cards of an actor, as JSON. */
export const actorKey = (id: ActorId): Buffer => join('actor/', hexBytes(id))
/** The winning card of an actor in a slot, as JSON. */
export const actorCardKey = (id: ActorId, slot: CardSlot): Buffer => join('actor_card/', hexBytes(id), `/${slot}`)
/** Every event with the key of a card, valid or not. */
export const cardEventKey = (id: EventId): Buffer => join('card_event/', hexBytes(id))
/** Every signature of an event that has several. */
export const eventCopyKey = (id: EventId, sig: Uint8Array): Buffer => join('event_copy/', hexBytes(id), sig)
export const metaKey = (name: string): Buffer => join('meta/', name)

/** Half-open range of all keys that begin with a prefix. */
export interface KeyRange {
  readonly gte: Buffer
  readonly lt: Buffer
}

export const allIssueStates = (): KeyRange => rangeOf(join('issue_state/'))
export const allIssueRows = (): KeyRange => rangeOf(join('issue_row/'))
/** A view's own metadata. */
export const metaKeys = (): KeyRange => rangeOf(join('meta/'))
export const allEvents = (): KeyRange => rangeOf(join('event/'))
export const eventsOfIssue = (issue: IssueId): KeyRange => rangeOf(join('issue_events/', hexBytes(issue), '/'))
export const issuesOfLabel = (label: string): KeyRange => rangeOf(join('label_index/', `${label}\0`))
export const issuesOfAssignee = (user: string): KeyRange => rangeOf(join('assignee_index/', `${user}\0`))
export const issuesOfState = (state: IssueStateWord): KeyRange => rangeOf(join(`state_index/${state}/`))
export const allDependencies = (): KeyRange => rangeOf(join('dep_forward/'))
export const dependentsOf = (target: IssueId): KeyRange => rangeOf(join('dep_reverse/', hexBytes(target), '/'))
export const issuesOfAlias = (originalId: string): KeyRange => rangeOf(join('alias/', `${originalId}\0`))
export const allAliases = (): KeyRange => rangeOf(join('alias/'))
export const allImportedEdges = (): KeyRange => rangeOf(join('import_edge/'))
export const allLabels = (): KeyRange => rangeOf(join('label_index/'))
export const allAssignees = (): KeyRange => rangeOf(join('assignee_index/'))
export const allFileContexts = (): KeyRange => rangeOf(join('context_files/'))
/** Symbols whose names begin with a prefix. */
export const symbolsOfPrefix = (prefix: string): KeyRange => rangeOf(join('context_symbols/', prefix))
export const symbolsNamed = (name: string): KeyRange => rangeOf(join('context_symbols/', `${name}\0`))
export const projectContextsOfPrefix = (prefix: string): KeyRange => rangeOf(join('context_project/', prefix))

/** The name of a symbol and the path of its file. Neither has a NUL byte. */
export interface SymbolName {
  readonly name: string
  readonly path: string
}

export function parseSymbolKey(key: Buffer): SymbolName {
  const text = key.toString('utf8', symbolKeyHead)
  const end = text.indexOf('\0')
  return { name: text.slice(0, end), path: text.slice(end + 1) }
}

const symbolKeyHead = 'context_symbols/'.length

export const allCardEvents = (): KeyRange => rangeOf(join('card_event/'))
export const copiesOfEvent = (id: EventId): KeyRange => rangeOf(join('event_copy/', hexBytes(id)))

/** Actors whose id begins with a hex prefix of any length; all for the empty one. */
export const actorsOfPrefix = (prefix: string): KeyRange => idsOfPrefix('actor/', prefix, actorIdBytes)

/** Rows of issues whose id begins with a hex prefix of any length, odd ones included. */
export const issueRowsOfPrefix = (prefix: string): KeyRange => idsOfPrefix('issue_row/', prefix, issueIdBytes)

export const issueStatesOfPrefix = (prefix: string): KeyRange => idsOfPrefix('issue_state/', prefix, issueIdBytes)

/** Events whose id begins with a hex prefix of any length, odd ones included. */
export const eventsOfPrefix = (prefix: string): KeyRange => idsOfPrefix('event/', prefix, eventIdBytes)

function idsOfPrefix(family: string, prefix: string, idBytes: number): KeyRange {
  // Of whole bytes: with fewer buffers, for the many ids of a list.
  if (prefix.length % 2 === 0) return rangeOf(Buffer.from(family + hexBytes(prefix).latin1Slice(), 'latin1'))
  const head = join(family)
  const low = hexBytes(prefix.padEnd(2 * idBytes, '0'))
  const high = hexBytes(prefix.padEnd(2 * idBytes, 'f'))
  return { gte: Buffer.concat([head, low]), lt: successor(Buffer.concat([head, high])) }
}

/** The rows before and after an issue's row. */
export function neighboursOfRow(id: IssueId): { readonly before: KeyRange; readonly after: KeyRange } {
  const { gte, lt } = allIssueRows()
  const key = issueRowKey(id)
  return { before: { gte, lt: key }, after: { gte: Buffer.concat([key, Buffer.alloc(1)]), lt } }
}

/** The issue id at the end of an index key; undefined when the scanned text was only the start of a longer one. */
export function issueIdAtEnd(key: Buffer, range: KeyRange, between = 0): IssueId | undefined {
  if (key.length !== range.gte.length + between + issueIdBytes) return undefined
  return formatHex(key.subarray(-issueIdBytes)) as IssueId
}

/** Bytes of the time between state and id in `state_index/`. */
export const stateIndexTimeBytes = 8

export function parseEventKey(key: Buffer): EventId {
  return formatHex(key.subarray(-eventIdBytes)) as EventId
}

/** The id's 32 bytes, as in the key. */
export function eventIdBytesAtEnd(key: Buffer): Buffer {
  return key.subarray(-eventIdBytes)
}

export function parseIssueEventKey(key: Buffer): EventId {
  return formatHex(key.subarray(-eventIdBytes)) as EventId
}

/** The other issue and the type of a `dep_reverse/` key. */
export function parseDependencyReverseKey(key: Buffer): { readonly other: IssueId; readonly type: DependencyType } {
  const start = key.indexOf('/') + 1 + issueIdBytes + 1
  return {
    other: formatHex(key.subarray(start, start + issueIdBytes)) as IssueId,
    type: key.toString('utf8', start + issueIdBytes + 1) as DependencyType,
  }
}

/** The text of a `label_index/`, `assignee_index/` or `import_edge/` key. */
export function parseIndexText(key: Buffer): string {
  return key.toString('utf8', key.indexOf('/') + 1, key.length - issueIdBytes - 1)
}

/** The issue of an `import_edge/` key. */
export function parseImportedEdgeSource(key: Buffer): IssueId {
  return formatHex(key.subarray(-issueIdBytes)) as IssueId
}

/** The event of a `card_event/` key. */
export function parseCardEventKey(key: Buffer): EventId {
  return formatHex(key.subarray(-eventIdBytes)) as EventId
}

/** The signature at the end of an `event_copy/` key. */
export function parseEventCopyKey(key: Buffer, range: KeyRange): Uint8Array {
  return key.subarray(range.gte.length)
}

/** The issue of an `issue_state/` key; undefined for any other key. */
export function issueIdOfStateKey(key: Buffer): IssueId | undefined {
  const isOne =
    key.length === issueStatePrefix.length + issueIdBytes &&
    key.toString('latin1', 0, issueStatePrefix.length) === issueStatePrefix
  return isOne ? (formatHex(key.subarray(-issueIdBytes)) as IssueId) : undefined
}

const issueStatePrefix = 'issue_state/'

export function parseIssueRowKey(key: Buffer): IssueId {
  return formatHex(key.subarray(-issueIdBytes)) as IssueId
}

function rangeOf(prefix: Buffer): KeyRange {
  return { gte: prefix, lt: successor(prefix) }
}

/** The smallest key greater than every key with this prefix. The bytes are never all FF: they begin with text. */
function successor(prefix: Buffer): Buffer {
  let end = prefix.length
  while (prefix[end - 1] === 0xff) end--
  const next = Buffer.from(prefix.subarray(0, end))
  next[end - 1] = (next[end - 1] as number) + 1
  return next
}

function join(...parts: readonly (string | Uint8Array)[]): Buffer {
  return Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'utf8') : part)))
}

/**
 * A key that ends in an issue's id. A rebuild makes eight of them for each issue: from one text, in a third of the time that
 * joining buffers takes.
 */
function issueKey(head: string, id: IssueId): Buffer {
  return isAscii.test(head) ? Buffer.from(head + idCharacters(id), 'latin1') : join(head, hexBytes(id))
}

const isAscii = /^[\0-\x7f]*$/

/** The keys of one issue are made one after the other. */
const newestId = { hex: '', characters: '' }

/** An id with each of its bytes as a character. */
function idCharacters(id: IssueId): string {
  if (id !== newestId.hex) {
    newestId.characters = hexBytes(id).latin1Slice()
    newestId.hex = id
  }
  return newestId.characters
}

function timeCharacters(tsUnixMs: number): string {
  return timeBytes(tsUnixMs).latin1Slice()
}

/** Ids are already checked; the length is asserted because a key of another length would belong to another issue. */
function hexBytes(hex: string): Buffer {
  const bytes = Buffer.from(hex, 'hex')
  if (bytes.length * 2 !== hex.length) throw new TypeError(`'${hex}' is not hex`)
  return bytes
}

function timeBytes(tsUnixMs: number): Buffer {
  const bytes = Buffer.allocUnsafe(8)
  bytes.writeUInt32BE(Math.floor(tsUnixMs / 0x1_0000_0000), 0)
  bytes.writeUInt32BE(tsUnixMs % 0x1_0000_0000, 4)
  return bytes
}

/**
 * The `event/` and `issue_events/` keys of verified records, whose ids are at fixed positions: 88, 58 20 <event id>,
 * 50 <issue id>. The two most frequent keys of a rebuild are copied into the same two buffers again and again, not
 * formatted and parsed.
 */
export class RecordKeys {
  /** Both hold the keys of the record that was set last. */
  readonly event = Buffer.from(`event/${' '.repeat(eventIdBytes)}`)
  readonly issueEvent = Buffer.from(
    `issue_events/${' '.repeat(issueIdBytes)}/${' '.repeat(8)}/${' '.repeat(eventIdBytes)}`,
  )

  set(record: Uint8Array, tsUnixMs: number): void {
    const { event, issueEvent } = this
    for (let index = 0; index < eventIdBytes; index++) {
      const byte = record[recordEventIdAt + index] as number
      event[eventIdAt + index] = byte
      issueEvent[issueEventIdAt + index] = byte
    }
    for (let index = 0; index < issueIdBytes; index++) {
      issueEvent[issueIdAt + index] = record[recordIssueIdAt + index] as number
    }
    issueEvent.writeUInt32BE(Math.floor(tsUnixMs / 0x1_0000_0000), timeAt)
    issueEvent.writeUInt32BE(tsUnixMs % 0x1_0000_0000, timeAt + 4)
  }
}

const recordEventIdAt = 3
const recordIssueIdAt = recordEventIdAt + eventIdBytes + 1
const eventIdAt = 'event/'.length
const issueIdAt = 'issue_events/'.length
const timeAt = issueIdAt + issueIdBytes + 1
const issueEventIdAt = timeAt + 8 + 1
