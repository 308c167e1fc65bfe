/** What commands that reach a remote need of the engine of streams. */
import { showRemote } from '../../git/index.ts'
import { makeVisible } from '../../model/index.ts'
import { type StreamId, streamRefPrefix } from '../../model/streams/index.ts'
import { remotesPrefix, splitTrackingRef } from '../../wal/index.ts'
import {
  describePosition,
  type Fetched,
  type FetchedStream,
  type Published,
  publishStreams,
  type RemotePlace,
  type StreamPosition,
  type StreamStore,
} from '../../wal/streams/index.ts'
import type { CommandContext } from '../effects.ts'
import { onProgressOf } from '../sync/begin-sync.ts'
import type { ChosenRemote } from '../sync/remote-name.ts'
import type { Workspace } from '../workspace.ts'
import { describeDamage } from './open-streams.ts'

export type RemoteContext = Pick<CommandContext, 'clock' | 'random' | 'warn' | 'progress' | 'interrupted'>

/** Runs work that reaches a remote, with git's progress on a terminal. */
export async function reachRemote<Result>(
  context: RemoteContext,
  repository: Workspace,
  { name }: ChosenRemote,
  label: string,
  work: (place: RemotePlace, streams: StreamStore) => Promise<Result>,
): Promise<Result> {
  const streams = await repository.streams()
  const progress = context.progress(label)
  const place: RemotePlace = {
    ...{ git: repository.git, remotes: repository.remotes, manifests: streams.reader.manifests, remote: name },
    runHooks: (await repository.config()).sync.runHooks,
    clock: context.clock,
    jitter: () => (context.random.bytes(1)[0] as number) / 256,
    signal: context.interrupted,
    onProgress: onProgressOf(progress),
    onDamage: (damage) =>
      context.warn({ code: 'stream-damage', message: describeDamage(damage), details: { ...damage } }),
  }
  try {
    return await work(place, streams)
  } finally {
    progress.end()
  }
}

/** The streams that this clone writes, also deleted ones: what it publishes by default. */
export async function listOwnStreams(streams: StreamStore): Promise<readonly StreamId[]> {
  const all = await streams.list({ includeEnded: true })
  return [...new Set(all.filter(({ owner }) => owner === 'ours').map(({ streamId }) => streamId))].sort()
}

/** Seals what this clone has appended to some streams. */
export async function sealOwn(streams: StreamStore, ids: readonly StreamId[]): Promise<void> {
  for (const id of ids) {
    const head = await streams.find(id)
    if (head === null || head.manifest.act?.name === 'tombstone') continue
    const { unsealedRecords, owner } = await streams.status(id)
    if (unsealedRecords > 0 && owner === 'ours') await streams.seal(id)
  }
}

/** Pushes streams, and says before the first push from this clone that it cannot be undone. */
export async function publish(
  context: RemoteContext,
  place: RemotePlace,
  ids: readonly StreamId[],
  isDryRun: boolean,
): Promise<Published> {
  const isFirst = !(await hasPublished(place))
  const published = await publishStreams(place, { ids, isDryRun })
  if (isFirst && published.streams.some(({ outcome }) => outcome === 'published')) {
    const message = 'what is pushed cannot be erased: every clone that fetches it keeps it, also after a deletion here'
    context.warn({ code: 'stream-published', message, details: { remote: showRemote(place.remote) } })
  }
  return published
}

async function hasPublished({ git }: RemotePlace): Promise<boolean> {
  const tracked = await git.listRefs(remotesPrefix, () => {})
  return tracked.some(({ ref }) => splitTrackingRef(ref).remoteRef.startsWith(streamRefPrefix))
}

export interface PositionJson {
  readonly head: string
  readonly incarnation: string
  readonly generation: number
  readonly epoch: number
  readonly next_offset: number
  readonly state: 'live' | 'deleted' | 'continued'
}

export function positionJson({ nextOffset, ...position }: StreamPosition): PositionJson {
  const { head, incarnation, generation, epoch, state } = position
  return { head, incarnation, generation, epoch, next_offset: nextOffset, state }
}

export function fetchedJson({ streamId, outcome, local, remote, reason }: FetchedStream) {
  return {
    stream: streamId as string,
    outcome,
    /** Before the fetch; null when this clone did not have it. */
    local: local === null ? null : positionJson(local),
    remote: positionJson(remote),
    /** Why it has diverged. */
    reason,
  }
}

export type FetchedJson = ReturnType<typeof fetchedJson>

/** Warns of streams that have diverged, and of refs that were left out. */
export function warnOfFetched(
  { warn }: Pick<CommandContext, 'warn'>,
  remote: string,
  { streams, leftOut }: Fetched,
): void {
  const shown = showRemote(remote)
  for (const { streamId, outcome, local, remote: theirs, reason } of streams) {
    if (outcome !== 'diverged') continue
    const here = local === null ? 'only a journal' : describePosition(local)
    const message =
      `stream '${makeVisible(streamId)}' has diverged (${reason}): here it is at ${here}, on '${shown}' at ` +
      `${describePosition(theirs)}; run \`grite stream rescue\` on it`
    const details = { stream: streamId, remote: shown, positions: [local && positionJson(local), positionJson(theirs)] }
    warn({ code: 'stream-diverged', message, details, isEssential: true })
  }
  for (const { foundCount, followedCount } of leftOut) {
    const message = `'${shown}' has ${foundCount} streams; only ${followedCount} of them were fetched`
    warn({ code: 'remote-refs-left-out', message, details: { remote: shown, count: foundCount } })
  }
}
