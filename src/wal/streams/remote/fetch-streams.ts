/**
 * Brings streams of a remote here: fetches them to tracking refs, and moves the refs of this clone forward.
 *
 * Invariants
 * - A ref moves only forward, by compare-and-swap; whatever a journal holds beyond it stays part of the stream.
 * - Nothing is appended to a generation while its ref moves, so that every later append knows what was fetched.
 * - What looks wrong is reported with its object id, and hides nothing else.
 */
import type { LeftOutRefs, RefName, RefUpdate } from '../../../git/index.ts'
import { ConflictError, RefLockedError, RefMovedError } from '../../../model/index.ts'
import {
  type CloneId,
  encodeStreamId,
  nextOffsetOf,
  parseStreamRef,
  type StreamId,
  shownStreamId,
  streamRefPrefix,
} from '../../../model/streams/index.ts'
import { remoteRefOf, trackingRef } from '../../ref-names.ts'
import { findDivergence } from '../find-divergence.ts'
import { goesOnFrom } from '../goes-on.ts'
import { type JournalPlace, listJournals, readJournals } from '../journal/index.ts'
import type { StreamDamage } from '../record-streams.ts'
import { readSealedNote } from '../sealed-note.ts'
import { StoppedAppends } from '../stop-appends.ts'
import type { StreamHead } from '../stream-heads.ts'
import type { StreamReader } from '../stream-reader.ts'
import { listStreamRefs } from '../stream-refs.ts'
import { barrierQueue } from '../stream-writer.ts'
import { fetchTracked } from './fetch-tracked.ts'
import { positionOf, type RemotePlace, readForeignHead, type StreamPosition } from './remote-place.ts'

export interface FetchPlace extends RemotePlace {
  readonly reader: StreamReader
  readonly cloneId: CloneId
  readonly journalPlaceOf: (encodedId: string, generation: number) => JournalPlace
}

export interface FetchedStream {
  readonly streamId: StreamId
  readonly generation: number
  /** `ahead`: this clone has all that the remote has, and more. */
  readonly outcome: 'created' | 'moved' | 'unchanged' | 'ahead' | 'diverged'
  /** Before the fetch; null when this clone did not have it. */
  readonly local: StreamPosition | null
  readonly remote: StreamPosition
  /** Why it has diverged. */
  readonly reason: string | null
}

export interface Fetched {
  readonly streams: readonly FetchedStream[]
  readonly leftOut: readonly LeftOutRefs[]
}

export interface FetchSelection {
  /** Fetched from the remote; null for all streams. */
  readonly ids: readonly StreamId[] | null
  /** Of the fetched ones, those to bring here. */
  readonly isWanted: (streamId: StreamId) => boolean
}

export async function fetchStreams(place: FetchPlace, { ids, isWanted }: FetchSelection): Promise<Fetched> {
  const leftOut = await fetchTracked(place, ids)
  const wanted = ids === null ? null : new Set(ids.map(encodeStreamId))
  const heads: StreamHead[] = []
  for (const { ref, oid } of await listTracked(place)) {
    const name = parseStreamRef(ref)
    if (wanted !== null && (name === null || !wanted.has(name.encoded))) continue
    const head = await readForeignHead(place, ref, oid)
    if (head !== null && isWanted(head.manifest.streamId)) heads.push(head)
  }
  return { streams: await adopt(place, heads), leftOut }
}

export type Imported =
  | { readonly outcome: 'imported' | 'diverged'; readonly streams: readonly FetchedStream[] }
  | { readonly outcome: 'damaged'; readonly damage: readonly StreamDamage[] }
  | { readonly outcome: 'too-many'; readonly foundCount: number }

export interface ImportRules {
  /** Checks what leads to a head. */
  readonly problemsOf: (head: StreamHead, onChecked: (entries: number) => void) => Promise<readonly StreamDamage[]>
  /** Judges all streams, and moves none. */
  readonly isDryRun: boolean
}

