/**
 * Shares cursors through a remote (docs/format.md#cursor).
 *
 * Invariants
 * - Nothing is forced, and no cursor moves backward: of two positions the farther one wins, on both sides.
 * - A cursor of a remote counts only where the stream of this clone has the records that it has consumed.
 */
import { type Oid, type RefName, showRemote } from '../../../git/index.ts'
import {
  ConflictError,
  CorruptObjectError,
  makeVisible,
  NotFoundError,
  RefMovedError,
  RemoteError,
} from '../../../model/index.ts'
import { type StreamId, shownStreamId } from '../../../model/streams/index.ts'
import { fetchWithRetry } from '../../fetch-with-retry.ts'
import {
  cursorPrefixOf,
  cursorRefPrefix,
  remoteRefOf,
  streamRefspec,
  trackingRef,
  trackingRefspec,
} from '../../ref-names.ts'
import { noteRemoteHead } from '../../remote-head.ts'
import { type Cursor, type CursorPlace, getCursor, readCursorAt, requireSoundCursor, writeCursor } from '../cursors.ts'
import type { RemotePlace } from './remote-place.ts'

export interface FetchedCursor {
  readonly cursor: Cursor
  readonly outcome: 'created' | 'moved'
}

/** Other clones may share the same cursor all the time. */
const roundsMax = 10
/** Cursors of one remote that a clone follows. */
const followedMax = 65_536
/** More streams than this are fetched with one pattern. */
const patternsMax = 256

/**
 * Pushes a cursor. Where another clone has shared a position farther on, the cursor moves there instead.
 *
 * @throws {RemoteError} when a hook or rule of the remote refuses it
 * @throws {ConflictError} when the remote's cursor is of another incarnation, or kept moving
 */
export async function shareCursor(
  place: CursorPlace,
  remotePlace: RemotePlace,
  streamId: StreamId,
  name: string,
): Promise<Cursor> {
  const { git, remotes, remote, runHooks, onProgress } = remotePlace
  for (let rounds = 1; ; rounds++) {
    const cursor = await getCursor(place, streamId, name)
    const { ref, commit } = cursor
    const tracking = trackingRef(remote, ref)
    const updates = [{ ref, next: commit }]
    const [row] = await remotes.push({ remote, updates, atomic: false, runHooks, onProgress })
    if (row?.outcome === 'ok' || row?.outcome === 'up-to-date') {
      await noteRemoteHead(git, tracking, await git.readRef(tracking), commit)
      return cursor
    }
    const shown = showRemote(remote)
    const which = `cursor '${name}' of stream '${shownStreamId(streamId)}'`
    if (row?.outcome === 'rejected') {
      throw new RemoteError(`'${shown}' refused ${which}: ${makeVisible(row.reason)}`, {
        details: { remote: shown, reason: 'rejected', ref, remote_message: row.reason },
      })
    }
    if (rounds >= roundsMax) {
      throw new ConflictError(`${which} kept moving on '${shown}'; it is not shared`, {
        details: { reason: 'contended', ref },
        hints: ['Try again'],
      })
    }
    await fetchWithRetry(
      remotes,
      { remote, refspecs: [streamRefspec(remote, ref)], refsMax: () => followedMax, onProgress },
      remotePlace,
    )
    const theirs = await git.readRef(tracking)
    if (theirs !== null) await join(place, cursor, theirs)
  }
}

/**
 * Pushes the cursors that a remote had at the last fetch or push, and that have moved here since.
 *
 * @returns those that the remote has now, and those that it refused
 */
export async function shareKnownCursors(
  place: CursorPlace,
  remotePlace: RemotePlace,
): Promise<readonly PushedCursor[]> {
  const { git, remotes, remote, runHooks, onProgress } = remotePlace
  const moved: { readonly cursor: Cursor; readonly tracking: RefName; readonly before: Oid }[] = []
  for (const { ref: tracking, oid: before } of await git.listRefs(trackingRef(remote, cursorRefPrefix), () => {})) {
    const cursor = await readOwn(place, remoteRefOf(remote, tracking))
    if (cursor !== null && cursor.commit !== before) moved.push({ cursor, tracking, before })
  }
  if (moved.length === 0) return []
  const updates = moved.map(({ cursor: { ref, commit } }) => ({ ref, next: commit }))
  const rows = await remotes.push({ remote, updates, atomic: false, runHooks, onProgress })
  const outcomes = new Map(rows.map((row) => [row.ref, row]))
  const pushed: PushedCursor[] = []
  for (const { cursor, tracking, before } of moved) {
    const { streamId, name } = cursor.document
    const row = outcomes.get(cursor.ref)
    if (row?.outcome === 'rejected') {
      pushed.push({ cursor, outcome: 'refused' })
    } else if (row?.outcome === 'ok' || row?.outcome === 'up-to-date') {
      await noteRemoteHead(git, tracking, before, cursor.commit)
      if (row.outcome === 'ok') pushed.push({ cursor, outcome: 'shared' })
    } else pushed.push(await shareOrReport(place, remotePlace, cursor, { streamId, name }))
  }
  return pushed
}

export interface PushedCursor {
  readonly cursor: Cursor
  readonly outcome: 'shared' | 'refused'
}

