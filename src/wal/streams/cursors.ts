/**
 * Cursors: readers' durable positions in streams (docs/format.md#cursor).
 *
 * Invariants
 * - A cursor only moves forward, and never past the next offset of its stream.
 * - It is bound to an incarnation, and to the record before it by that record's leaf hash: where a rescue changed what lies
 *   below, the next use is a conflict.
 * - An advance is durable before it is acknowledged: the records below it first, then the ref.
 */
import {
  buildTree,
  encodeCommit,
  type GitPort,
  type Oid,
  parseCommit,
  parseTree,
  type RefName,
} from '../../git/index.ts'
import {
  type ActorId,
  ConflictError,
  CorruptObjectError,
  DamagedStreamError,
  formatHex,
  InvalidArgsError,
  NotFoundError,
  ObjectTooLargeError,
  RefMovedError,
} from '../../model/index.ts'
import {
  type CursorDocument,
  formatCursor,
  isCursorName,
  type Labels,
  leafOfRecord,
  parseCursor,
  StreamFormatError,
  type StreamId,
  shownStreamId,
} from '../../model/streams/index.ts'
import { cursorPrefixOf, cursorRefOf, cursorRefPrefix, remotesPrefix } from '../ref-names.ts'
import type { StreamDamage, StreamSummary } from './record-streams.ts'
import type { StreamStore } from './stream-store.ts'

export interface CursorPlace {
  readonly git: GitPort
  readonly streams: StreamStore
  readonly nowUnixMs: () => number
  readonly onDamage: (damage: StreamDamage) => void
}

export interface Cursor {
  readonly document: CursorDocument
  readonly ref: RefName
  readonly commit: Oid
}

export interface CursorFacts {
  readonly actor: ActorId | null
  readonly reason: string | null
  readonly labels: Labels
}

/** Another reader of the same cursor may move it at the same time. */
const racesMax = 100
const documentBytesMax = 1024 * 1024
const fileName = 'cursor.json'
const identity = { name: 'grite', email: 'grit@local' }

/** @throws {ConflictError} when it exists */
export async function createCursor(
  place: CursorPlace,
  { streamId, name, offset }: { readonly streamId: StreamId; readonly name: string; readonly offset: number },
  facts: CursorFacts,
): Promise<Cursor> {
  requireName(name)
  const stream = await place.streams.status(streamId)
  const now = place.nowUnixMs()
  const leaf = await leafBefore(place, stream, offset)
  const { incarnation, epoch } = stream
  const document = { name, streamId, incarnation, epoch: epoch.number, offset, leaf, ...facts }
  const ref = cursorRefOf(streamId, name)
  try {
    return await writeCursor(place, ref, null, { ...document, createdTs: now, updatedTs: now }, [])
  } catch (error) {
    if (!(error instanceof RefMovedError)) throw error
    throw new ConflictError(`stream '${shownStreamId(streamId)}' has a cursor '${name}'`, {
      details: { reason: 'exists', stream: streamId, cursor: name },
    })
  }
}

/** @throws {NotFoundError} without one @throws {DamagedStreamError} when it is damaged */
export async function getCursor({ git }: CursorPlace, streamId: StreamId, name: string): Promise<Cursor> {
  const { ref, commit } = await findCursor(git, streamId, name)
  return { document: await readDocument(git, ref, commit), ref, commit }
}

/** The commit of a cursor, whatever it holds. @throws {NotFoundError} */
async function findCursor(git: GitPort, streamId: StreamId, name: string): Promise<Pick<Cursor, 'ref' | 'commit'>> {
  requireName(name)
  const ref = cursorRefOf(streamId, name)
  const commit = await git.readRef(ref)
  if (commit !== null) return { ref, commit }
  throw new NotFoundError(`stream '${shownStreamId(streamId)}' has no cursor '${name}'`, {
    details: { field: 'cursor', stream: streamId, value: name },
  })
}