/**
 * Brings all streams of a bundle here, or none: nothing moves when one of them is damaged or has diverged.
 *
 * @param place - its remote is the path of the bundle, to which no tracking refs stay
 */
export async function importStreams(place: FetchPlace, { problemsOf, isDryRun }: ImportRules): Promise<Imported> {
  const damage: StreamDamage[] = []
  const checked: FetchPlace = { ...place, onDamage: (found) => damage.push(found) }
  try {
    const [leftOut] = await fetchTracked(checked, null)
    if (leftOut !== undefined) return { outcome: 'too-many', foundCount: leftOut.foundCount }
    const heads: StreamHead[] = []
    for (const { ref, oid } of await listTracked(checked)) {
      const head = await readForeignHead(checked, ref, oid)
      if (head !== null) heads.push(head)
    }
    const total = heads.reduce((sum, { manifest }) => sum + manifest.entries, 0)
    let done = 0
    const onChecked = (entries: number): void => {
      done += entries
      place.onProgress?.('Checking', Math.min(done, total), total)
    }
    for (const head of heads) damage.push(...(await problemsOf(head, onChecked)))
    if (damage.length > 0) return { outcome: 'damaged', damage }
    const local = await readLocal(place)
    const judged: FetchedStream[] = []
    for (const head of heads) judged.push((await judge(checked, head, local)).fetched)
    const diverged = judged.filter(({ outcome }) => outcome === 'diverged')
    if (diverged.length > 0) return { outcome: 'diverged', streams: diverged }
    return { outcome: 'imported', streams: isDryRun ? sorted(judged) : await adopt(checked, heads) }
  } finally {
    await forgetTracked(place)
  }
}

async function forgetTracked({ git, remote }: RemotePlace): Promise<void> {
  const rows = await git.listRefs(trackingRef(remote, streamRefPrefix), () => {})
  for (let at = 0; at < rows.length; at += movesMax) {
    const updates = rows.slice(at, at + movesMax).map(({ ref, oid }) => ({
      ...{ ref, expected: oid, next: null },
      ...{ reflogMessage: 'grite: import', keepsReflog: false },
    }))
    await git.publish({ objects: [], updates })
  }
}

async function listTracked({ git, remote }: RemotePlace) {
  const prefix = trackingRef(remote, streamRefPrefix)
  const rows = await git.listRefs(prefix, () => {})
  return rows.map(({ ref, oid }) => ({ ref: remoteRefOf(remote, ref), oid }))
}

/** Refs that one transaction moves: each has an open file until then. */
const movesMax = 200

async function adopt(place: FetchPlace, heads: readonly StreamHead[]): Promise<readonly FetchedStream[]> {
  const local = await readLocal(place)
  const fetched: FetchedStream[] = []
  let moves: Move[] = []
  const flush = async (): Promise<void> => {
    fetched.push(...(await carryOut(place, moves, local)))
    moves = []
  }
  for (const stream of byStream(heads)) {
    const judged = []
    for (const head of stream) judged.push(await judge(place, head, local))
    const moving = judged.filter((each): each is Move => each.update !== null)
    if (moving.some((move) => isWritten(place, move, local)))
      fetched.push(...(await carryOutStopped(place, judged, local)))
    else {
      for (const each of judged) if (each.update === null) fetched.push(each.fetched)
      moves.push(...moving)
    }
    if (moves.length >= movesMax) await flush()
  }
  await flush()
  return sorted(fetched)
}

function sorted(fetched: readonly FetchedStream[]): readonly FetchedStream[] {
  return fetched.toSorted((left, right) =>
    left.streamId === right.streamId ? left.generation - right.generation : left.streamId < right.streamId ? -1 : 1,
  )
}

/** What this clone had when the fetch began. */
interface Local {
  /** `<enc>.<generation>` */
  readonly journals: ReadonlySet<string>
  /** The latest generation of each stream, by `<enc>`. */
  readonly latest: ReadonlyMap<string, number>
}

