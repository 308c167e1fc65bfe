import { showRemote } from '../../git/index.ts'
import { InvalidArgsError } from '../../model/index.ts'
import { parseStreamId } from '../../model/streams/index.ts'
import { cursorPlace } from '../../tracker/streams/cursor-json.ts'
import { selectionOf } from '../../tracker/streams/follow-list.ts'
import { fetchedJson, reachRemote, warnOfFetched } from '../../tracker/streams/reach-remote.ts'
import { chooseRemote } from '../../tracker/sync/remote-name.ts'
import { fetchCursors } from '../../wal/streams/index.ts'
import { type DataOf, defineCommand, type GivenInput } from '../define-command.ts'
import { remoteOption } from './stream-input.ts'

export const streamFetch = defineCommand({
  name: 'stream fetch',
  summary: 'Fetch streams from a remote',
  description:
    'Brings streams of a remote to this clone, with the records that they inherit, or moves them forward. Without ids, those ' +
    'that this clone follows. A stream that has records of its own on both sides stays as it is, and both positions are named.',
  examples: [
    { command: 'grite stream fetch build/42', explains: 'one stream' },
    { command: 'grite stream fetch --all', explains: 'every stream of the remote, as into an empty clone' },
  ],
  effect: 'sets',
  arguments: {
    stream: { summary: 'Ids or patterns with *; none for the followed streams', repeatable: true, optional: true },
  },
  options: { all: { type: 'boolean', summary: 'Fetch every stream of the remote' }, remote: remoteOption },
  async run(context, input) {
    const named = input.stream.map((text) => parseStreamId(text) as string)
    if (input.all && named.length > 0) {
      throw new InvalidArgsError('use either --all or names of streams', { details: { field: 'all' } })
    }
    const repository = await context.repository()
    const remote = await chooseRemote(repository, context.cwd, input.remote)
    const followed = (await repository.config()).streams.follow
    const patterns = input.all ? ['*'] : named.length > 0 ? named : followed
    const shown = showRemote(remote.name)
    if (patterns.length === 0) {
      throw new InvalidArgsError('this clone follows no streams', {
        details: { field: 'stream' },
        hints: ['Name streams, use --all, or run `grite stream follow <id>` first'],
      })
    }
    const cursorsAt = await cursorPlace(context, repository)
    const { fetched, cursors } = await reachRemote(context, repository, remote, 'Fetching', async (place, streams) => {
      const fetched = await streams.fetch(place, selectionOf(patterns))
      const ids = fetched.streams.flatMap(({ streamId, outcome }) => (outcome === 'diverged' ? [] : streamId))
      return { fetched, cursors: await fetchCursors(cursorsAt, place, [...new Set(ids)]) }
    })
    warnOfFetched(context, remote.name, fetched)
    const found = new Set<string>(fetched.streams.map(({ streamId }) => streamId))
    return {
      data: {
        action: 'fetched',
        remote: shown,
        streams: fetched.streams.map(fetchedJson),
        /** Shared cursors that have moved here. */
        cursors: cursors.map(({ cursor: { document }, outcome }) => ({
          stream: document.streamId as string,
          cursor: document.name,
          outcome,
          offset: document.offset,
        })),
        /** Named streams that the remote does not have. */
        missing: patterns.filter((pattern) => !pattern.includes('*') && !found.has(pattern)),
      },
    }
  },
})

export type StreamFetchInput = GivenInput<typeof streamFetch>
export type StreamFetchData = DataOf<typeof streamFetch>
