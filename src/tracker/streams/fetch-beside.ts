/** Fetches a stream again and again while a reader follows it. */
import { InvalidArgsError } from '../../model/index.ts'
import { type StreamId, shownStreamId } from '../../model/streams/index.ts'
import type { StreamStore } from '../../wal/streams/index.ts'
import type { CommandContext, Warning } from '../effects.ts'
import { parseDuration } from '../parse-time.ts'
import { startPeriodicFetch } from '../sync/periodic-fetch.ts'
import { chooseRemote } from '../sync/remote-name.ts'
import type { Workspace } from '../workspace.ts'
import { selectionOf } from './follow-list.ts'
import { type RemoteContext, reachRemote, warnOfFetched } from './reach-remote.ts'

export interface FetchBeside {
  readonly stop: () => Promise<void>
}

export interface FetchInput {
  readonly fetch: string | undefined
  readonly remote: string | undefined
}

const msMin = 1000
const msMax = 86_400_000

/**
 * Begins to fetch where the user asked for it. A stream that this clone lacks is fetched before this returns.
 *
 * @throws {InvalidArgsError} when the input says otherwise
 */
export async function startFetchBeside(
  context: RemoteContext & Pick<CommandContext, 'cwd'>,
  repository: Workspace,
  { streams, streamId }: { readonly streams: StreamStore; readonly streamId: StreamId },
  input: FetchInput,
): Promise<FetchBeside> {
  if (input.fetch === undefined) {
    if (input.remote === undefined) return { async stop() {} }
    throw new InvalidArgsError('--remote needs --fetch', { details: { field: 'remote', value: input.remote } })
  }
  const pauseMs = parseDuration('fetch', input.fetch, { msMin, msMax })
  const remote = await chooseRemote(repository, context.cwd, input.remote)
  const quiet = quietContext(context)
  const fetching = startPeriodicFetch(context, repository, {
    what: `stream '${shownStreamId(streamId)}'`,
    pauseMs,
    async fetch(workspace) {
      const fetched = await reachRemote(quiet, workspace, remote, 'Fetching', (place, store) =>
        store.fetch(place, selectionOf([streamId])),
      )
      warnOfFetched(quiet, remote.name, fetched)
    },
  })
  if ((await streams.find(streamId)) === null) await fetching.first
  return fetching
}

/** Shows no progress, because records are printed meanwhile, and gives each warning once. */
export function quietContext(context: RemoteContext): RemoteContext {
  const told = new Set<string>()
  return {
    ...context,
    progress: () => ({ report() {}, end() {} }),
    warn(warning: Warning) {
      if (told.has(warning.message)) return
      told.add(warning.message)
      context.warn(warning)
    },
  }
}