async function readLocal({ git, journalPlaceOf }: FetchPlace): Promise<Local> {
  const journals = listJournals(journalPlaceOf('', 0)).map(({ encodedId, generation }) => `${encodedId}.${generation}`)
  const latest = new Map<string, number>()
  for (const { encoded, generation } of await listStreamRefs(git, () => {}))
    latest.set(encoded, Math.max(generation, latest.get(encoded) ?? 0))
  return { journals: new Set(journals), latest }
}

function byStream(heads: readonly StreamHead[]): Iterable<readonly StreamHead[]> {
  const streams = new Map<StreamId, StreamHead[]>()
  for (const head of heads) {
    const generations = streams.get(head.manifest.streamId)
    if (generations === undefined) streams.set(head.manifest.streamId, [head])
    else generations.push(head)
  }
  return streams.values()
}

interface Move extends Judged {
  readonly update: RefUpdate
}

const keyOf = ({ manifest }: StreamHead): string => `${encodeStreamId(manifest.streamId)}.${manifest.generation}`

/** Whether a process of this clone may append to the generation. */
function isWritten({ cloneId }: FetchPlace, { head, before }: Judged, { journals }: Local): boolean {
  return before?.manifest.epoch.owner === cloneId || journals.has(keyOf(head))
}

/**
 * Moves the refs of a stream that this clone writes, all at once: otherwise appends would go on behind an old head, or
 * find the end of a generation without the next one.
 */
async function carryOutStopped(
  place: FetchPlace,
  moves: readonly Judged[],
  local: Local,
): Promise<readonly FetchedStream[]> {
  const journalsOf = ({ manifest: { streamId, generation } }: StreamHead): JournalPlace =>
    place.journalPlaceOf(encodeStreamId(streamId), generation)
  const [{ head: first }] = moves as readonly [Judged]
  const leave = await barrierQueue(journalsOf(first)).enter()
  try {
    for (let races = 0; races <= racesMax; races++) {
      const stopped: { readonly head: StreamHead; readonly appends: StoppedAppends }[] = []
      try {
        for (const move of moves) {
          if (move.update === null || !isWritten(place, move, local)) continue
          const appends = await StoppedAppends.begin({ ...place, journals: journalsOf(move.head) }, move.before)
          if (appends !== null) stopped.push({ head: move.head, appends })
        }
        const journals = new Set([...local.journals, ...stopped.map(({ head }) => keyOf(head))])
        const judged: Judged[] = []
        for (const { head } of moves) judged.push(await judge(place, head, { ...local, journals }))
        const areHeld = await Promise.all(stopped.map(({ appends }) => appends.isHeld()))
        if (areHeld.includes(false)) continue
        const updates = judged.flatMap(({ update }) => update ?? [])
        if (updates.length > 0) await place.git.publish({ objects: [], updates })
        return judged.map(({ fetched }) => fetched)
      } catch (error) {
        if (!isRace(error)) throw error
      } finally {
        await Promise.all(stopped.map(({ head, appends }) => goOn(place, head.ref, appends)))
      }
    }
  } finally {
    await leave()
  }
  const { streamId } = first.manifest
  throw new ConflictError(`other processes keep writing stream '${shownStreamId(streamId)}'`, {
    details: { reason: 'contended', stream: streamId },
  })
}

async function goOn(place: FetchPlace, ref: RefName, appends: StoppedAppends): Promise<void> {
  try {
    await appends.end(await readLocalHead(place, ref))
  } finally {
    appends.dispose()
  }
}

/** All moves at once; one by one when another process has moved a ref meanwhile. */
async function carryOut(place: FetchPlace, moves: readonly Move[], local: Local): Promise<readonly FetchedStream[]> {
  if (moves.length === 0) return []
  try {
    await place.git.publish({ objects: [], updates: moves.map(({ update }) => update) })
    return moves.map(({ fetched }) => fetched)
  } catch (error) {
    if (!isRace(error)) throw error
  }
  const fetched: FetchedStream[] = []
  for (const move of moves) fetched.push(await carryOutOne(place, move, local))
  return fetched
}

