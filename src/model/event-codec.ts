import { decodeCbor, decodeText, encodeWith } from './cbor.ts'
import type { CborWriter } from './cbor-writer.ts'
import { compareText } from './compare.ts'
import type { Event, EventFacts } from './event.ts'
import {
  type DependencyType,
  dependencyTypes,
  type EventBody,
  type EventKindName,
  eventKindNames,
  eventKinds,
  findEventKind,
  type IssueStateWord,
  issueStates,
  type SourceSymbol,
  type WireType,
} from './event-kinds.ts'
import { describeForeign } from './foreign/describe-foreign.ts'
import { blake2b128, blake2b256 } from './hash.ts'
import { formatHex } from './hex.ts'
import type { ActorId, EventId, IssueId } from './ids.ts'
import { limits } from './limits.ts'

/**
 * Event record (spec §1.2): `[event_id, issue_id, actor, ts, parent, kind_tag, payload, sig]`.
 * Preimage of the id (spec §2.4): `[1, issue_id, actor, ts, parent, kind_tag, payload]`.
 */
const eventSchemaVersion = 1
const recordLength = 8

/** Computes the id of an event: BLAKE2b-256 of its canonical preimage. */
export function computeEventId(facts: EventFacts): EventId {
  return formatHex(blake2b256(encodePreimage(facts))) as EventId
}

/** The bytes whose hash is the event id. */
export function encodePreimage(facts: EventFacts): Uint8Array {
  return encodeWith((writer) => {
    writer.writeArray(recordLength - 1)
    writer.writeInteger(eventSchemaVersion)
    writeShared(writer, facts)
  })
}

/** Creates an event from its facts: computes the id, leaves the signature to the caller. */
export function identifyEvent(facts: EventFacts): Event {
  return { ...facts, eventId: computeEventId(facts), sig: null }
}

/** Encodes the record of an event for a chunk. */
export function encodeRecord(event: Event): Uint8Array {
  return encodeWith((writer) => {
    writer.writeArray(recordLength)
    writer.writeHex(event.eventId)
    writeShared(writer, event)
    if (event.sig === null) writer.writeNull()
    else writer.writeBytes(event.sig)
  })
}

/** The elements that record and preimage share. */
function writeShared(writer: CborWriter, facts: EventFacts): void {
  writer.writeHex(facts.issueId)
  writer.writeHex(facts.actor)
  writer.writeInteger(facts.tsUnixMs)
  if (facts.parent === null) writer.writeNull()
  else writer.writeHex(facts.parent)
  writer.writeInteger(eventKinds[facts.body.type].tag)
  writePayload(writer, facts.body)
}

/** The payload array of a body, with lists sorted as the format requires. */
function writePayload(writer: CborWriter, body: EventBody): void {
  const values = body as unknown as Readonly<Record<string, unknown>>
  const fields = fieldsOfKind(body.type)
  writer.writeArray(fields.length)
  for (const [name, type] of fields) writeField(writer, type, values[name])
}

function writeField(writer: CborWriter, type: WireType, value: unknown): void {
  switch (type) {
    case 'text':
    case 'optionalText':
    case 'issueState':
    case 'dependencyType':
      if (value === null) writer.writeNull()
      else writer.writeText(value as string)
      return
    case 'issueId':
    case 'sha256':
      writer.writeHex(value as string)
      return
    case 'sortedTexts': {
      const texts = [...(value as readonly string[])].sort(compareText)
      writer.writeArray(texts.length)
      for (const text of texts) writer.writeText(text)
      return
    }
    case 'sortedSymbols':
      writeSymbols(writer, value as readonly SourceSymbol[])
  }
}

function writeSymbols(writer: CborWriter, symbols: readonly SourceSymbol[]): void {
  const sorted = [...symbols].sort(
    (left, right) => compareText(left.name, right.name) || compareText(left.kind, right.kind),
  )
  writer.writeArray(sorted.length)
  for (const { name, kind, lineStart, lineEnd } of sorted) {
    writer.writeArray(4)
    writer.writeText(name)
    writer.writeText(kind)
    writer.writeInteger(lineStart)
    writer.writeInteger(lineEnd)
  }
}

