import { parseStreamId } from '../../model/streams/index.ts'
import { Lineages } from '../../tracker/streams/lineage.ts'
import { withNearIds } from '../../tracker/streams/stream-target.ts'
import { graphOf } from '../../tracker/streams/stream-tree.ts'
import { type DataOf, defineCommand, type GivenInput } from '../define-command.ts'
import { byCreation } from './list.ts'
import { warnOfDamage } from './stream-input.ts'

export const streamGraph = defineCommand({
  name: 'stream graph',
  summary: 'Draw streams and their branches',
  description:
    'Draws all streams of this clone, or one with its ancestors and descendants. The number at a branch is the last offset ' +
    'that it inherits.',
  examples: [
    { command: 'grite stream graph', explains: 'as trees' },
    { command: 'grite stream graph build/42 --format mermaid', explains: 'the family of one, for a README' },
    { command: 'grite stream graph --format dot | dot -Tsvg > streams.svg', explains: 'a picture' },
  ],
  served: true,
  effect: 'reads',
  arguments: { stream: { summary: 'Only the family of this stream', optional: true, completes: 'stream' } },
  options: {
    format: { type: 'text', choices: ['text', 'mermaid', 'dot'], summary: 'How to draw; default text' },
    all: { type: 'boolean', summary: 'With streams that were deleted' },
  },
  async run(context, input) {
    const streams = await (await context.repository()).streams()
    const all = await streams.list({ includeEnded: true, onDamage: warnOfDamage(context.warn) })
    const lineages = new Lineages(all)
    let wanted = lineages.streams
    if (input.stream !== undefined) {
      const streamId = parseStreamId(input.stream)
      const status = await withNearIds(streams, streamId, () => streams.status(streamId))
      const relatives = [...lineages.ancestors(status), ...lineages.descendants(status)]
      const own = lineages.find(status) ?? status
      wanted = [own, ...relatives.flatMap(({ summary }) => summary ?? [])]
    }
    const shown = wanted.filter(({ state }) => input.all || state === 'live').toSorted(byCreation)
    return { data: { format: input.format ?? 'text', ...graphOf(lineages, shown) } }
  },
})

export type StreamGraphInput = GivenInput<typeof streamGraph>
export type StreamGraphData = DataOf<typeof streamGraph>
