import { parseStreamId } from '../../model/streams/index.ts'
import { exportBundle } from '../../tracker/streams/export-bundle.ts'
import { type DataOf, defineCommand, type GivenInput } from '../define-command.ts'

export const streamExport = defineCommand({
  name: 'stream export',
  summary: 'Export streams to one file',
  description:
    'Seals what this clone has appended, then writes a git bundle of the streams, with the records that they inherit. `grite ' +
    'import` restores them in another repository, with the same offsets, writers and roots. An existing file is replaced.',
  examples: [
    { command: 'grite stream export streams.bundle', explains: 'all streams' },
    { command: 'grite stream export plan.bundle agent/plan', explains: 'one stream' },
    { command: 'grite stream export - agent/plan | wc -c', explains: 'to another program' },
  ],
  isDeferred: true,
  writesBytes: true,
  effect: 'destroys',
  cliOnly: true,
  arguments: {
    file: { summary: 'File to write; - is standard output', completes: 'file' },
    stream: { summary: 'Ids of streams; none for all', repeatable: true, optional: true, completes: 'stream' },
  },
  options: {},
  async run(context, input) {
    const named = [...new Set(input.stream.map(parseStreamId))]
    const exported = await exportBundle(context, await context.repository(), named, input.file)
    return { data: { action: 'exported', ...exported } }
  },
})

export type StreamExportInput = GivenInput<typeof streamExport>
export type StreamExportData = DataOf<typeof streamExport>
