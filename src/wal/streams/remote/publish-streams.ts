/**
 * Pushes streams to a remote (docs/format.md#record-streams).
 *
 * Invariants
 * - Nothing is forced: a ref of the remote moves only forward.
 * - Several streams are pushed together or not at all; where the remote cannot do that, a parent goes before its children.
 */
import type { PushedRef, PushUpdate } from '../../../git/index.ts'
import { findCause, findCauses, showRemote } from '../../../git/index.ts'
import { ConflictError, makeVisible, NotFoundError, RemoteError } from '../../../model/index.ts'
import { encodeStreamId, parseTrailers, type StreamId, shownStreamId } from '../../../model/streams/index.ts'
import { trackingPrefix, trackingRef } from '../../ref-names.ts'
import { noteRemoteHead } from '../../remote-head.ts'
import { goesOnFrom } from '../goes-on.ts'
import { type StreamHead, stateOf } from '../stream-heads.ts'
import { listStreamRefs } from '../stream-refs.ts'
import { fetchTracked } from './fetch-tracked.ts'
import { describePosition, positionOf, type RemotePlace, readForeignHead, type StreamPosition } from './remote-place.ts'

export interface PublishedStream {
  readonly streamId: StreamId
  /** `behind`: the remote has all that this clone has, and more. `pending`: a dry run would push it. */
  readonly outcome: 'published' | 'unchanged' | 'behind' | 'pending'
  readonly local: StreamPosition
  /** As last seen; null when the remote did not have it. */
  readonly remote: StreamPosition | null
}

export interface Published {
  readonly streams: readonly PublishedStream[]
  /** Other streams whose records the remote gets with these, because they inherit or adopt them. */
  readonly alongside: readonly StreamId[]
  /** False when the remote took the streams one after the other. */
  readonly isAtomic: boolean
}

export interface PublishRequest {
  /** Each once. */
  readonly ids: readonly StreamId[]
  /** Fetches to compare, and pushes nothing. */
  readonly isDryRun: boolean
}

/** Other clones may push the same streams all the time. */
const roundsMax = 10

/**
 * @throws {NotFoundError} for a stream that does not exist
 * @throws {ConflictError} when the remote has other commits than this clone: both positions are named
 * @throws {RemoteError} when a hook or rule of the remote refuses streams: `details` names the first, and `details.others`
 */
export async function publishStreams(place: RemotePlace, { ids, isDryRun }: PublishRequest): Promise<Published> {
  const { git, remote } = place
  const heads = await readHeads(place, ids)
  let tracked = await readTracked(place, heads)
  const known = await compare(place, heads, tracked)
  // Otherwise git could take a head of others for an earlier one, and move the ref of the remote.
  if (isDryRun || known.diverged.length > 0) {
    await fetchTracked(place, ids)
    tracked = await readTracked(place, heads)
  }
  const alongside = await findAlongside(place, heads, ids)
  const seen: ReadonlyMap<StreamHead, StreamHead | null> = tracked
  let behind = new Set<StreamHead>()
  if (isDryRun || known.diverged.length > 0) {
    const { diverged, behind: found } = await compare(place, heads, tracked)
    if (diverged.length > 0) throw divergedFrom(remote, diverged)
    if (isDryRun) return { streams: summarize(ids, heads, seen, found, 'pending'), alongside, isAtomic: true }
    behind = found
  }
  for (let rounds = 1; ; rounds++) {
    const wanted = heads.filter((head) => !behind.has(head))
    const { rows, isAtomic } = await push(place, wanted, tracked)
    for (const [index, { outcome }] of rows.entries()) {
      const head = wanted[index] as StreamHead
      if (outcome !== 'ok' && outcome !== 'up-to-date') continue
      const tracking = trackingRef(remote, head.ref)
      await noteRemoteHead(git, tracking, await git.readRef(tracking), head.commit)
    }
    const refused = findCauses(rows, 'rejected')
    if (refused.length > 0) throw refusedBy(remote, refused, heads)
    if (rows.every(({ outcome }) => outcome !== 'stale'))
      return { streams: summarize(ids, heads, seen, behind, 'published'), alongside, isAtomic }
    await fetchTracked(place, ids)
    tracked = await readTracked(place, heads)
    const now = await compare(place, heads, tracked)
    if (now.diverged.length > 0) throw divergedFrom(remote, now.diverged)
    behind = now.behind
    if (rounds >= roundsMax) throw contended(remote, rows)
  }
}