/** By name; of all streams without an id. A damaged one is reported, and left out. */
export async function listCursors(
  { git, onDamage }: Pick<CursorPlace, 'git' | 'onDamage'>,
  streamId: StreamId | null,
): Promise<readonly Cursor[]> {
  const prefix = streamId === null ? cursorRefPrefix : cursorPrefixOf(streamId)
  const found: Cursor[] = []
  for (const { ref, oid } of await git.listRefs(prefix, () => {})) {
    try {
      found.push({ document: await readDocument(git, ref, oid), ref, commit: oid })
    } catch (error) {
      if (!(error instanceof DamagedStreamError)) throw error
      onDamage(damageOf(ref, oid, error))
    }
  }
  return found
}

/**
 * Moves a cursor forward to an offset: the first that is not consumed. To where it is, it does nothing.
 *
 * @throws {ConflictError} when the cursor is beyond the offset, or the stream changed below the cursor
 * @throws {InvalidArgsError} when the stream has no such offset yet
 */
export async function advanceCursor(
  place: CursorPlace,
  streamId: StreamId,
  name: string,
  offset: number,
): Promise<Cursor> {
  for (let races = 0; ; races++) {
    const cursor = await getCursor(place, streamId, name)
    const stream = await place.streams.status(streamId)
    await requireSoundCursor(place, cursor, stream)
    const before = cursor.document
    if (offset === before.offset) return cursor
    if (offset < before.offset) {
      throw new ConflictError(
        `cursor '${name}' of stream '${shownStreamId(streamId)}' is at offset ${before.offset}, and moves only forward`,
        { details: { reason: 'behind', stream: streamId, cursor: name, found: before.offset, expected: offset } },
      )
    }
    const leaf = await leafBefore(place, stream, offset)
    const document = { ...before, epoch: stream.epoch.number, offset, leaf, updatedTs: place.nowUnixMs() }
    try {
      return await writeCursor(place, cursor.ref, cursor.commit, document, await parentsOf(place, cursor))
    } catch (error) {
      if (!(error instanceof RefMovedError) || races >= racesMax) throw error
    }
  }
}

/** The cursor, once it is certain that its stream still has what the cursor has consumed. */
export async function openCursor(place: CursorPlace, streamId: StreamId, name: string): Promise<Cursor> {
  const cursor = await getCursor(place, streamId, name)
  await requireSoundCursor(place, cursor, await place.streams.status(streamId))
  return cursor
}

export interface DeletedCursor {
  readonly commit: Oid
  /** What it was; null for a damaged one, which is reported. */
  readonly document: CursorDocument | null
}

/** @throws {NotFoundError} without one */
export async function deleteCursor(place: CursorPlace, streamId: StreamId, name: string): Promise<DeletedCursor> {
  const { git, onDamage } = place
  const { ref, commit } = await findCursor(git, streamId, name)
  const document = await readDocument(git, ref, commit).catch((error: unknown) => {
    if (!(error instanceof DamagedStreamError)) throw error
    onDamage(damageOf(ref, commit, error))
    return null
  })
  const update = { ref, expected: commit, next: null, reflogMessage: 'grite: delete cursor' }
  await git.publish({ objects: [], updates: [update] })
  return { commit, document }
}

/** @throws {ConflictError} when the stream was created again, or what the cursor has consumed was replaced */
export async function requireSoundCursor(
  place: CursorPlace,
  { document, commit }: Cursor,
  stream: StreamSummary,
): Promise<void> {
  const { name, offset, leaf, incarnation } = document
  const refuse = (why: string): never => {
    throw new ConflictError(`cursor '${name}' of stream '${shownStreamId(stream.streamId)}' ${why}`, {
      details: { reason: 'replaced', stream: stream.streamId, cursor: name, offset, object_id: commit },
      hints: ['Read on from an offset that you choose: delete the cursor and create it there'],
    })
  }
  if (incarnation !== stream.incarnation) refuse(`is of incarnation ${incarnation}; the stream was created again`)
  if (offset > stream.nextOffset) refuse(`is at offset ${offset}, but the stream ends at ${stream.nextOffset}`)
  // What retention has cut away cannot be compared.
  if (leaf === null || offset <= stream.firstOffset) return
  if ((await leafBefore(place, stream, offset)) !== leaf)
    refuse(`has consumed another record at offset ${offset - 1} than the stream has now`)
}

