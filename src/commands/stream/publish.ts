import { showRemote } from '../../git/index.ts'
import { parseStreamId } from '../../model/streams/index.ts'
import { listOwnStreams, positionJson, publish, reachRemote, sealOwn } from '../../tracker/streams/reach-remote.ts'
import { explainUnknown } from '../../tracker/streams/stream-target.ts'
import { chooseRemote } from '../../tracker/sync/remote-name.ts'
import { type DataOf, defineCommand, type GivenInput } from '../define-command.ts'
import { remoteOption } from './stream-input.ts'

export const streamPublish = defineCommand({
  name: 'stream publish',
  summary: 'Push streams to a remote',
  description:
    'Pushes what is sealed, never forces, and pushes several streams together or not at all. A branch takes the records that ' +
    'it inherits along, so the answer names their streams, too. When this clone and the remote both have records of their ' +
    'own, nothing is pushed, and the error names both positions. What is pushed cannot be erased elsewhere.',
  examples: [
    { command: 'grite stream publish build/42 --seal', explains: 'with what is not sealed yet' },
    {
      command: 'grite stream publish --dry-run',
      explains: 'what would be pushed of all streams that this clone writes',
    },
  ],
  effect: 'sets',
  arguments: {
    stream: {
      summary: 'Ids of streams; none for all that this clone writes',
      repeatable: true,
      optional: true,
      completes: 'stream',
    },
  },
  options: {
    seal: { type: 'boolean', summary: 'Seal what was appended first' },
    'dry-run': { type: 'boolean', summary: 'Only show what would be pushed' },
    remote: remoteOption,
  },
  async run(context, input) {
    const named = [...new Set(input.stream.map(parseStreamId))]
    const repository = await context.repository()
    const remote = await chooseRemote(repository, context.cwd, input.remote)
    return await reachRemote(context, repository, remote, 'Publishing', async (place, streams) => {
      const ids = named.length > 0 ? named : await listOwnStreams(streams)
      try {
        if (input.seal && !input.dryRun) await sealOwn(streams, ids)
        const { streams: rows, alongside, isAtomic } = await publish(context, place, ids, input.dryRun)
        const published = []
        for (const row of rows) {
          const isLive = row.local.state === 'live'
          const unsealed = isLive ? (await streams.status(row.streamId)).unsealedRecords : 0
          published.push({
            stream: row.streamId as string,
            outcome: row.outcome,
            local: positionJson(row.local),
            /** Before the push; null when it was not known to have the stream. */
            remote: row.remote === null ? null : positionJson(row.remote),
            /** Records that stay here until they are sealed. */
            unsealed_records: unsealed,
          })
        }
        return {
          data: {
            action: 'published',
            remote: showRemote(remote.name),
            dry_run: input.dryRun,
            /** Whether all were pushed together. */
            atomic: isAtomic,
            streams: published,
            /** Other streams whose records the remote gets, because a published one inherits or adopts them. */
            alongside: alongside as readonly string[],
          },
        }
      } catch (error) {
        throw named[0] === undefined ? error : await explainUnknown(streams, named[0], error)
      }
    })
  },
})

export type StreamPublishInput = GivenInput<typeof streamPublish>
export type StreamPublishData = DataOf<typeof streamPublish>
