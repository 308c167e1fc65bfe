import { hashObject, type ObjectFormat, type Oid } from '../git/index.ts'
import { type ActorId, type Event, encodeRecord, limits } from '../model/index.ts'
import type { IssueBatch, IssueSegment } from './issue-codec.ts'
import { attachmentFolder } from './issue-codec.ts'
import type { SegmentCommit } from './segment-codec.ts'

/** The commit date of something that happens now, in the local zone. */
export function commitDate(nowUnixMs: number): SegmentCommit['date'] {
  return { unixSeconds: Math.floor(nowUnixMs / 1000), offsetMinutes: -new Date(nowUnixMs).getTimezoneOffset() }
}

export interface NewBatch {
  readonly actor: ActorId
  /** Not empty. */
  readonly events: readonly Event[]
  /** Attachment contents by SHA-256 hex. */
  readonly attachments?: ReadonlyMap<string, Uint8Array>
  /** Idempotency keys of the commands in this batch. */
  readonly requests?: readonly string[]
  readonly nowUnixMs: number
}

/** A batch of events that are new to the log. */
export function batchOfEvents({ actor, events, attachments, requests, nowUnixMs }: NewBatch): IssueBatch {
  const [first] = events
  if (first === undefined) throw new TypeError('a batch holds at least one event')
  return {
    actor,
    records: events.map(encodeRecord),
    firstTsUnixMs: first.tsUnixMs,
    extras: new Map([...(attachments ?? [])].map(([sha256, bytes]) => [`${attachmentFolder}${sha256}`, bytes])),
    meta: requests?.length ? { requests } : {},
    date: commitDate(nowUnixMs),
  }
}

/** The segment that a reader would find in the commit of a batch, made without reading it back. */
export function segmentOfBatch(
  { records, extras, meta }: IssueBatch,
  events: readonly Event[],
  { head, parent, format }: { readonly head: Oid; readonly parent: Oid | null; readonly format: ObjectFormat },
): IssueSegment {
  const blobs = [...(extras ?? [])].map(([path, content]): [string, Oid] => [
    path,
    typeof content === 'string' ? content : hashObject(format, 'blob', content),
  ])
  return {
    commit: head,
    parents: parent === null ? [] : [parent],
    items: events.map((event, index) => ({ event, record: records[index] as Uint8Array })),
    problems: [],
    opaqueRecords: [],
    extras: new Map(blobs),
    meta: meta ?? {},
  }
}

/**
 * Batches that bring what is missing of other segments onto a chain (docs/format.md#re-append): raw records of every
 * event whose id verifies, oldest first; files beside the chunks; unknown keys of meta.json under `carried`.
 *
 * @param isMissing - tells for an event id, and for the bytes of a record this version cannot use, whether to carry it
 */
export function batchesOfMissing(
  segments: readonly IssueSegment[],
  isMissing: (eventIdHex: string) => boolean,
  nowUnixMs: number,
): IssueBatch[] {
  const batches: IssueBatch[] = []
  let open = emptyCarry()
  const seal = () => {
    if (open.records.length > 0) batches.push(sealCarry(open, nowUnixMs))
    open = emptyCarry()
  }
  const taken = new Set<string>()
  for (const segment of segments) {
    const records = recordsOf(segment).filter(({ eventId }) => isMissing(eventId) && !taken.has(eventId))
    if (records.length === 0) continue
    for (const { eventId, record, actor, tsUnixMs } of records) {
      if (open.records.length >= limits.batchEventsMax || open.bytes + record.length > limits.batchBytesMax) seal()
      taken.add(eventId)
      open.first ??= { actor, tsUnixMs }
      open.records.push(record)
      open.bytes += record.length
    }
    for (const [path, oid] of segment.extras) open.extras.set(path, oid)
    carryMeta(open, segment.meta)
  }
  seal()
  return batches
}

interface Carry {
  first: { readonly actor: ActorId; readonly tsUnixMs: number } | null
  readonly records: Uint8Array[]
  bytes: number
  readonly extras: Map<string, Oid>
  readonly requests: unknown[]
  carried: Record<string, unknown>
}

function emptyCarry(): Carry {
  return { first: null, records: [], bytes: 0, extras: new Map(), requests: [], carried: {} }
}

function sealCarry({ first, records, extras, requests, carried }: Carry, nowUnixMs: number): IssueBatch {
  if (first === null) throw new TypeError('a carry with records has a first one')
  return {
    actor: first.actor,
    records,
    firstTsUnixMs: first.tsUnixMs,
    extras,
    meta: {
      ...(requests.length > 0 ? { requests } : {}),
      ...(Object.keys(carried).length > 0 ? { carried } : {}),
    },
    date: commitDate(nowUnixMs),
  }
}

const ownMetaKeys = new Set(['schema_version', 'actor_id', 'chunk_hash', 'prev_wal'])

function carryMeta(open: Carry, meta: IssueSegment['meta']): void {
  for (const [key, value] of Object.entries(meta ?? {})) {
    if (ownMetaKeys.has(key)) continue
    if (key === 'requests' && Array.isArray(value)) open.requests.push(...value)
    else if (key === 'carried' && typeof value === 'object') open.carried = { ...open.carried, ...value }
    else open.carried = { ...open.carried, [key]: value }
  }
}

interface CarriedRecord {
  readonly eventId: string
  readonly record: Uint8Array
  readonly actor: ActorId
  readonly tsUnixMs: number
}

function recordsOf(segment: IssueSegment): CarriedRecord[] {
  const known = segment.items.map(({ event, record }) => ({
    eventId: event.eventId as string,
    record,
    actor: event.actor,
    tsUnixMs: event.tsUnixMs,
  }))
  return [...known, ...segment.opaqueRecords.map(readOpaque)]
}

/** Id, actor and time of a record whose kind is unknown: its first four elements have fixed places. */
function readOpaque(record: Uint8Array): CarriedRecord {
  const bytes = Buffer.from(record.buffer, record.byteOffset, record.length)
  // 88, 58 20 <event id>, 50 <issue id>, 50 <actor>, <ts>: the record passed the canonical check when it was read.
  const tsHead = 1 + 34 + 17 + 17
  return {
    eventId: bytes.toString('hex', 3, 35),
    record,
    actor: bytes.toString('hex', 53, 69) as ActorId,
    tsUnixMs: bytes[tsHead] === 0x1b ? Number(bytes.readBigUInt64BE(tsHead + 1)) : 0,
  }
}
