import type { ActorId } from '../../model/index.ts'
import { parseStreamId } from '../../model/streams/index.ts'
import { selectionOf } from '../../tracker/streams/follow-list.ts'
import { positionJson, reachRemote } from '../../tracker/streams/reach-remote.ts'
import { explainUnknown } from '../../tracker/streams/stream-target.ts'
import { type ChosenRemote, chooseHomeRemote, chooseRemote } from '../../tracker/sync/remote-name.ts'
import type { Workspace } from '../../tracker/workspace.ts'
import { positionOf, type Rescued, readTrackedHead, type StreamHead } from '../../wal/streams/index.ts'
import { type DataOf, defineCommand, type GivenInput } from '../define-command.ts'
import { remoteOption } from './stream-input.ts'

export const streamRescue = defineCommand({
  name: 'stream rescue',
  summary: 'Turn a diverged tail into a branch',
  description:
    'When this clone and the remote both have records of their own, or another program moved the stream under its journal, ' +
    'what only this clone has becomes a branch named <id>/rescue/<16 hex>, and the stream goes on from the head of the remote. ' +
    'No record is lost; merge the branch when it belongs to the stream. Does nothing to a stream that has not diverged.',
  examples: [
    { command: 'grite stream rescue build/42', explains: 'fetches the stream first' },
    { command: 'grite stream rescue build/42 --offline', explains: 'with what the last fetch found' },
  ],
  effect: 'adds',
  arguments: { stream: { summary: 'Id of the stream', completes: 'stream' } },
  options: {
    offline: { type: 'boolean', summary: 'Do not fetch first' },
    reason: { type: 'text', valueName: 'text', summary: 'Why, kept with the branch' },
    remote: remoteOption,
  },
  async run(context, input) {
    const streamId = parseStreamId(input.stream)
    const repository = await context.repository()
    const remote = await remoteOf(repository, context.cwd, input.remote)
    const { actor } = await repository.requireActor()
    const facts = { actor: actor.id as ActorId, reason: input.reason ?? null }
    const streams = await repository.streams()
    const rescues: Rescued[] = []
    const rescue = async (generation: number, onto: StreamHead | null): Promise<void> => {
      rescues.push(...(await streams.rescue({ streamId, generation }, onto, facts)))
    }
    try {
      const newest = await streams.find(streamId)
      const generations = new Set<number>([newest?.manifest.generation ?? 0])
      // An ended generation diverges when the clone had appended to it while another program moved its ref to the end.
      for (const stream of await streams.list({ includeEnded: true, onDamage: () => {} }))
        if (stream.streamId === streamId) generations.add(stream.generation)
      const inOrder = () => [...generations].sort((left, right) => left - right)
      if (remote === null) for (const generation of inOrder()) await rescue(generation, null)
      else {
        await reachRemote(context, repository, remote, 'Fetching', async (place) => {
          if (!input.offline) {
            const fetched = await streams.fetch(place, selectionOf([streamId]))
            for (const { generation, outcome } of fetched.streams)
              if (outcome === 'diverged') generations.add(generation)
          }
          for (const generation of inOrder())
            await rescue(generation, await readTrackedHead(place, streams.refOf(streamId, generation)))
        })
      }
    } catch (error) {
      throw await explainUnknown(streams, streamId, error)
    }
    return {
      data: {
        action: 'rescued',
        stream: streamId as string,
        outcome: rescues.length > 0 ? ('changed' as const) : ('unchanged' as const),
        rescues: rescues.map(({ branch, fromOffset, recordCount, before, after }) => ({
          /** Null when the other head had every record. */
          branch: branch === null ? null : (branch.manifest.streamId as string),
          /** Offset of the first record of its own. */
          from_offset: fromOffset,
          records: recordCount,
          before: positionJson(positionOf(before)),
          after: positionJson(positionOf(after)),
        })),
      },
    }
  },
})

export type StreamRescueInput = GivenInput<typeof streamRescue>
export type StreamRescueData = DataOf<typeof streamRescue>

/** Null in a clone without a remote, where only a journal can have diverged. */
async function remoteOf(repository: Workspace, cwd: string, typed: string | undefined): Promise<ChosenRemote | null> {
  if (typed !== undefined) return await chooseRemote(repository, cwd, typed)
  return (await chooseHomeRemote(repository)) ?? null
}