/** A stream that is written meanwhile moves now and then, not all the time. */
const racesMax = 20

async function carryOutOne(place: FetchPlace, { head, ...move }: Move, local: Local): Promise<FetchedStream> {
  let { fetched, update }: { fetched: FetchedStream; update: RefUpdate | null } = move
  for (let races = 0; update !== null; races++) {
    try {
      await place.git.publish({ objects: [], updates: [update] })
      return fetched
    } catch (error) {
      if (!isRace(error) || races >= racesMax) throw error
    }
    ;({ fetched, update } = await judge(place, head, local))
  }
  return fetched
}

function isRace(error: unknown): boolean {
  return error instanceof RefMovedError || error instanceof RefLockedError
}

interface Judged {
  readonly head: StreamHead
  /** The head of this clone; null when it does not have the generation. */
  readonly before: StreamHead | null
  readonly fetched: FetchedStream
  /** Null when the ref stays. */
  readonly update: RefUpdate | null
}

async function judge(place: FetchPlace, head: StreamHead, { journals, latest }: Local): Promise<Judged> {
  const { ref, commit, manifest } = head
  const local = await readLocalHead(place, ref)
  const shared = { streamId: manifest.streamId, generation: manifest.generation, remote: positionOf(head) }
  const stays = (outcome: FetchedStream['outcome'], reason: string | null = null): Judged => ({
    ...{ head, before: local, update: null },
    fetched: { ...shared, outcome, local: local === null ? null : positionOf(local), reason },
  })
  if (local !== null) {
    if (local.commit === commit) return stays('unchanged')
    if (await goesOnFrom(place, local, head)) return stays('ahead')
    if (!(await goesOnFrom(place, head, local))) {
      const reason =
        local.manifest.incarnation === manifest.incarnation ? 'both have commits of their own' : 'both were created'
      return stays('diverged', reason)
    }
  }
  // One that was purged here, whose end the remote may not know.
  if (local === null && (latest.get(encodeStreamId(manifest.streamId)) ?? 0) > manifest.generation)
    return stays('ahead')
  if (journals.has(keyOf(head))) {
    const reason = await contradiction(place, head)
    if (reason !== null) return stays('diverged', reason)
  }
  const outcome = local === null ? 'created' : 'moved'
  return {
    ...{ head, before: local },
    fetched: { ...shared, outcome, local: local === null ? null : positionOf(local), reason: null },
    update: { ref, expected: local?.commit ?? null, next: commit, reflogMessage: 'grite: fetch', keepsReflog: true },
  }
}

async function readLocalHead(place: FetchPlace, ref: RefName): Promise<StreamHead | null> {
  const commit = await place.git.readRef(ref)
  return commit === null ? null : await readForeignHead(place, ref, commit)
}

/** Why the journal of this clone would not go on from a head of the remote; null when it would. */
async function contradiction(place: FetchPlace, head: StreamHead): Promise<string | null> {
  const { git, reader, cloneId, journalPlaceOf } = place
  const { streamId, generation, epoch } = head.manifest
  const journalPlace = journalPlaceOf(encodeStreamId(streamId), generation)
  const note = readSealedNote(journalPlace)
  const state = readJournals(journalPlace)
  try {
    const divergence = await findDivergence(git, reader, head, { files: state.files, note })
    if (divergence !== null) return divergence.reason
    const end = state.nextOffset ?? 0
    const sealedOffset = nextOffsetOf(head.manifest)
    if (end <= sealedOffset || epoch.owner === cloneId) return null
    return `the journal holds records ${sealedOffset} to ${end - 1}, and another clone has taken the stream over`
  } finally {
    state.close()
  }
}
