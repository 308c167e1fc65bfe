import { hashObject, type ObjectFormat, type Oid } from '../../git/index.ts'
import { type ActorId, type Event, type EventId, encodeRecord, limits, StorageError } from '../../model/index.ts'
import type { SegmentCommit } from '../segment-codec.ts'
import { type CarriedValue, carriedMetaOf } from './carried-meta.ts'
import type { IssueBatch, IssueSegment } from './issue-codec.ts'
import { attachmentFolder } from './issue-codec.ts'

/**
 * Refuses a clock that was never set. Events and git commits have no times before 1970.
 * @throws {StorageError}
 */
export function requireUsableClock(nowUnixMs: number): void {
  if (nowUnixMs >= 0) return
  const says = new Date(nowUnixMs).toISOString()
  throw new StorageError(`the clock of this machine says ${says}; grite writes no times before 1970`, {
    details: { now: says },
    hints: ['Set the clock (`date` shows it), then run the command again'],
  })
}

/**
 * The commit date for a moment, so many minutes east of UTC.
 * @throws {StorageError} on a clock before 1970
 */
export function commitDate(unixMs: number, offsetMinutes = 0): SegmentCommit['date'] {
  requireUsableClock(unixMs)
  return { unixSeconds: Math.floor(unixMs / 1000), offsetMinutes }
}

/** The events that one of several commands in a commit wrote. */
export interface RequestNote {
  /** Its idempotency key; null when it has none. */
  readonly key: string | null
  readonly events: readonly EventId[]
  /** Of an undo: the events that it took back. */
  readonly undoes?: readonly EventId[]
  /** Of a redo: the events of the undo that it took back. */
  readonly redoes?: readonly EventId[]
}

export interface NewBatch {
  readonly actor: ActorId
  /** Not empty. */
  readonly events: readonly Event[]
  /** Attachment contents by SHA-256 hex. */
  readonly attachments?: ReadonlyMap<string, Uint8Array>
  /** Events by command, when there are several commands or one gave a key. */
  readonly requests?: readonly RequestNote[]
  readonly nowUnixMs: number
  /** Time zone of the command, in minutes east of UTC; default UTC. */
  readonly offsetMinutes?: number
}

/** A batch of events that are new to the log. */
export function batchOfEvents({
  actor,
  events,
  attachments,
  requests,
  nowUnixMs,
  offsetMinutes,
}: NewBatch): IssueBatch {
  const [first] = events
  if (first === undefined) throw new TypeError('a batch holds at least one event')
  return {
    actor,
    records: events.map(encodeRecord),
    firstTsUnixMs: first.tsUnixMs,
    extras: new Map([...(attachments ?? [])].map(([sha256, bytes]) => [`${attachmentFolder}${sha256}`, bytes])),
    meta: requests?.length ? { requests } : {},
    date: commitDate(nowUnixMs, offsetMinutes),
  }
}

/** The segment that a reader would find in the commit of a batch, without reading it back. */
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
    extrasBytes: [...(extras ?? [])].reduce(
      (sum, [, content]) => sum + (typeof content === 'string' ? 0 : content.length),
      0,
    ),
    repeatsChunk: false,
    carries: carriedMetaOf(meta === undefined ? null : new Map(Object.entries(meta))),
  }
}

/**
 * Batches that append the missing parts of other segments to a chain (docs/format.md#re-append): raw records of every
 * event whose id verifies, oldest first; files beside the chunks; unknown keys of meta.json under `carried`. Segments
 * share a batch within its limits, unless one would overwrite a part of another.
 *
 * @param isMissing - whether to carry an event id, including ids of unknown kinds
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
    const records = recordsOf(segment).filter(({ eventId }) => {
      const isNew = isMissing(eventId) && !taken.has(eventId)
      taken.add(eventId)
      return isNew
    })
    if (records.length === 0) continue
    // A segment stays whole where possible: files beside a chunk belong to its events.
    const bytes = records.reduce((sum, { record }) => sum + record.length, 0)
    if (!fits(open, records.length, bytes) || !fitsBeside(open, segment)) seal()
    placeBeside(open, segment)
    let placed: string[] = []
    for (const { eventId, record, actor, tsUnixMs } of records) {
      if (!fits(open, 1, record.length)) {
        noteCommand(open, segment, placed)
        placed = []
        seal()
        placeBeside(open, segment)
      }
      open.first ??= { actor, tsUnixMs }
      open.records.push(record)
      open.bytes += record.length
      placed.push(eventId)
    }
    noteCommand(open, segment, placed)
    for (const request of segment.carries.requests) open.requests.push(request)
    open.requestsBytes += segment.carries.requestsBytes
  }
  seal()
  return batches
}

/** Ids of all records of a segment that verify, including unknown kinds. */
export function recordIdsOf(segment: IssueSegment): string[] {
  return recordsOf(segment).map(({ eventId }) => eventId)
}

/** Notes which events of a batch were one command, where the commit that they come from left that to be guessed. */
function noteCommand(open: Carry, { carries }: IssueSegment, events: readonly string[]): void {
  open.segmentCount += 1
  if (carries.requests.length > 0) return
  const bytes = noteBytes + events.length * noteBytesPerEvent
  if (open.requestsBytes + bytes > limits.carriedRequestsBytesMax) return
  open.requests.push({ key: null, events })
  open.ownNoteCount += 1
  open.requestsBytes += bytes
}

