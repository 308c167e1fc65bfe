import { type DataOf, defineCommand, type GivenInput } from '../define-command.ts'
import { onStream, streamArgument } from './stream-input.ts'

export const streamSeal = defineCommand({
  name: 'stream seal',
  summary: 'Seal what was appended into commits',
  description:
    'Records are first in a journal of this clone, and are sealed into a commit by size, by age, and before a branch. A seal ' +
    'on demand changes neither records nor offsets; without new records it does nothing.',
  examples: [{ command: 'grite stream seal build/42', explains: 'so that `git log` and a push have every record' }],
  served: true,
  effect: 'sets',
  arguments: { stream: streamArgument },
  options: {},
  run: (context, input) =>
    onStream(context, input.stream, async ({ streams, streamId }) => {
      const sealed = await streams.seal(streamId)
      const { incarnation } = await streams.status(streamId)
      return {
        data: {
          action: 'sealed',
          stream: sealed.streamId,
          incarnation,
          outcome: sealed.records > 0 ? 'changed' : 'unchanged',
          records: sealed.records,
          sealed_offset: sealed.sealedOffset,
          head: sealed.head,
          commits: sealed.commits,
        },
      }
    }),
})

export type StreamSealInput = GivenInput<typeof streamSeal>
export type StreamSealData = DataOf<typeof streamSeal>
