import { Lineages, type Relative } from '../../tracker/streams/lineage.ts'
import { forkOffset, streamJson } from '../../tracker/streams/stream-json.ts'
import { type DataOf, defineCommand, type GivenInput } from '../define-command.ts'
import { byCreation } from './list.ts'
import { onStream, streamArgument, warnOfDamage } from './stream-input.ts'

export const streamLineage = defineCommand({
  name: 'stream lineage',
  summary: 'Show the ancestors and descendants of a stream',
  description:
    'Ancestors are the streams that it branched from or merged, theirs, and so on; descendants the ones that came from it. ' +
    'fork_offset is the last offset that was inherited or merged.',
  examples: [{ command: 'grite stream lineage build/42-retry', explains: 'where it came from, and what came from it' }],
  served: true,
  effect: 'reads',
  arguments: { stream: streamArgument },
  options: {},
  run: (context, input) =>
    onStream(context, input.stream, async ({ streams, streamId }) => {
      const status = await streams.status(streamId)
      const all = await streams.list({ includeEnded: true, onDamage: warnOfDamage(context.warn) })
      const lineages = new Lineages(all.toSorted(byCreation))
      return {
        data: {
          ...streamJson(status),
          ancestors: lineages.ancestors(status).map((each) => relativeJson(each, each.parent)),
          descendants: lineages.descendants(status).map((each) => relativeJson(each, each.summary ?? each.parent)),
        },
      }
    }),
})

export type StreamLineageInput = GivenInput<typeof streamLineage>
export type StreamLineageData = DataOf<typeof streamLineage>

/** @param stream - the end of the edge that the walk came to */
function relativeJson(
  { depth, parent, summary }: Relative,
  { streamId, incarnation }: { readonly streamId: string; readonly incarnation: string },
) {
  return {
    stream: streamId,
    incarnation,
    depth,
    fork_offset: forkOffset(parent.offset),
    /** The parent on this edge. */
    parent: parent.streamId,
    /** Whether it is in this clone; the rest is null where it is not. */
    is_here: summary !== null,
    kind: summary?.kind ?? null,
    state: summary?.state ?? null,
    created_ts: summary?.metadata.createdTsUnixMs ?? null,
    actor: summary?.metadata.actor ?? null,
    reason: summary?.metadata.reason ?? null,
    labels: summary === null ? null : Object.fromEntries(summary.metadata.labels),
    next_offset: summary?.nextOffset ?? null,
  }
}
