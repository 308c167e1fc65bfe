import { InvalidArgsError, makeVisible } from '../../model/index.ts'
import { nextOffsetOf, parseStreamId, type StreamId } from '../../model/streams/index.ts'
import { hasFacts, makeOnce } from '../../tracker/streams/made-before.ts'
import { forkOffset, streamJson } from '../../tracker/streams/stream-json.ts'
import { explainUnknown, parseTarget } from '../../tracker/streams/stream-target.ts'
import type { StreamStore, StreamSummary } from '../../wal/streams/index.ts'
import { type DataOf, defineCommand, type GivenInput } from '../define-command.ts'
import { labelOption, parseLabels, reasonOption } from './stream-input.ts'

export const streamBranch = defineCommand({
  name: 'stream branch',
  summary: 'Branch a stream at any offset',
  description:
    'The branch inherits the records of its parent up to and including the offset, or all of them without one, and goes on ' +
    'by itself. Nothing is copied, and the parent does not change. Inherited records keep their offsets.',
  examples: [
    { command: 'grite stream branch build/42-retry build/42@1', explains: 'with the records 0 and 1' },
    { command: 'grite stream branch build/42-more build/42', explains: 'with all records so far' },
    {
      command: 'grite stream branch chat/thread-1 chat@7 --label kind=thread --reason "about the release"',
      explains: 'a thread at a message',
    },
  ],
  served: true,
  effect: 'adds',
  arguments: {
    stream: { summary: 'Id of the new stream' },
    parent: {
      summary: '<id> or <id>@<offset>: the stream to branch from, and the last offset to inherit',
      completes: 'stream',
    },
  },
  options: { label: labelOption, reason: reasonOption },
  async run(context, input) {
    const streamId = parseStreamId(input.stream)
    const labels = parseLabels(input.label)
    const repository = await context.repository()
    const streams = await repository.streams()
    const { streamId: parentId, offset } = await parseTarget(streams, input.parent)
    try {
      if (offset !== null) await requireOffset(streams, parentId, offset)
      const { actor } = await repository.requireActor()
      const at = offset === null ? undefined : offset + 1
      const facts = { actor: actor.id, reason: input.reason ?? null, labels }
      const branch = await makeOnce(repository, streams, streamId, {
        make: () => streams.branch(streamId, parentId, { at, ...facts }),
        isSame: (found) => isBranchOf(found, parentId, at) && hasFacts(found, facts),
      })
      const bound = branch.parents[0]?.offset ?? 0
      return {
        data: {
          action: 'branched',
          ...streamJson(branch),
          /** The last inherited offset; null when nothing is inherited. */
          fork_offset: forkOffset(bound),
          /** Offset of the first record of its own. */
          first_offset: bound,
        },
      }
    } catch (error) {
      throw await explainUnknown(streams, parentId, error)
    }
  },
})

function isBranchOf({ kind, parents }: StreamSummary, parentId: StreamId, at: number | undefined): boolean {
  const [parent] = parents
  return kind === 'branch' && parent?.streamId === parentId && (at === undefined || parent.offset === at)
}

async function requireOffset(streams: StreamStore, streamId: StreamId, offset: number): Promise<void> {
  const { commit, manifest } = await streams.head(streamId)
  const isSealed = offset < nextOffsetOf(manifest) && offset >= (await streams.reader.oldestOffsetOf(commit))
  // The journal, which may be long, has only later records.
  if (isSealed) return
  const { firstOffset, nextOffset } = await streams.status(streamId)
  if (offset >= firstOffset && offset < nextOffset) return
  const shown = makeVisible(streamId)
  const range =
    nextOffset === firstOffset ? 'it has no records' : `it has those from ${firstOffset} to ${nextOffset - 1}`
  throw new InvalidArgsError(`stream '${shown}' has no record at offset ${offset}: ${range}`, {
    details: { field: 'offset', value: offset, oldest_offset: firstOffset, next_offset: nextOffset },
  })
}

export type StreamBranchInput = GivenInput<typeof streamBranch>
export type StreamBranchData = DataOf<typeof streamBranch>
