import { readSigner } from '../../tracker/local/signing-key.ts'
import { type KeyOwner, keyOwnersOf } from '../../tracker/streams/checkpoint-keys.ts'
import type { CheckedCheckpoint, Checkpoint } from '../../wal/streams/index.ts'
import { type DataOf, defineCommand, type GivenInput } from '../define-command.ts'
import { onStream, streamArgument } from './stream-input.ts'

export const streamCheckpointCreate = defineCommand({
  name: 'stream checkpoint create',
  summary: 'State that the root of a stream is right',
  description:
    'Seals the stream and adds a commit with its root, signed when the actor has a key. Someone who trusts the checkpoint can ' +
    'trust every record before it, and `grite stream checkpoint verify` finds each later history that does not continue it.',
  examples: [
    {
      command: 'grite stream checkpoint create build/42 --kind handoff --reason "plan is done"',
      explains: 'before another agent goes on',
    },
  ],
  served: true,
  effect: 'adds',
  arguments: { stream: streamArgument },
  options: {
    kind: { type: 'text', valueName: 'word', summary: 'What it marks, such as handoff or audit; default checkpoint' },
    reason: { type: 'text', valueName: 'text', summary: 'Why it is made' },
  },
  run: (context, input) =>
    onStream(context, input.stream, async ({ repository, streams, streamId }) => {
      const { actor } = await repository.requireActor()
      const signer = (await readSigner(repository.paths, actor)) ?? null
      const made = await streams.acts.createCheckpoint(streamId, {
        ...{ kind: input.kind ?? 'checkpoint', actor: actor.id, reason: input.reason ?? null, signer },
      })
      return { data: { action: 'created', ...checkpointJson(made) } }
    }),
})

export const streamCheckpointList = defineCommand({
  name: 'stream checkpoint list',
  summary: 'List the checkpoints of a stream',
  examples: [{ command: 'grite stream checkpoint list build/42', explains: 'newest first' }],
  served: true,
  effect: 'reads',
  arguments: { stream: streamArgument },
  options: {},
  run: (context, input) =>
    onStream(context, input.stream, async ({ streams, streamId }) => {
      const checkpoints = await streams.acts.listCheckpoints(streamId)
      return { data: { stream: streamId, checkpoints: checkpoints.map(checkpointJson) } }
    }),
})

export const streamCheckpointVerify = defineCommand({
  name: 'stream checkpoint verify',
  summary: 'Verify the checkpoints of a stream against its head',
  description:
    'Checks each signature, that its key is one of the actor, and that every later root continues that of the checkpoint. ' +
    'Whose key it is, the log of this repository and the actors of this clone say: `key_owner` is unknown where they do not. ' +
    'Exits 1 when a checkpoint is wrong.',
  examples: [{ command: 'grite stream checkpoint verify build/42', explains: 'all of them' }],
  served: true,
  effect: 'reads',
  arguments: { stream: streamArgument },
  options: {},
  run: (context, input) =>
    onStream(context, input.stream, async ({ repository, streams, streamId }) => {
      const checked = await streams.acts.verifyCheckpoints(streamId)
      const owners = await keyOwnersOf(repository, checked)
      const checkpoints = checked.map((each, index) => checkedJson(each, owners[index] ?? null))
      const wrong = checkpoints.filter(
        ({ signature, key_owner, fault }) => signature === 'wrong' || key_owner === 'other' || fault !== null,
      )
      return {
        data: { stream: streamId, wrong_count: wrong.length, checkpoints },
        exitStatus: wrong.length > 0 ? 1 : 0,
      }
    }),
})

function checkpointJson(checkpoint: Checkpoint) {
  const { streamId, incarnation, generation, commit, tsUnixMs, actor, reason, kind, entries, nextOffset, root, key } =
    checkpoint
  return {
    ...{ stream: streamId, incarnation, generation, commit, kind, created_ts: tsUnixMs, actor, reason },
    ...{ entries, next_offset: nextOffset, root, key },
  }
}

function checkedJson(checked: CheckedCheckpoint, keyOwner: KeyOwner | null) {
  const { signature, fault } = checked
  return { ...checkpointJson(checked), signature, key_owner: keyOwner, fault }
}

export type StreamCheckpointCreateInput = GivenInput<typeof streamCheckpointCreate>
export type StreamCheckpointCreateData = DataOf<typeof streamCheckpointCreate>
export type StreamCheckpointListInput = GivenInput<typeof streamCheckpointList>
export type StreamCheckpointListData = DataOf<typeof streamCheckpointList>
export type StreamCheckpointVerifyInput = GivenInput<typeof streamCheckpointVerify>
export type StreamCheckpointVerifyData = DataOf<typeof streamCheckpointVerify>
