import { describeDamage } from '../../tracker/streams/open-streams.ts'
import { recordBatches } from '../../tracker/streams/record-batches.ts'
import { type RecordJson, recordJson } from '../../tracker/streams/record-json.ts'
import { streamJson } from '../../tracker/streams/stream-json.ts'
import { type DataOf, defineCommand, type GivenInput } from '../define-command.ts'
import { onStream, streamArgument, warnOfDamage } from './stream-input.ts'

/** Enough to see what is in a stream. */
const newestCount = 3

export const streamShow = defineCommand({
  name: 'stream show',
  summary: 'Show a stream: where it came from, what it holds, what is not sealed yet',
  examples: [
    { command: 'grite stream show build/42', explains: 'a short page' },
    { command: 'grite stream show build/42 --json', explains: 'all facts, with journals and damage' },
  ],
  served: true,
  effect: 'reads',
  arguments: { stream: streamArgument },
  options: {},
  run: (context, input) =>
    onStream(context, input.stream, async ({ streams, streamId }) => {
      const status = await streams.status(streamId)
      const newest: RecordJson[] = []
      const batches = recordBatches(streams, streamId, {
        from: Math.max(status.firstOffset, status.nextOffset - newestCount),
        follows: false,
        signal: context.interrupted,
        onDamage: warnOfDamage(context.warn),
      })
      for await (const batch of batches) for (const decoded of batch) newest.push(recordJson(status, decoded))
      const { divergence } = status
      return {
        data: {
          ...streamJson(status),
          commit_count: status.commitCount,
          entries: status.entries,
          owner_clone: status.epoch.owner,
          unsealed_records: status.unsealedRecords,
          unsealed_bytes: status.unsealedBytes,
          journals: status.journals.map(({ file, firstOffset, nextOffset, byteCount, closed }) => ({
            file,
            first_offset: firstOffset,
            next_offset: nextOffset,
            bytes: byteCount,
            /** Why it was closed; null while it is written. */
            closed,
          })),
          damage: status.damage.map((damage) => ({
            message: describeDamage(damage),
            object: damage.objectId,
            file: damage.file,
            byte: damage.bytePosition,
            offsets: damage.offsets,
          })),
          /** The journal continues another head than the ref's. */
          divergence:
            divergence === null
              ? null
              : {
                  file: divergence.file,
                  sealed_commit: divergence.sealedCommit,
                  offset: divergence.offset,
                  reason: divergence.reason,
                },
          /** The newest records. */
          newest,
        },
      }
    }),
})

export type StreamShowInput = GivenInput<typeof streamShow>
export type StreamShowData = DataOf<typeof streamShow>