/** All generations of the streams, a parent before its children. */
async function readHeads(place: RemotePlace, ids: readonly StreamId[]): Promise<readonly StreamHead[]> {
  const wanted = new Map(ids.map((id) => [encodeStreamId(id), id]))
  const refs = await listStreamRefs(place.git, () => {})
  const heads: StreamHead[] = []
  const found = new Set<StreamId>()
  for (const { ref, oid, encoded } of refs) {
    const id = wanted.get(encoded)
    if (id === undefined) continue
    const head = await readForeignHead(place, ref, oid)
    if (head === null) continue
    heads.push(head)
    found.add(id)
  }
  for (const id of ids) {
    if (found.has(id)) continue
    throw new NotFoundError(`no stream '${shownStreamId(id)}'`, { details: { field: 'stream', stream: id } })
  }
  return parentsFirst(heads)
}

function parentsFirst(heads: readonly StreamHead[]): readonly StreamHead[] {
  const byId = new Map<StreamId, StreamHead[]>()
  for (const head of heads) byId.set(head.manifest.streamId, [...(byId.get(head.manifest.streamId) ?? []), head])
  const sorted: StreamHead[] = []
  const done = new Set<StreamId>()
  for (const { manifest } of heads) {
    // Iterative: a chain of branches can be deep.
    const pending = [manifest.streamId]
    const entered = new Set<StreamId>()
    for (let id = pending.at(-1); id !== undefined; id = pending.at(-1)) {
      const own: readonly StreamHead[] = byId.get(id) ?? []
      const isEntered = entered.has(id)
      entered.add(id)
      const parents = isEntered ? [] : own.flatMap((head) => head.manifest.lineage.parents.map((each) => each.streamId))
      const missing = parents.filter((parent) => byId.has(parent) && !done.has(parent) && !entered.has(parent))
      if (missing.length > 0) {
        pending.push(...missing)
        continue
      }
      pending.pop()
      if (done.has(id)) continue
      done.add(id)
      sorted.push(...own.toSorted((left, right) => left.manifest.generation - right.manifest.generation))
    }
  }
  return sorted
}

type Tracked = ReadonlyMap<StreamHead, StreamHead | null>

async function readTracked(place: RemotePlace, heads: readonly StreamHead[]): Promise<Tracked> {
  const tracked = new Map<StreamHead, StreamHead | null>()
  for (const head of heads) {
    const commit = await place.git.readRef(trackingRef(place.remote, head.ref))
    tracked.set(head, commit === null ? null : await readForeignHead(place, head.ref, commit))
  }
  return tracked
}

interface Diverged {
  readonly local: StreamHead
  readonly remote: StreamHead
}

async function compare(place: RemotePlace, heads: readonly StreamHead[], tracked: Tracked) {
  const diverged: Diverged[] = []
  const behind = new Set<StreamHead>()
  for (const local of heads) {
    const remote = tracked.get(local) ?? null
    if (remote === null || remote.commit === local.commit) continue
    if (await goesOnFrom(place, local, remote)) continue
    if (await goesOnFrom(place, remote, local)) behind.add(local)
    else diverged.push({ local, remote })
  }
  return { diverged, behind }
}

/** Streams with commits that the remote is not known to have. By the hints in their messages: it is for people. */
async function findAlongside(
  { git, remote }: RemotePlace,
  heads: readonly StreamHead[],
  ids: readonly StreamId[],
): Promise<readonly StreamId[]> {
  const sent = await git.listRefs(trackingPrefix(remote), () => {})
  const exclude = sent.map(({ oid }) => oid)
  const found = new Set<StreamId>()
  for (const { commit, manifest } of heads) {
    // A root has the records of no other stream, until it merges one.
    if (exclude.includes(commit)) continue
    for await (const commits of git.listCommits({ head: commit, exclude })) {
      for (const { message } of commits) {
        const id = parseTrailers(message)?.streamId
        if (id !== undefined && id !== manifest.streamId) found.add(id)
      }
    }
  }
  for (const id of ids) found.delete(id)
  return [...found].sort()
}

