import type { SyncedStreams } from '../../tracker/streams/sync-streams.ts'
import { type BegunSync, beginSync } from '../../tracker/sync/begin-sync.ts'
import { chooseRemote } from '../../tracker/sync/remote-name.ts'
import type { Workspace } from '../../tracker/workspace.ts'
import { type DataOf, defineCommand, type GivenInput } from '../define-command.ts'

export const sync = defineCommand({
  name: 'sync',
  summary: 'Synchronize the log with a remote',
  description:
    'Fetches the log of the remote, appends the events that only this clone has on top of it, and pushes the result. Never ' +
    'force-pushes, and never loses or duplicates an event, even with concurrent writers. Works with every remote that ' +
    '`git fetch` supports. Does not touch your branches, tags and hooks.',
  examples: [
    { command: 'grite sync', explains: 'pull and push, with the home remote' },
    { command: 'grite sync --pull', explains: 'only fetch events of others' },
    { command: 'grite sync --streams', explains: 'with record streams' },
    { command: 'grite sync --remote backup', explains: 'with another remote' },
  ],
  effect: 'sets',
  arguments: {},
  options: {
    pull: { type: 'boolean', summary: 'Only fetch events from the remote' },
    push: { type: 'boolean', summary: 'Only push events that the remote lacks' },
    streams: {
      type: 'boolean',
      summary:
        'Also fetch followed record streams, and push those of this clone that the remote has, with shared cursors',
    },
    remote: {
      type: 'text',
      valueName: 'name',
      summary: 'Remote or URL; default: the home remote, origin',
      completes: 'remote',
    },
  },
  async run(context, input) {
    const repository = await context.repository()
    const remote = await chooseRemote(repository, context.cwd, input.remote)
    // Both flags together mean the same as neither.
    const both = input.pull === input.push
    const directions = { pull: both || input.pull, push: both || input.push }
    const begun = await beginSync(context, repository, remote)
    // While git waits for the remote; nothing has moved yet.
    if (directions.push) await checkUnlocked(repository, begun)
    const { completeSync } = await import('./complete-sync.ts')
    const synced = await completeSync(context, repository, { remote, directions, begun })
    if (!input.streams) return { data: withStreams(synced, undefined) }
    const { isIncomplete, syncStreams } = await import('../../tracker/streams/sync-streams.ts')
    const streams = await syncStreams(context, repository, remote, directions)
    return { data: withStreams(synced, streams), exitStatus: isIncomplete(streams) ? 1 : 0 }
  },
})

/** Cancels the fetch where locks forbid the push. @throws {ConflictError} see `Workspace.checkRepositoryLocks` */
async function checkUnlocked(repository: Workspace, { progress, early }: BegunSync): Promise<void> {
  try {
    await repository.checkRepositoryLocks()
  } catch (error) {
    progress.end()
    await early?.cancel()
    throw error
  }
}

function withStreams<Synced extends object>(
  synced: Synced,
  streams: SyncedStreams | undefined,
): Synced & { readonly streams?: SyncedStreams } {
  return { ...synced, ...(streams === undefined ? {} : { streams }) }
}

export type SyncInput = GivenInput<typeof sync>
export type SyncData = DataOf<typeof sync>
