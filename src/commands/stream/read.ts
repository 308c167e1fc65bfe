import { NotFoundError } from '../../model/index.ts'
import { recordBatches } from '../../tracker/streams/record-batches.ts'
import { compileFilter } from '../../tracker/streams/record-filter.ts'
import { type RecordJson, recordJson } from '../../tracker/streams/record-json.ts'
import { type DataOf, defineCommand, type GivenInput } from '../define-command.ts'
import { base64Option, filterOptions, onStream, streamArgument, warnOfDamage } from './stream-input.ts'

/** A document for programs; `grite consume` prints any number of records. */
const limitDefault = 1000

export const streamRead = defineCommand({
  name: 'stream read',
  summary: 'Read records of a stream',
  description:
    'Gives the records of a range as one document, at most 1,000 unless --limit says otherwise; next_offset is where to go ' +
    'on. Payloads and keys that are not UTF-8 are base64, as payload_base64 and key_base64. An inherited record has the ' +
    'position at which it was appended as its origin.',
  examples: [
    { command: 'grite stream read build/42', explains: 'from the oldest record on' },
    { command: 'grite stream read build/42 --from 10 --limit 5', explains: 'five records' },
    { command: 'grite stream read build/42 --key log --json', explains: 'those with a key, for a program' },
  ],
  served: true,
  effect: 'reads',
  arguments: { stream: streamArgument },
  options: {
    from: { type: 'count', valueName: 'offset', summary: 'First offset; default the oldest record' },
    to: { type: 'count', valueName: 'offset', summary: 'Up to, not including, this offset; default the end' },
    limit: { type: 'count', valueName: 'n', min: 1, short: 'n', summary: 'At most n records; default 1,000' },
    ...filterOptions,
    base64: base64Option,
  },
  run: (context, input) =>
    onStream(context, input.stream, async ({ streams, streamId }) => {
      const filter = compileFilter(input.key, input.where)
      const status = await streams.status(streamId)
      const from = input.from ?? status.firstOffset
      if (from < status.firstOffset) {
        throw new NotFoundError(`the records below ${status.firstOffset} are no longer in this stream`, {
          details: { field: 'from', value: from, oldest_offset: status.firstOffset },
        })
      }
      const records: RecordJson[] = []
      let nextOffset = from
      const batches = recordBatches(streams, streamId, {
        from,
        to: input.to,
        follows: false,
        filter,
        countMax: input.limit ?? limitDefault,
        signal: context.interrupted,
        onDamage: warnOfDamage(context.warn),
      })
      let end = await batches.next()
      for (; end.done !== true; end = await batches.next()) {
        for (const decoded of end.value) {
          records.push(recordJson(status, decoded, input.base64))
          nextOffset = decoded.read.offset + 1
        }
      }
      // What the filter has left out was read as well.
      if (end.value === 'end') nextOffset = Math.max(from, Math.min(input.to ?? status.nextOffset, status.nextOffset))
      return {
        data: {
          stream: status.streamId,
          incarnation: status.incarnation,
          records,
          next_offset: nextOffset,
          /** Offset after the newest record of the stream. */
          end_offset: status.nextOffset,
        },
      }
    }),
})

export type StreamReadInput = GivenInput<typeof streamRead>
export type StreamReadData = DataOf<typeof streamRead>
