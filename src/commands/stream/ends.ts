import type { RetentionPolicy } from '../../model/streams/index.ts'
import { parseDuration } from '../../tracker/parse-time.ts'
import { streamJson } from '../../tracker/streams/stream-json.ts'
import { type DataOf, defineCommand, type GivenInput } from '../define-command.ts'
import { onStream, streamArgument } from './stream-input.ts'

const dayMs = 86_400_000
const reasonOption = { type: 'text', valueName: 'text', summary: 'Why' } as const

export const streamTakeover = defineCommand({
  name: 'stream takeover',
  summary: 'Make this clone the one that may append to a stream',
  description:
    'One clone at a time may append. Taking over is a commit on the stream with the next epoch: after its push, the other ' +
    'clone is refused, and keeps what it has as a branch (`grite stream rescue`). Fetch first, and take over only what is no ' +
    'longer written elsewhere.',
  examples: [{ command: 'grite stream takeover build/42 --reason "the old machine is gone"', explains: 'go on here' }],
  served: true,
  effect: 'adds',
  arguments: { stream: streamArgument },
  options: { reason: reasonOption },
  run: (context, input) =>
    onStream(context, input.stream, async ({ repository, streams, streamId }) => {
      const { actor } = await repository.requireActor()
      const before = await streams.status(streamId)
      const taken = await streams.acts.takeOver(streamId, { actor: actor.id, reason: input.reason ?? null })
      const outcome = before.owner === 'ours' ? 'unchanged' : 'changed'
      return { data: { action: 'taken-over', outcome, previous_epoch: before.epoch.number, ...streamJson(taken) } }
    }),
})

export const streamDelete = defineCommand({
  name: 'stream delete',
  summary: 'End a stream',
  description:
    'Adds a tombstone: nothing can be appended or read any more under this id, and a new stream may have it. Branches and ' +
    'merges keep the records that they hold. The objects stay until `grite stream purge`; what was pushed stays elsewhere.',
  examples: [{ command: 'grite stream delete build/42 --reason "wrong repository"', explains: 'end it' }],
  served: true,
  effect: 'destroys',
  arguments: { stream: streamArgument },
  options: { reason: reasonOption },
  run: (context, input) =>
    onStream(context, input.stream, async ({ repository, streams, streamId }) => {
      const { actor } = await repository.requireActor()
      const ended = await streams.acts.delete(streamId, { actor: actor.id, reason: input.reason ?? null })
      return { data: { action: 'deleted', ...streamJson(ended) } }
    }),
})

export const streamPurge = defineCommand({
  name: 'stream purge',
  summary: 'Remove the refs of what has ended, so that git can drop it',
  description:
    'Removes the refs of a deleted stream with its cursors, or of the generations that retention has left behind. Names what ' +
    'depends on it, and refuses while something does, unless that is meant: branches and merges keep what they hold, and with ' +
    'it the objects. Nothing is removed before a remote that has it knows of the end: publish first. Git drops the others when it collects garbage.',
  examples: [
    { command: 'grite stream purge build/42 --preview', explains: 'what it would remove, and what depends on it' },
    { command: 'grite stream purge build/42 --despite-dependants', explains: 'although branches hold some of it' },
  ],
  served: true,
  effect: 'destroys',
  arguments: { stream: streamArgument },
  options: {
    'despite-dependants': { type: 'boolean', summary: 'Also when branches, merges or cursors depend on it' },
    preview: { type: 'boolean', summary: 'Show what it would remove, and change nothing' },
  },
  run: (context, { stream, despiteDependants, preview }) =>
    onStream(context, stream, async ({ streams, streamId }) => {
      const purged = await streams.acts.purge(streamId, { despiteDependants, preview })
      const { generations, dependants, removed } = purged
      return {
        data: { action: preview ? 'previewed' : 'purged', stream: streamId, generations, dependants, removed },
      }
    }),
})

export const streamRetain = defineCommand({
  name: 'stream retain',
  summary: 'Drop the oldest records of a stream',
  description:
    'Whole segments go, oldest first, by the given limits or by the policy that the stream was created with, which is also ' +
    'applied after seals; the newest stays. Offsets and roots stay as they are, and the new generation says where it begins. Branches keep what they inherit. ' +
    'The old generation stays until `grite stream purge`. With --compact, neighbouring small segments become one; in ' +
    'a branch or a merged stream only those that stay after others were dropped.',
  examples: [
    { command: 'grite stream retain metrics --max-age 90d', explains: 'records of the last 90 days' },
    { command: 'grite stream retain metrics --max-count 100000 --preview', explains: 'what would go' },
    { command: 'grite stream retain metrics --compact', explains: 'join small segments, drop nothing' },
  ],
  served: true,
  effect: 'destroys',
  arguments: { stream: streamArgument },
  options: {
    'max-age': { type: 'text', valueName: '90d', summary: 'Records that are older go' },
    'max-bytes': { type: 'count', valueName: 'n', min: 1, summary: 'As many stored bytes may stay' },
    'max-count': { type: 'count', valueName: 'n', min: 1, summary: 'At least this many records stay' },
    compact: { type: 'boolean', summary: 'Join neighbouring small segments of what stays' },
    reason: reasonOption,
    preview: { type: 'boolean', summary: 'Show what would go, and change nothing' },
  },
  run: (context, input) =>
    onStream(context, input.stream, async ({ repository, streams, streamId }) => {
      const { actor } = await repository.requireActor()
      const { compact, preview } = input
      const facts = { compact, preview, actor: actor.id, reason: input.reason ?? null }
      const retained = await streams.acts.retain(streamId, { policy: policyOf(input), ...facts })
      const outcome = retained.generation === null && !preview ? 'unchanged' : 'changed'
      return {
        data: {
          ...{ action: preview ? 'previewed' : 'retained', outcome, dropped: retained.dropped },
          commits_before: retained.commits.before,
          commits_after: retained.commits.after,
          /** With --compact: the kind of stream whose segments cannot be joined as long as nothing is dropped; else null. */
          not_compacted: retained.notCompacted,
          ...streamJson(retained.stream),
        },
      }
    }),
})

interface LimitInput {
  readonly maxAge: string | undefined
  readonly maxBytes: number | undefined
  readonly maxCount: number | undefined
}

function policyOf({ maxAge, maxBytes, maxCount }: LimitInput): RetentionPolicy | null {
  const maxAgeMs =
    maxAge === undefined ? null : parseDuration('max-age', maxAge, { msMin: 1000, msMax: 100 * 365 * dayMs })
  const policy = { maxAgeMs, maxBytes: maxBytes ?? null, maxCount: maxCount ?? null }
  return Object.values(policy).every((each) => each === null) ? null : policy
}

export type StreamTakeoverInput = GivenInput<typeof streamTakeover>
export type StreamTakeoverData = DataOf<typeof streamTakeover>
export type StreamDeleteInput = GivenInput<typeof streamDelete>
export type StreamDeleteData = DataOf<typeof streamDelete>
export type StreamPurgeInput = GivenInput<typeof streamPurge>
export type StreamPurgeData = DataOf<typeof streamPurge>
export type StreamRetainInput = GivenInput<typeof streamRetain>
export type StreamRetainData = DataOf<typeof streamRetain>
