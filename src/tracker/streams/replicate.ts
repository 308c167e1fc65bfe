import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { showRemote } from '../../git/index.ts'
import { GriteError } from '../../model/index.ts'
import { encodeStreamId, nextOffsetOf, type StreamId, shownStreamId } from '../../model/streams/index.ts'
import { lockFileQueue, type Queue } from '../../wal/index.ts'
import { type RemotePlace, readTrackedHead, type StreamStore } from '../../wal/streams/index.ts'
import { chooseRemote } from '../sync/remote-name.ts'
import type { Workspace } from '../workspace.ts'
import { publish, type RemoteContext, reachRemote } from './reach-remote.ts'

export interface ReplicateRequest {
  readonly streamId: StreamId
  /** Wait until the remote has all records below this offset. */
  readonly nextOffset: number
  readonly cwd: string
  readonly remote: string | undefined
  readonly timeoutMs: number
}

/**
 * Seals and pushes a stream, and waits until the remote has accepted it. Appends that wait at the same time, in any process,
 * share pushes: while one is under way, the others queue, and the next one takes all of their records along.
 *
 * @returns the level that the records have reached; with less than `replicated`, a warning says why. They stay in this clone,
 *   and the next publish takes them along.
 */
export async function replicate(
  context: RemoteContext,
  repository: Workspace,
  { streamId, nextOffset, cwd, remote: typed, timeoutMs }: ReplicateRequest,
): Promise<'replicated' | 'local'> {
  const fail = (why: string, details: object): 'local' => {
    const message = `stream '${shownStreamId(streamId)}': the records are on this disk, but the remote does not have them: ${why}`
    context.warn({ code: 'not-replicated', message, details: { stream: streamId, ...details }, isEssential: true })
    return 'local'
  }
  const stop = new AbortController()
  try {
    const remote = await chooseRemote(repository, cwd, typed)
    const pushing = reachRemote(context, repository, remote, 'Replicating', async (place, streams) => {
      const leave = await pushQueue(repository, streamId).enter()
      try {
        const accepted = await acceptedOffset(place, streams, streamId)
        if (accepted >= nextOffset) return accepted
        await streams.seal(streamId)
        const { streams: rows } = await publish(context, place, [streamId], false)
        return rows[0]?.local.nextOffset ?? 0
      } finally {
        await leave()
      }
    })
    const signal = AbortSignal.any([stop.signal, context.interrupted])
    const waiting = sleep(timeoutMs, null, { signal }).catch(() => null)
    pushing.catch(() => {})
    const reached = await Promise.race([pushing, waiting])
    if (reached !== null && reached >= nextOffset) return 'replicated'
    const shown = showRemote(remote.name)
    return fail(`'${shown}' did not accept them within ${timeoutMs} ms`, { reason: 'timeout', remote: shown })
  } catch (error) {
    if (!(error instanceof GriteError)) throw error
    return fail(error.message, { ...error.details, code: error.code })
  } finally {
    stop.abort()
  }
}

/** Of the pushes of one stream. */
function pushQueue({ paths }: Workspace, streamId: StreamId): Queue {
  return lockFileQueue(join(paths.home, 'streams', `${encodeStreamId(streamId)}.push`), paths.permissions)
}

/** The offset up to which the remote has accepted what this clone holds, as far as this clone has seen. */
async function acceptedOffset(place: RemotePlace, streams: StreamStore, streamId: StreamId): Promise<number> {
  const head = await streams.head(streamId)
  const tracked = await readTrackedHead(place, head.ref)
  if (tracked === null) return 0
  const isOwn = tracked.commit === head.commit || (await place.git.isAncestor(tracked.commit, head.commit))
  return isOwn ? nextOffsetOf(tracked.manifest) : 0
}
