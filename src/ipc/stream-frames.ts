/** What the frames of record streams carry (docs/ipc.md, Append and Tail). */
import { type ActorId, formatHex, parseHex } from '../model/index.ts'
import { WireSyntaxError, type WireValue } from './wire-values.ts'

/** A record to append. */
export interface WireDraft {
  readonly payload: Uint8Array
  readonly key?: Uint8Array | null | undefined
  readonly contentType?: string | null | undefined
  readonly headers?: readonly (readonly [string, string | Uint8Array])[] | undefined
  readonly writer?: ActorId | null | undefined
  readonly producer?: { readonly id: string; readonly sequence: number } | null | undefined
}

export interface AppendRequest {
  readonly stream: string
  readonly drafts: readonly WireDraft[]
  readonly durability: 'memory' | 'local'
  readonly expectedOffset: number | undefined
}

export interface AppendAnswer {
  readonly incarnation: string
  readonly epoch: number
  readonly offset: number
  readonly nextOffset: number
  readonly level: 'memory' | 'local'
  readonly repeated: boolean
}

export interface TailRequest {
  readonly stream: string
  /** Null for the end of the stream. */
  readonly from: number | null
  /** Bytes. */
  readonly credit: number
  /** False for a poll: only what is there now. */
  readonly waits?: boolean
}

/** What ends a poll. */
export interface PollAnswer {
  /** Where the next poll begins. */
  readonly nextOffset: number
  /** Offset after the newest record. */
  readonly end: number
}

/** A record of a tail. */
export interface WireRecord {
  readonly offset: number
  /** The stored record. */
  readonly bytes: Uint8Array
  readonly origin: { readonly streamId: string; readonly incarnation: string; readonly offset: number } | null
}

/** The elements of an append after its id. */
export function appendRequest({ stream, drafts, durability, expectedOffset }: AppendRequest): readonly WireValue[] {
  return [stream, drafts.map(draftToWire), durability, expectedOffset ?? null]
}

/** @throws {WireSyntaxError} naming what is wrong */
export function parseAppendRequest([stream, drafts, durability, expected]: readonly (
  | WireValue
  | undefined
)[]): AppendRequest {
  if (durability !== 'memory' && durability !== 'local') return fail('a durability is `memory` or `local`')
  return {
    stream: requireText(stream, 'a stream'),
    drafts: requireList(drafts, 'the records').map(parseDraft),
    durability,
    expectedOffset: expected === null || expected === undefined ? undefined : requireCount(expected, 'an offset'),
  }
}

export function appendAnswer(answer: AppendAnswer): WireValue {
  const { incarnation, epoch, offset, nextOffset, level, repeated } = answer
  return [incarnation, epoch, offset, nextOffset, level, repeated]
}

/** @throws {WireSyntaxError} */
export function parseAppendAnswer(value: WireValue): AppendAnswer {
  const [incarnation, epoch, offset, nextOffset, level, repeated] = requireList(value, 'the answer')
  if (level !== 'memory' && level !== 'local') return fail('an unknown level of durability')
  return {
    incarnation: requireText(incarnation, 'an incarnation'),
    epoch: requireCount(epoch, 'an epoch'),
    offset: requireCount(offset, 'an offset'),
    nextOffset: requireCount(nextOffset, 'an offset'),
    level,
    repeated: repeated === true,
  }
}

/** The elements of a tail after its id. */
export function tailRequest({ stream, from, credit, waits = true }: TailRequest): readonly WireValue[] {
  return waits ? [stream, from, credit] : [stream, from, credit, false]
}

/** @throws {WireSyntaxError} */
export function parseTailRequest([stream, from, credit, waits = true]: readonly (
  | WireValue
  | undefined
)[]): TailRequest {
  if (typeof waits !== 'boolean') return fail('whether a tail waits must be true or false')
  return {
    stream: requireText(stream, 'a stream'),
    from: from === null ? null : requireCount(from, 'an offset'),
    credit: requireCount(credit, 'a credit'),
    waits,
  }
}

export function pollAnswer({ nextOffset, end }: PollAnswer): WireValue {
  return [nextOffset, end]
}

/** @throws {WireSyntaxError} */
export function parsePollAnswer(value: WireValue): PollAnswer {
  const [nextOffset, end] = requireList(value, 'the answer of a poll')
  return { nextOffset: requireCount(nextOffset, 'an offset'), end: requireCount(end, 'an offset') }
}

export function wireRecord({ offset, bytes, origin }: WireRecord): WireValue {
  return [offset, bytes, origin === null ? null : [origin.streamId, origin.incarnation, origin.offset]]
}

/** @throws {WireSyntaxError} */
export function parseRecords(value: WireValue): readonly WireRecord[] {
  return requireList(value, 'the records').map((each) => {
    const [offset, bytes, origin] = requireList(each, 'a record')
    if (!(bytes instanceof Uint8Array)) return fail('a record has no bytes')
    return { offset: requireCount(offset, 'an offset'), bytes, origin: parseOrigin(origin) }
  })
}

function parseOrigin(value: WireValue | undefined): WireRecord['origin'] {
  if (value === null || value === undefined) return null
  const [streamId, incarnation, offset] = requireList(value, 'an origin')
  return {
    streamId: requireText(streamId, 'a stream'),
    incarnation: requireText(incarnation, 'an incarnation'),
    offset: requireCount(offset, 'an offset'),
  }
}

function draftToWire({ writer, key, contentType, headers, producer, payload }: WireDraft): WireValue {
  return [
    writer == null ? null : (parseHex(writer) ?? null),
    key ?? null,
    contentType ?? null,
    headers ?? [],
    producer == null ? null : [producer.id, producer.sequence],
    payload,
  ]
}

function parseDraft(value: WireValue): WireDraft {
  const [writer, key, contentType, headers, producer, payload] = requireList(value, 'a record')
  if (!(payload instanceof Uint8Array)) return fail('a record has no payload')
  return {
    writer: writer === null ? null : parseWriter(writer),
    key: key === null ? null : key instanceof Uint8Array ? key : fail('a key is bytes'),
    contentType: contentType === null ? null : requireText(contentType, 'a content type'),
    headers: requireList(headers, 'the headers').map(parseHeader),
    producer: producer === null ? null : parseProducer(producer),
    payload,
  }
}

const writerBytes = 16

function parseWriter(value: WireValue | undefined): ActorId {
  if (!(value instanceof Uint8Array) || value.length !== writerBytes) return fail('a writer is 16 bytes')
  return formatHex(value) as ActorId
}

function parseHeader(value: WireValue): readonly [string, string | Uint8Array] {
  const [name, content] = requireList(value, 'a header')
  if (typeof content !== 'string' && !(content instanceof Uint8Array)) return fail('a header is text or bytes')
  return [requireText(name, 'the name of a header'), content]
}

function parseProducer(value: WireValue | undefined): WireDraft['producer'] {
  const [id, sequence] = requireList(value, 'a producer')
  return { id: requireText(id, 'a producer'), sequence: requireCount(sequence, 'a sequence') }
}

function requireList(value: WireValue | undefined, what: string): readonly WireValue[] {
  return Array.isArray(value) ? value : fail(`${what}: expected an array`)
}

function requireText(value: WireValue | undefined, what: string): string {
  return typeof value === 'string' ? value : fail(`${what}: expected text`)
}

function requireCount(value: WireValue | undefined, what: string): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
    ? value
    : fail(`${what}: expected a whole number from 0`)
}

function fail(fault: string): never {
  throw new WireSyntaxError(fault)
}