async function push(
  { remotes, remote, runHooks, onProgress }: RemotePlace,
  heads: readonly StreamHead[],
  tracked: Tracked,
): Promise<{ readonly rows: readonly PushedRef[]; readonly isAtomic: boolean }> {
  // A head that is not known yet may be one that git takes for an earlier one.
  const updates = heads.map((head): PushUpdate => {
    return { ref: head.ref, next: head.commit, isNew: (tracked.get(head) ?? null) === null }
  })
  try {
    const atomic = updates.length > 1
    return { rows: await remotes.push({ remote, updates, atomic, runHooks, onProgress }), isAtomic: true }
  } catch (error) {
    if (!(error instanceof RemoteError) || error.details.reason !== 'no-atomic') throw error
  }
  const rows: PushedRef[] = []
  for (const update of updates) {
    const [row] = await remotes.push({ remote, updates: [update], atomic: false, runHooks, onProgress })
    if (row !== undefined) rows.push(row)
  }
  return { rows, isAtomic: false }
}

/** One row for each id: of its newest generation. */
function summarize(
  ids: readonly StreamId[],
  heads: readonly StreamHead[],
  tracked: Tracked,
  behind: ReadonlySet<StreamHead>,
  moved: 'published' | 'pending',
): readonly PublishedStream[] {
  return ids.map((streamId) => {
    const own = heads.filter(({ manifest }) => manifest.streamId === streamId)
    const newest = own.reduce((best, each) => (each.manifest.generation > best.manifest.generation ? each : best))
    const before = tracked.get(newest) ?? null
    const remote = before === null ? null : positionOf(before)
    const isMoved = own.some((head) => tracked.get(head)?.commit !== head.commit && !behind.has(head))
    const outcome = isMoved ? moved : behind.has(newest) ? 'behind' : 'unchanged'
    return { streamId, outcome, local: positionOf(newest), remote }
  })
}

function divergedFrom(remote: string, [first, ...others]: readonly Diverged[]): ConflictError {
  const { local, remote: theirs } = first as Diverged
  const { streamId } = local.manifest
  const [shown, at] = [shownStreamId(streamId), showRemote(remote)]
  const here = describePosition(positionOf(local))
  const there = describePosition(positionOf(theirs))
  const more = others.length === 0 ? '' : `; so are ${others.length} more`
  const message = `stream '${shown}' has diverged: here it is at ${here}, on '${at}' at ${there}${more}; nothing was pushed`
  const describe = (one: Diverged) => ({
    stream: one.local.manifest.streamId,
    local: wordsOf(one.local),
    remote: wordsOf(one.remote),
  })
  return new ConflictError(message, {
    details: { reason: 'diverged', ...describe(first as Diverged), remote_name: at, others: others.map(describe) },
    hints: ['Run `grite stream rescue` on it: what only this clone has becomes a branch, to be merged'],
  })
}

function wordsOf(head: StreamHead) {
  const { manifest, commit } = head
  const { epoch, nextOffset } = positionOf(head)
  return { head: commit, incarnation: manifest.incarnation, epoch, next_offset: nextOffset, state: stateOf(manifest) }
}

/** @param refused - at least one */
function refusedBy(remote: string, refused: readonly PushedRef[], heads: readonly StreamHead[]): RemoteError {
  const streamOf = ({ ref }: PushedRef) => heads.find((head) => head.ref === ref)?.manifest.streamId ?? null
  const [first, ...others] = refused as readonly [PushedRef, ...PushedRef[]]
  const { ref, reason } = first
  const stream = streamOf(first)
  const shown = stream === null ? ref : shownStreamId(stream)
  const more = others.length === 0 ? '' : `, and ${others.length} more`
  return new RemoteError(`'${showRemote(remote)}' refused stream '${shown}'${more}: ${makeVisible(reason)}`, {
    details: {
      ...{ remote: showRemote(remote), reason: 'rejected', ref, remote_message: reason, stream },
      others: others.map((row) => ({ stream: streamOf(row), ref: row.ref, remote_message: row.reason })),
    },
    hints: [`${whyRefused(reason)}; the records are safe in this clone`],
  })
}

/** git says only this when its index-pack or unpack-objects failed (builtin/receive-pack.c: unpack_with_sideband). */
const whyRefused = (reason: string): string =>
  reason === 'unpacker error'
    ? 'The remote could not store the objects: its disk may be full'
    : 'A hook or a rule of the host refused the push'

function contended(remote: string, rows: readonly PushedRef[]): ConflictError {
  const stale = findCause(rows, 'stale')
  return new ConflictError(`streams of '${showRemote(remote)}' kept moving; nothing was pushed`, {
    details: { reason: 'contended', ref: stale?.ref, remote_message: stale?.reason },
    hints: [
      'Try again',
      'If nobody else pushes these streams, objects may be missing here: `grite stream verify <id>` finds them',
    ],
  })
}
