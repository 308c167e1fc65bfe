import { ConflictError, RemoteError } from '../../model/index.ts'
import { encodeStreamId, parseStreamRef, type StreamId, streamRefPrefix } from '../../model/streams/index.ts'
import { remoteRefOf, trackingPrefix } from '../../wal/index.ts'
import {
  type Fetched,
  fetchCursors,
  type PublishedStream,
  type RemotePlace,
  type StreamStore,
  shareKnownCursors,
} from '../../wal/streams/index.ts'
import type { ChosenRemote } from '../sync/remote-name.ts'
import type { SyncDirections } from '../sync/run-sync.ts'
import type { Workspace } from '../workspace.ts'
import { cursorPlace } from './cursor-json.ts'
import { selectionOf } from './follow-list.ts'
import {
  fetchedJson,
  listOwnStreams,
  positionJson,
  publish,
  type RemoteContext,
  reachRemote,
  sealOwn,
  warnOfFetched,
} from './reach-remote.ts'

/** What stays undone; everything else of the sync is done. */
interface RefusedStream {
  /** Null when the remote did not say which. */
  readonly stream: string | null
  readonly reason: string
}

/**
 * Fetches the streams that this clone follows, then pushes those that it writes and has published before: only
 * `stream publish` shows a stream to a remote for the first time. Shared cursors go both ways.
 */
export async function syncStreams(
  context: RemoteContext,
  repository: Workspace,
  remote: ChosenRemote,
  { pull, push }: SyncDirections,
) {
  const { follow } = (await repository.config()).streams
  const cursorsAt = await cursorPlace(context, repository)
  return await reachRemote(context, repository, remote, 'Streams', async (place, streams) => {
    const own = await listPublished(place, streams)
    const fetched = await fetchAll(place, streams, pull ? [...follow, ...own] : [])
    warnOfFetched(context, remote.name, fetched)
    const isDiverged = new Set(
      fetched.streams.flatMap(({ streamId, outcome }) => (outcome === 'diverged' ? streamId : [])),
    )
    const known = new Set(fetched.streams.flatMap(({ streamId }) => (isDiverged.has(streamId) ? [] : streamId)))
    const arrived = await fetchCursors(cursorsAt, place, [...known])
    const ids = push ? own.filter((id) => !isDiverged.has(id)) : []
    await sealOwn(streams, ids)
    const { published, refused } = await publishAll(context, place, ids)
    const sent = push ? await shareKnownCursors(cursorsAt, place) : []
    return {
      fetched: fetched.streams.map(fetchedJson),
      published: published.map(({ streamId, outcome, local, remote: theirs }) => ({
        stream: streamId as string,
        outcome,
        local: positionJson(local),
        /** Before the push; null when it was not known to have the stream. */
        remote: theirs === null ? null : positionJson(theirs),
      })),
      refused,
      /** Cursors that have moved here (`created`, `moved`) or there (`shared`), or could not (`refused`). */
      cursors: [...arrived, ...sent].map(({ cursor: { document }, outcome }) => ({
        stream: document.streamId as string,
        cursor: document.name,
        outcome,
        offset: document.offset,
      })),
    }
  })
}

/** The streams of this clone of which the remote has any generation. */
async function listPublished(
  { git, remote }: Pick<RemotePlace, 'git' | 'remote'>,
  streams: StreamStore,
): Promise<readonly StreamId[]> {
  const tracked = await git.listRefs(trackingPrefix(remote), () => {})
  const known = new Set(
    tracked
      .map(({ ref }) => remoteRefOf(remote, ref))
      .filter((ref) => ref.startsWith(streamRefPrefix))
      .map((ref) => parseStreamRef(ref)?.encoded),
  )
  return (await listOwnStreams(streams)).filter((id) => known.has(encodeStreamId(id)))
}

async function fetchAll(place: RemotePlace, streams: StreamStore, patterns: readonly string[]): Promise<Fetched> {
  return patterns.length === 0 ? { streams: [], leftOut: [] } : await streams.fetch(place, selectionOf(patterns))
}

interface PublishedAll {
  readonly published: readonly PublishedStream[]
  readonly refused: readonly RefusedStream[]
}

/** Each costs a push: a remote that refuses more keeps the rest until the next sync. */
const refusalsMax = 8

/**
 * A refused stream does not undo the rest of a sync, and does not hold back the other streams: they are pushed at once
 * without it.
 */
async function publishAll(context: RemoteContext, place: RemotePlace, ids: readonly StreamId[]): Promise<PublishedAll> {
  const refused: RefusedStream[] = []
  let rest = ids
  for (let refusals = 1; rest.length > 0; refusals++) {
    try {
      return { published: (await publish(context, place, rest, false)).streams, refused }
    } catch (error) {
      const isRefused = error instanceof RemoteError && error.details.reason === 'rejected'
      if (!isRefused && !(error instanceof ConflictError)) throw error
      const reason = error.message
      context.warn({ code: 'stream-not-published', message: reason, details: { ...error.details }, isEssential: true })
      const named = streamsOf(error)
      const goesOn = named.length > 0 && refusals < refusalsMax
      const undone = goesOn ? named : named.length > 0 ? rest : [null]
      refused.push(...undone.map((stream) => ({ stream, reason })))
      if (!goesOn) break
      rest = rest.filter((id) => !named.includes(id))
    }
  }
  return { published: [], refused }
}

/** The streams that an error of a publish names. */
function streamsOf({ details: { stream, others } }: RemoteError | ConflictError): readonly string[] {
  const more: readonly { readonly stream: unknown }[] = Array.isArray(others) ? others : []
  return [...new Set([stream, ...more.map((each) => each.stream)])].filter((id) => typeof id === 'string')
}

export type SyncedStreams = Awaited<ReturnType<typeof syncStreams>>

/** Whether something is left to be done by a person. */
export function isIncomplete({ fetched, refused, cursors }: SyncedStreams): boolean {
  return (
    refused.length > 0 ||
    fetched.some(({ outcome }) => outcome === 'diverged') ||
    cursors.some(({ outcome }) => outcome === 'refused')
  )
}