/** Why a record is not a usable event. `eventId` is null when even the id is unreadable. */
export interface DamagedRecord {
  readonly eventId: EventId | null
  readonly reason: string
}

/** The event, or the reason why there is none. The id is not verified here: `verifyRecord` needs the raw bytes. */
export type DecodedRecord = { readonly event: Event } | { readonly damaged: DamagedRecord }

/** Decodes one record that `scanCbor` has accepted. Never throws on foreign bytes. */
export function decodeRecord(bytes: Uint8Array): DecodedRecord {
  const record = decodeCbor(bytes)
  if (!Array.isArray(record) || record.length !== recordLength) return damaged(null, 'record is not an array of 8')
  const [id, issue, actor, ts, parent, tag, payload, sig] = record as unknown[]
  const eventId = readId<EventId>(id, 32)
  if (eventId === undefined) return damaged(null, 'event_id is not 32 bytes')
  const issueId = readId<IssueId>(issue, 16)
  if (issueId === undefined) return damaged(eventId, 'issue_id is not 16 bytes')
  const actorId = readId<ActorId>(actor, 16)
  if (actorId === undefined) return damaged(eventId, 'actor is not 16 bytes')
  const tsUnixMs = readTime(ts)
  if (tsUnixMs === undefined) return damaged(eventId, 'ts_unix_ms is not an unsigned integer below 2^53')
  const parentId = parent === null ? null : readId<EventId>(parent, 32)
  if (parentId === undefined) return damaged(eventId, 'parent is neither null nor 32 bytes')
  if (sig !== null && !(sig instanceof Uint8Array)) return damaged(eventId, 'sig is neither null nor bytes')
  const kind = typeof tag === 'number' ? findEventKind(tag) : undefined
  if (kind === undefined) return damaged(eventId, `unknown kind tag ${describeForeign(tag)}`)
  const body = decodePayload(kind, payload)
  if (typeof body === 'string') return damaged(eventId, body)
  // Not `slice`: on a Buffer that returns a view, which would keep the whole chunk in memory.
  const signature = sig === null ? null : new Uint8Array(sig)
  return { event: { eventId, issueId, actor: actorId, tsUnixMs, parent: parentId, body, sig: signature } }
}

/** What a search reads of a comment. */
export interface CommentFacts {
  readonly eventId: EventId
  readonly issueId: IssueId
  readonly actor: ActorId
  readonly tsUnixMs: number
  readonly body: string
}

/**
 * Reads a comment on one of some issues from its record; undefined for any other record. A scan of all events takes a
 * tenth of the time that decoding takes.
 *
 * @param bytes - a verified record in canonical form, as the view holds it: fixed places up to the time, then
 * `time, parent, kind tag, [body], signature`
 */
export function readCommentOn(issues: ReadonlySet<IssueId>, bytes: Uint8Array): CommentFacts | undefined {
  const time = readHead(bytes, 1 + 34 + 17 + 17)
  const tagAt = time.end + (bytes[time.end] === cborNull ? 1 : 34)
  if (bytes[tagAt] !== eventKinds.CommentAdded.tag) return undefined
  const issueId = formatHex(bytes, 36, 52) as IssueId
  if (!issues.has(issueId)) return undefined
  const text = readHead(bytes, tagAt + 2)
  return {
    eventId: formatHex(bytes, 3, 35) as EventId,
    issueId,
    actor: formatHex(bytes, 53, 69) as ActorId,
    tsUnixMs: time.argument,
    body: decodeText(bytes.subarray(text.end, text.end + text.argument)),
  }
}

const cborNull = 0xf6

