import { startFetchBeside } from '../../tracker/streams/fetch-beside.ts'
import { giveRecords } from '../../tracker/streams/record-batches.ts'
import { compileFilter } from '../../tracker/streams/record-filter.ts'
import { type RecordJson, recordJson } from '../../tracker/streams/record-json.ts'
import { findStart, parseStart } from '../../tracker/streams/start-offset.ts'
import { type DataOf, defineCommand, type GivenInput, type JsonForm } from '../define-command.ts'
import { base64Option, fetchOptions, filterOptions, onStream, streamArgument, warnOfDamage } from './stream-input.ts'

export const streamTail = defineCommand({
  name: 'stream tail',
  summary: 'Follow a stream: print records as they are appended',
  description:
    'Reports each record once, from any program that appends it. With --json standard output is one line of JSON per record, as in ' +
    '`grite stream read`, and warnings are lines of JSON on standard error. Begins at the end unless --from says otherwise. ' +
    'The exit status is 0 after --count, and when the reader closes the output. To resume, pass the offset after that of ' +
    'the last line. For raw payloads use `grite consume -f`. With --fetch, records that other clones publish are reported, too; ' +
    'a fetch that fails is one warning, and the next ones try again.',
  examples: [
    { command: 'grite stream tail build/42', explains: 'until Ctrl-C' },
    { command: 'grite stream tail build/42 --json --from beginning', explains: 'all records, then new ones' },
    { command: 'grite stream tail build/42 --json --from -1 --count 1', explains: 'the last record' },
    { command: 'grite stream tail build/42 --fetch 1m', explains: 'what another clone publishes' },
  ],
  isFeed: true,
  served: { unless: ['fetch'] },
  effect: 'sets',
  arguments: { stream: streamArgument },
  options: {
    from: {
      type: 'text',
      valueName: 'beginning|end|-10|ts@7d|offset',
      summary: 'Where to begin; default end',
    },
    count: { type: 'count', valueName: 'n', min: 1, short: 'n', summary: 'Stop after n records' },
    ...filterOptions,
    base64: base64Option,
    ...fetchOptions,
  },
  run: (context, input) =>
    onStream(context, input.stream, async ({ repository, streams, streamId }) => {
      const filter = compileFilter(input.key, input.where)
      const start = parseStart('from', input.from ?? 'end', context.clock.nowUnixMs())
      const fetching = await startFetchBeside(context, repository, { streams, streamId }, input)
      try {
        const status = await streams.status(streamId)
        const request = {
          ...{ from: await findStart(streams, status, start), follows: true, filter, countMax: input.count },
          ...{ signal: context.interrupted, onDamage: warnOfDamage(context.warn) },
        }
        const data = await giveRecords(streams, status, request, async (batch) => {
          let taken = 0
          for (const decoded of batch) {
            await context.emit(recordJson(status, decoded, input.base64))
            taken++
            if (context.interrupted.aborted) break
          }
          return taken
        })
        return { data }
      } finally {
        await fetching.stop()
      }
    }),
})

export type StreamTailInput = GivenInput<typeof streamTail>
export type StreamTailData = DataOf<typeof streamTail>
/** One item of the feed. */
export type StreamTailItem = JsonForm<RecordJson>
