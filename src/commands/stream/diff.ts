import { parseStreamId } from '../../model/streams/index.ts'
import { compareStreams } from '../../tracker/streams/compare-streams.ts'
import { Lineages } from '../../tracker/streams/lineage.ts'
import { withNearIds } from '../../tracker/streams/stream-target.ts'
import { type DataOf, defineCommand, type GivenInput } from '../define-command.ts'
import { streamArgument, warnOfDamage } from './stream-input.ts'

const limitDefault = 100

export const streamDiff = defineCommand({
  name: 'stream diff',
  summary: 'Show the records that only one of two streams holds',
  description:
    'A record is the same in two streams when it was appended once and then inherited or merged: equal payloads that were ' +
    'appended twice are two records. common is the last position up to which both inherit the same records.',
  examples: [
    { command: 'grite stream diff build/42 build/42-retry', explains: 'what each has since they parted' },
    { command: 'grite stream diff build/42 build/42-retry --limit 0', explains: 'only counts' },
  ],
  served: true,
  effect: 'reads',
  arguments: { stream: streamArgument, other: { summary: 'Id of the other stream', completes: 'stream' } },
  options: {
    limit: { type: 'count', valueName: 'n', short: 'n', summary: 'List at most n records of each; default 100' },
  },
  async run(context, input) {
    const streams = await (await context.repository()).streams()
    const statusOf = (text: string) => {
      const streamId = parseStreamId(text)
      return withNearIds(streams, streamId, () => streams.status(streamId))
    }
    const sides = [await statusOf(input.stream), await statusOf(input.other)] as const
    const lineages = new Lineages(await streams.list({ includeEnded: true, onDamage: () => {} }))
    const compared = await compareStreams(streams, lineages, sides, {
      limit: input.limit ?? limitDefault,
      signal: context.interrupted,
      onDamage: warnOfDamage(context.warn),
    })
    return { data: compared }
  },
})

export type StreamDiffInput = GivenInput<typeof streamDiff>
export type StreamDiffData = DataOf<typeof streamDiff>