/** Leaf hash of the record before an offset; null at the first. Flushes a journal that holds it. */
async function leafBefore(place: CursorPlace, stream: StreamSummary, offset: number): Promise<string | null> {
  if (!Number.isSafeInteger(offset) || offset < 0 || offset > stream.nextOffset) {
    const shown = shownStreamId(stream.streamId)
    throw new InvalidArgsError(`offset ${offset} is not within stream '${shown}', which ends at ${stream.nextOffset}`, {
      details: { field: 'offset', value: offset, next_offset: stream.nextOffset },
    })
  }
  if (offset === 0) return null
  const { bytes } = await place.streams.readAt(stream.streamId, offset - 1)
  return formatHex(leafOfRecord(bytes))
}

/** The tip that was last pushed: what was not pushed is replaced, so a cursor that moves a lot stays small. */
async function parentsOf({ git }: CursorPlace, { ref, commit }: Cursor): Promise<readonly Oid[]> {
  const tracked = await git.listRefs(remotesPrefix, () => {})
  if (tracked.some((row) => row.oid === commit && row.ref.endsWith(ref.slice('refs'.length)))) return [commit]
  return (await readCommit(git, ref, commit)).parents
}

export async function writeCursor(
  { git }: Pick<CursorPlace, 'git'>,
  ref: RefName,
  expected: Oid | null,
  document: CursorDocument,
  parents: readonly Oid[],
): Promise<Cursor> {
  const format = git.layout.objectFormat
  const tree = buildTree(format, new Map([[fileName, new TextEncoder().encode(formatCursor(document))]]))
  const message = `cursor ${document.name}: offset ${document.offset}`
  const date = { unixSeconds: Math.floor(document.updatedTs / 1000), offsetMinutes: 0 }
  const commit = encodeCommit(format, { tree: tree.root, parents, author: { ...identity, ...date }, message })
  const update = { ref, expected, next: commit.oid, reflogMessage: `grite: ${message}` }
  await git.publish({ objects: [...tree.objects, commit], updates: [update] })
  return { document, ref, commit: commit.oid }
}

/** @throws {DamagedStreamError} when a commit holds no cursor of that name */
export async function readCursorAt(git: GitPort, ref: RefName, commit: Oid): Promise<Cursor> {
  return { document: await readDocument(git, ref, commit), ref, commit }
}

/** @throws {DamagedStreamError} */
async function readDocument(git: GitPort, ref: RefName, oid: Oid): Promise<CursorDocument> {
  try {
    const { tree } = await readCommit(git, ref, oid)
    const rows = await git.readObject(tree, documentBytesMax)
    const file =
      rows?.type === 'tree'
        ? parseTree(git.layout.objectFormat, rows.content).find(({ name }) => name === fileName)
        : undefined
    const blob = file === undefined ? null : await git.readObject(file.oid, documentBytesMax)
    if (blob === null) throw damaged(ref, oid, `has no ${fileName}`)
    const document = parseCursor(blob.content)
    if (cursorRefOf(document.streamId, document.name) === ref) return document
    throw damaged(ref, oid, 'is of another cursor')
  } catch (error) {
    if (error instanceof DamagedStreamError) throw error
    const isDamage =
      error instanceof StreamFormatError || error instanceof CorruptObjectError || error instanceof ObjectTooLargeError
    throw isDamage ? damaged(ref, oid, `is damaged: ${error.message}`) : error
  }
}

async function readCommit(git: GitPort, ref: RefName, oid: Oid) {
  const object = await git.readObject(oid, documentBytesMax)
  if (object?.type !== 'commit') throw damaged(ref, oid, 'is not a commit')
  return parseCommit(object.content)
}

function damaged(ref: RefName, oid: Oid, why: string): DamagedStreamError {
  return new DamagedStreamError(`${ref}: commit ${oid} ${why}`, {
    details: { ref, object_id: oid },
    hints: ['Delete this cursor, and create it again at an offset that you choose'],
  })
}

function damageOf(ref: RefName, objectId: Oid, { message: reason }: DamagedStreamError): StreamDamage {
  return { streamId: null, file: null, bytePosition: null, offsets: null, ref, objectId, reason }
}

function requireName(name: string): void {
  if (isCursorName(name)) return
  throw new InvalidArgsError('the name of a cursor has 1 to 256 bytes, all printable', {
    details: { field: 'cursor', value: name },
  })
}
