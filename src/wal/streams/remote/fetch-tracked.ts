import type { LeftOutRefs } from '../../../git/index.ts'
import { encodeStreamId, type StreamId, streamRefPrefix } from '../../../model/streams/index.ts'
import { fetchWithRetry } from '../../fetch-with-retry.ts'
import { remoteRefOf, trackingRef, trackingRefspec } from '../../ref-names.ts'
import type { RemotePlace } from './remote-place.ts'

/** Streams of one remote that a clone follows; each is a ref, and its commits. */
const followedMax = 65_536
/** More ids than this are fetched like all streams: each has a pattern of its own, and git a limit on arguments. */
const patternsMax = 256

/**
 * Fetches streams to their tracking refs; local streams do not move. What a branch inherits comes along.
 *
 * @param ids - null for every stream of the remote
 */
export async function fetchTracked(
  place: RemotePlace,
  ids: readonly StreamId[] | null,
): Promise<readonly LeftOutRefs[]> {
  const { remotes, remote, onProgress } = place
  const isEach = ids !== null && ids.length <= patternsMax
  const starts = isEach ? ids.map((id) => `${streamRefPrefix}${encodeStreamId(id)}.`) : [streamRefPrefix]
  if (starts.length === 0) return []
  const refspecs = starts.map((start) => trackingRefspec(remote, start))
  const leftOut = await fetchWithRetry(remotes, { remote, refspecs, refsMax: () => followedMax, onProgress }, place)
  await completeCut(place, starts)
  return leftOut
}

/** Fetches what a shallow fetch of the user has left out of the streams; branches stay shallow. */
async function completeCut({ git, remotes, remote }: RemotePlace, starts: readonly string[]): Promise<void> {
  const all = await git.listRefs(trackingRef(remote, streamRefPrefix), () => {})
  const rows = all
    .map(({ ref, oid }) => ({ ref: remoteRefOf(remote, ref), oid }))
    .filter(({ ref }) => starts.some((start) => ref.startsWith(start)))
  if ((await git.findCutCommits(rows.map(({ oid }) => oid))).length === 0) return
  for (const { ref, oid } of rows)
    if ((await git.findCutCommits([oid])).length > 0) await remotes.completeRef(remote, ref)
}
