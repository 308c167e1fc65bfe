import { compareText } from '../../model/index.ts'
import { parsePair } from '../../tracker/streams/record-filter.ts'
import { streamJson } from '../../tracker/streams/stream-json.ts'
import type { StreamSummary } from '../../wal/streams/index.ts'
import { type DataOf, defineCommand, type GivenInput } from '../define-command.ts'
import { headerOption } from '../header-option.ts'
import { warnOfDamage } from './stream-input.ts'

export const streamList = defineCommand({
  name: 'stream list',
  summary: 'List record streams',
  description:
    'Lists the streams of this clone by the time of their creation. All options must hold. Streams that were deleted, or go ' +
    'on in a next generation, are listed with --state.',
  examples: [
    { command: 'grite stream list', explains: 'all streams' },
    { command: 'grite stream list --label kind=thread', explains: 'those with a label' },
    { command: 'grite stream list --parent build/42', explains: 'the branches of a stream' },
  ],
  served: true,
  effect: 'reads',
  arguments: {},
  options: {
    label: { type: 'text', valueName: 'key=value', repeatable: true, summary: 'Only streams with this label' },
    parent: {
      type: 'text',
      valueName: 'stream',
      summary: 'Only streams that branch from this one or merged it',
      completes: 'stream',
    },
    actor: {
      type: 'text',
      valueName: 'id',
      summary: 'Only streams that this actor created: an id or the start of one',
    },
    state: {
      type: 'text',
      choices: ['live', 'deleted', 'continued', 'all'],
      summary: 'Only streams in this state; default live',
    },
    limit: { type: 'count', valueName: 'n', min: 1, short: 'n', summary: 'At most n streams' },
    ...headerOption,
  },
  async run(context, input) {
    const labels = input.label.map((text) => parsePair('label', text))
    const actor = input.actor?.toLowerCase()
    const state = input.state ?? 'live'
    const streams = await (await context.repository()).streams()
    const all = await streams.list({ includeEnded: state !== 'live', onDamage: warnOfDamage(context.warn) })
    const isWanted = (summary: StreamSummary): boolean =>
      (state === 'all' || summary.state === state) &&
      (input.parent === undefined || summary.parents.some(({ streamId }) => streamId === input.parent)) &&
      (actor === undefined || summary.metadata.actor?.startsWith(actor) === true) &&
      labels.every(([key, value]) => summary.metadata.labels.some((each) => each[0] === key && each[1] === value))
    const found = all.filter(isWanted).toSorted(byCreation)
    return { data: { streams: found.slice(0, input.limit).map(streamJson), total: found.length } }
  },
})

export type StreamListInput = GivenInput<typeof streamList>
export type StreamListData = DataOf<typeof streamList>

export function byCreation(left: StreamSummary, right: StreamSummary): number {
  return (
    left.metadata.createdTsUnixMs - right.metadata.createdTsUnixMs ||
    compareText(left.streamId, right.streamId) ||
    left.generation - right.generation
  )
}