/** The argument of the CBOR item at a place, and the place after it. */
function readHead(bytes: Uint8Array, at: number): { readonly argument: number; readonly end: number } {
  const short = (bytes[at] as number) & 0x1f
  const length = short < 24 ? 0 : 1 << (short - 24)
  let argument = length === 0 ? short : 0
  for (let index = 1; index <= length; index++) argument = argument * 256 + (bytes[at + index] as number)
  return { argument, end: at + 1 + length }
}

function damaged(eventId: EventId | null, reason: string): DecodedRecord {
  return { damaged: { eventId, reason } }
}

/** Fields of each kind in payload order. */
const payloadFields = new Map<EventKindName, readonly (readonly [string, WireType])[]>(
  eventKindNames.map((kind) => [kind, Object.entries(eventKinds[kind].fields)]),
)

function fieldsOfKind(kind: EventKindName): readonly (readonly [string, WireType])[] {
  return payloadFields.get(kind) ?? []
}

function decodePayload(kind: EventKindName, payload: unknown): EventBody | string {
  const fields = fieldsOfKind(kind)
  if (!Array.isArray(payload) || payload.length !== fields.length) {
    return `${kind} payload is not an array of ${fields.length}`
  }
  const body: Record<string, unknown> = { type: kind }
  let index = 0
  for (const [name, type] of fields) {
    const value = decodeField(type, payload[index++])
    if (value === undefined) return `${kind} ${name} is not ${wireTypeWords[type]}`
    body[name] = value
  }
  return body as unknown as EventBody
}

const wireTypeWords: Readonly<Record<WireType, string>> = {
  text: 'text',
  optionalText: 'text or null',
  sortedTexts: 'an array of text',
  issueState: `one of ${issueStates.join(', ')}`,
  dependencyType: `one of ${dependencyTypes.join(', ')}`,
  issueId: '16 bytes',
  sha256: '32 bytes',
  sortedSymbols: 'an array of [text, text, u32, u32]',
}

/** The domain value; undefined when the wire value has another type. */
function decodeField(type: WireType, value: unknown): unknown {
  switch (type) {
    case 'text':
      return readText(value)
    case 'optionalText':
      return value === null ? null : readText(value)
    case 'issueState':
      return issueStates.includes(value as IssueStateWord) ? value : undefined
    case 'dependencyType':
      return dependencyTypes.includes(value as DependencyType) ? value : undefined
    case 'issueId':
      return readId(value, 16)
    case 'sha256':
      return readId(value, 32)
    case 'sortedTexts':
      return Array.isArray(value) && value.every((item) => readText(item) !== undefined) ? value : undefined
    case 'sortedSymbols':
      return readSymbols(value)
  }
}

function readText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function readId<Id extends string>(value: unknown, byteLength: number): Id | undefined {
  return value instanceof Uint8Array && value.length === byteLength ? (formatHex(value) as Id) : undefined
}

function readTime(value: unknown): number | undefined {
  const time = typeof value === 'bigint' ? Number(value) : value
  return typeof time === 'number' && Number.isInteger(time) && time >= 0 && time <= limits.tsUnixMsMax
    ? time
    : undefined
}

function readSymbols(value: unknown): readonly SourceSymbol[] | undefined {
  if (!Array.isArray(value)) return undefined
  const symbols: SourceSymbol[] = []
  for (const item of value) {
    if (!Array.isArray(item) || item.length !== 4) return undefined
    const [name, kind, lineStart, lineEnd] = item as unknown[]
    if (typeof name !== 'string' || typeof kind !== 'string' || !isU32(lineStart) || !isU32(lineEnd)) return undefined
    symbols.push({ name, kind, lineStart, lineEnd })
  }
  return symbols
}

function isU32(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 0xffff_ffff
}

/** The one issue id of all project context (spec §2.2). */
export const projectContextIssueId = 'f'.repeat(32) as IssueId

/** The issue id of the file context of one path (spec §2.2). */
export function deriveContextIssueId(path: string): IssueId {
  return formatHex(blake2b128(new TextEncoder().encode(`grite:context:file:${path}`))) as IssueId
}