async function readOwn(place: CursorPlace, ref: RefName): Promise<Cursor | null> {
  const commit = await place.git.readRef(ref)
  if (commit === null) return null
  try {
    return await readCursorAt(place.git, ref, commit)
  } catch (error) {
    if (!(error instanceof CorruptObjectError)) throw error
    reportDamage(place, ref, commit, error)
    return null
  }
}

/** The remote's cursor has moved, too. */
async function shareOrReport(
  place: CursorPlace,
  remotePlace: RemotePlace,
  cursor: Cursor,
  { streamId, name }: { readonly streamId: StreamId; readonly name: string },
): Promise<PushedCursor> {
  try {
    return { cursor: await shareCursor(place, remotePlace, streamId, name), outcome: 'shared' }
  } catch (error) {
    if (!(error instanceof ConflictError || error instanceof CorruptObjectError || error instanceof NotFoundError))
      throw error
    reportDamage(place, cursor.ref, cursor.commit, error)
    return { cursor, outcome: 'refused' }
  }
}

function reportDamage({ onDamage }: CursorPlace, ref: RefName, objectId: Oid, { message }: Error): void {
  onDamage({ streamId: null, file: null, bytePosition: null, offsets: null, ref, objectId, reason: message })
}

/** Fetches the cursors of streams, and moves those of this clone forward. */
export async function fetchCursors(
  place: CursorPlace,
  remotePlace: RemotePlace,
  ids: readonly StreamId[],
): Promise<readonly FetchedCursor[]> {
  if (ids.length === 0) return []
  const { git, remotes, remote, onProgress } = remotePlace
  const prefixes = ids.length <= patternsMax ? ids.map(cursorPrefixOf) : [cursorRefPrefix]
  const list = async () =>
    await git.listRefs(
      prefixes.map((prefix) => trackingRef(remote, prefix)),
      () => {},
    )
  const before = new Map((await list()).map(({ ref, oid }) => [ref, oid]))
  const refspecs = prefixes.map((prefix) => trackingRefspec(remote, prefix))
  await fetchWithRetry(remotes, { remote, refspecs, refsMax: () => followedMax, onProgress }, remotePlace)
  const wanted = new Set<StreamId>(ids)
  const fetched: FetchedCursor[] = []
  for (const { ref: tracking, oid } of await list()) {
    const ref = remoteRefOf(remote, tracking)
    // A cursor that was deleted here stays deleted until somebody moves it.
    if (before.get(tracking) === oid && (await git.readRef(ref)) === null) continue
    const moved = await adopt(place, ref, oid, wanted)
    if (moved !== null) fetched.push(moved)
    // Refused for now: forgotten, so that the next fetch takes it for new.
    else if ((await git.readRef(ref)) === null) await noteRemoteHead(git, tracking, oid, null)
  }
  return fetched
}

async function adopt(
  place: CursorPlace,
  ref: RefName,
  oid: Oid,
  wanted: ReadonlySet<StreamId>,
): Promise<FetchedCursor | null> {
  const { git, streams } = place
  try {
    const commit = await git.readRef(ref)
    if (commit === oid) return null
    const theirs = await readCursorAt(git, ref, oid)
    const { streamId } = theirs.document
    if (!wanted.has(streamId)) return null
    if (commit !== null) {
      const joined = await join(place, await readCursorAt(git, ref, commit), oid)
      return joined === null ? null : { cursor: joined, outcome: 'moved' }
    }
    await requireSoundCursor(place, theirs, await streams.status(streamId))
    await git.publish({ objects: [], updates: [{ ref, expected: null, next: oid, reflogMessage: 'grite: fetch' }] })
    return { cursor: theirs, outcome: 'created' }
  } catch (error) {
    // A reader moves it at this moment, or its records are not here: the next fetch decides again.
    if (error instanceof ConflictError || error instanceof RefMovedError || error instanceof NotFoundError) return null
    if (!(error instanceof CorruptObjectError)) throw error
    reportDamage(place, ref, oid, error)
    return null
  }
}

/**
 * Joins a cursor with the remote's: goes there when that is farther, else goes on from it, so that a push moves it forward.
 *
 * @returns the cursor where it has moved to another offset; null when it stays
 */
async function join(place: CursorPlace, cursor: Cursor, oid: Oid): Promise<Cursor | null> {
  const { git } = place
  const { ref, commit, document } = cursor
  if (await git.isAncestor(oid, commit)) return null
  const theirs = await readCursorAt(git, ref, oid)
  const { streamId, name, incarnation, offset } = theirs.document
  if (incarnation !== document.incarnation) {
    throw new ConflictError(`cursor '${name}' of stream '${shownStreamId(streamId)}' is of another incarnation there`, {
      details: { reason: 'replaced', stream: streamId, cursor: name, object_id: oid },
      hints: ['The stream was created twice: delete the cursor here, or use another name'],
    })
  }
  if (offset < document.offset) {
    await writeCursor(place, ref, commit, document, [oid])
    return null
  }
  await requireSoundCursor(place, theirs, await place.streams.status(streamId))
  await git.publish({ objects: [], updates: [{ ref, expected: commit, next: oid, reflogMessage: 'grite: fetch' }] })
  return offset === document.offset ? null : theirs
}
