import { InvalidArgsError, NotFoundError } from '../../model/index.ts'
import { parseStreamId, type StreamId } from '../../model/streams/index.ts'
import { describeDamage } from '../../tracker/streams/open-streams.ts'
import { explainUnknown } from '../../tracker/streams/stream-target.ts'
import type { StreamDamage, StreamProblemFound } from '../../wal/streams/index.ts'
import { type DataOf, defineCommand, type GivenInput } from '../define-command.ts'

export const streamVerify = defineCommand({
  name: 'stream verify',
  summary: 'Check all that streams hold, and name what is broken',
  description:
    'Reads every commit of every generation with its segment, computes hashes, roots, merges and positions again, and reads ' +
    'the journal. Each fault is named with its commit, object and offsets; all else stays readable. Exits 1 when there is one.',
  examples: [
    { command: 'grite stream verify build/42', explains: 'one stream' },
    { command: 'grite stream verify --all', explains: 'every stream of the repository' },
  ],
  served: true,
  effect: 'reads',
  arguments: { stream: { summary: 'Ids of streams', repeatable: true, optional: true, completes: 'stream' } },
  options: { all: { type: 'boolean', summary: 'Every stream, ended ones too' } },
  async run(context, { stream: ids, all }) {
    if (all === ids.length > 0) {
      throw new InvalidArgsError('name streams, or --all', { details: { field: 'stream' } })
    }
    const repository = await context.repository()
    const streams = await repository.streams()
    const problems: ProblemJson[] = []
    const named: StreamId[] = ids.map((id) => parseStreamId(id))
    if (all) {
      const onDamage = (damage: StreamDamage) => problems.push(problemJson({ ...damage, commit: null }))
      const found = await streams.list({ includeEnded: true, onDamage })
      named.push(...new Set(found.map(({ streamId }) => streamId)))
    }
    const checked = []
    const progress = context.progress('Checking')
    let entries = 0
    const verify = (streamId: StreamId) =>
      streams.acts
        .verify(streamId, (more) => {
          entries += more
          progress.report(entries, null)
        })
        .finally(() => progress.end())
    for (const streamId of named) {
      const generations = await verify(streamId)
      if (generations.length === 0) throw await explainUnknown(streams, streamId, new NotFoundError('no such stream'))
      for (const found of generations) {
        problems.push(...found.problems.map(problemJson))
        checked.push({
          ...{ stream: streamId, generation: found.generation, head: found.head, root: found.root },
          ...{ commits: found.commits, records: found.records, unsealed_records: found.unsealedRecords },
          problem_count: found.problems.length,
        })
      }
    }
    return {
      data: { problem_count: problems.length, streams: checked, problems },
      exitStatus: problems.length > 0 ? 1 : 0,
    }
  },
})

type ProblemJson = ReturnType<typeof problemJson>

function problemJson(problem: StreamProblemFound) {
  const { streamId, ref, commit, objectId, file, bytePosition, offsets } = problem
  return {
    ...{ stream: streamId, ref, commit, object_id: objectId, file, byte: bytePosition },
    first_offset: offsets?.from ?? null,
    last_offset: offsets === null ? null : offsets.to - 1,
    message: describeDamage(problem),
  }
}

export type StreamVerifyInput = GivenInput<typeof streamVerify>
export type StreamVerifyData = DataOf<typeof streamVerify>