/** In pretty JSON, with indentation. */
const noteBytes = 64
const noteBytesPerEvent = 80

interface Carry {
  first: { readonly actor: ActorId; readonly tsUnixMs: number } | null
  readonly records: Uint8Array[]
  bytes: number
  readonly extras: Map<string, Oid>
  extrasBytes: number
  /** Every folder that contains a file of `extras`, at any depth. */
  readonly folders: Set<string>
  readonly requests: unknown[]
  requestsBytes: number
  /** Commits that the records come from. */
  segmentCount: number
  /** Notes among `requests` that no commit had. */
  ownNoteCount: number
  readonly keys: Map<string, CarriedValue>
  keysBytes: number
}

function emptyCarry(): Carry {
  return {
    first: null,
    records: [],
    bytes: 0,
    extras: new Map(),
    extrasBytes: 0,
    folders: new Set(),
    requests: [],
    requestsBytes: 0,
    segmentCount: 0,
    ownNoteCount: 0,
    keys: new Map(),
    keysBytes: 0,
  }
}

function fits({ records, bytes }: Carry, count: number, moreBytes: number): boolean {
  return records.length + count <= limits.batchEventsMax && bytes + moreBytes <= limits.batchBytesMax
}

/** Whether the files beside a segment's chunk, and its meta.json, fit without overwriting anything. */
function fitsBeside(open: Carry, { extras, extrasBytes, carries }: IssueSegment): boolean {
  if (open.extras.size + extras.size > limits.carriedFilesMax) return false
  if (open.extrasBytes + extrasBytes > limits.carriedFilesBytesMax) return false
  if ([...extras].some(([path, oid]) => (open.extras.get(path) ?? oid) !== oid)) return false
  let keysBytes = open.keysBytes
  for (const [key, { text, bytes }] of carries.keys) {
    const other = open.keys.get(key)
    if (other === undefined) keysBytes += bytes
    else if (other.text !== text) return false
  }
  const requestsBytes = open.requestsBytes + carries.requestsBytes
  return keysBytes <= limits.carriedKeysBytesMax && requestsBytes <= limits.carriedRequestsBytesMax
}

/** Adds them to a batch that carries the segment's events. */
function placeBeside(open: Carry, { extras, extrasBytes, carries }: IssueSegment): void {
  for (const [path, oid] of extras) if (open.extras.size < limits.carriedFilesMax) placeFile(open, path, oid)
  open.extrasBytes += extrasBytes
  for (const [key, entry] of carries.keys) {
    if (!open.keys.has(key)) open.keysBytes += entry.bytes
    open.keys.set(key, entry)
  }
}

/** Skips names that git would refuse, and paths where a file of one would be a folder of another. */
function placeFile({ extras, folders }: Carry, path: string, oid: Oid): void {
  const names = path.split('/')
  if (!isPlaceableName(names, path) || folders.has(path)) return
  const above = names.map((_, index) => names.slice(0, index).join('/')).slice(1)
  if (above.some((folder) => extras.has(folder))) return
  extras.set(path, oid)
  for (const folder of above) folders.add(folder)
}

function isPlaceableName(names: readonly string[], path: string): boolean {
  const isRefused = names.some((name) => ['', '.', '..', '.git'].includes(name.toLowerCase()))
  if (isRefused || path.includes('\0') || path === 'events' || names[0] === 'meta.json') return false
  return !(names[0] === 'events' && names.length <= 5 && names.slice(1).every((name) => /^\d+$/.test(name)))
}

function sealCarry(carry: Carry, nowUnixMs: number): IssueBatch {
  const { first, records, extras, keys } = carry
  // A commit that is one command needs no note.
  const requests = carry.segmentCount === 1 && carry.ownNoteCount === 1 ? [] : carry.requests
  if (first === null) throw new TypeError('a carry without records')
  return {
    actor: first.actor,
    records,
    firstTsUnixMs: first.tsUnixMs,
    extras,
    meta: {
      ...(requests.length > 0 ? { requests } : {}),
      ...(keys.size > 0 ? { carried: Object.fromEntries([...keys].map(([key, { value }]) => [key, value])) } : {}),
    },
    date: commitDate(nowUnixMs),
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

const actorOfNobody = '0'.repeat(32) as ActorId

/** Id, actor and time of a record of an unknown kind: its first four elements have fixed places. */
function readOpaque(record: Uint8Array): CarriedRecord {
  const bytes = Buffer.from(record.buffer, record.byteOffset, record.length)
  // 88, 58 20 <event id>, 50 <issue id>, 50 <actor>, <ts>: the record passed the canonical check when it was read.
  const eventId = bytes.toString('hex', 3, 35)
  if (bytes[35] !== 0x50 || bytes[52] !== 0x50) return { eventId, record, actor: actorOfNobody, tsUnixMs: 0 }
  const tsUnixMs = readUnsigned(bytes, 69)
  return { eventId, record, actor: bytes.toString('hex', 53, 69) as ActorId, tsUnixMs }
}

function readUnsigned(bytes: Buffer, position: number): number {
  const head = bytes[position] as number
  if (head === 0x1b) return Number(bytes.readBigUInt64BE(position + 1))
  return head < 0x18 ? head : bytes.readUIntBE(position + 1, 1 << (head - 0x18))
}
