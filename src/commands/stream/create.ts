import type { RetentionPolicy } from '../../model/streams/index.ts'
import { parseDuration } from '../../tracker/parse-time.ts'
import { hasFacts, makeOnce } from '../../tracker/streams/made-before.ts'
import { streamJson } from '../../tracker/streams/stream-json.ts'
import { type DataOf, defineCommand, type GivenInput } from '../define-command.ts'
import { labelOption, onStream, parseLabels, reasonOption } from './stream-input.ts'

const dayMs = 86_400_000

export const streamCreate = defineCommand({
  name: 'stream create',
  summary: 'Create a record stream',
  description:
    'A stream is an ordered history of records, kept in this repository. Its id is any text with a visible character, up to ' +
    '512 bytes. What is appended can later be branched, merged, followed and pushed, but not changed. What has been pushed ' +
    'cannot be erased elsewhere: put no secrets into a stream. A policy for old records is applied after seals, as `grite ' +
    'stream retain` does it.',
  examples: [
    { command: 'grite stream create build/42', explains: 'a stream' },
    {
      command: 'grite stream create agent/plan --label kind=trace --reason "plan of the release"',
      explains: 'with a label and a reason, by which `grite stream list` finds it',
    },
    { command: 'grite stream create metrics --retain-age 90d', explains: 'with a policy for old records' },
  ],
  served: true,
  effect: 'sets',
  arguments: { stream: { summary: 'Id of the new stream' } },
  options: {
    label: labelOption,
    reason: reasonOption,
    'retain-age': { type: 'text', valueName: '90d', summary: 'Policy of the stream: keep records of this age' },
    'retain-bytes': { type: 'count', valueName: 'n', min: 1, summary: 'Policy of the stream: keep this many bytes' },
    'retain-count': { type: 'count', valueName: 'n', min: 1, summary: 'Policy of the stream: keep this many records' },
  },
  run: (context, input) =>
    onStream(context, input.stream, async ({ repository, streams, streamId }) => {
      const labels = parseLabels(input.label)
      const retention = parseRetention(input)
      const { actor } = await repository.requireActor()
      const reason = input.reason ?? null
      const facts = { actor: actor.id, reason, labels, retention }
      const created = await makeOnce(repository, streams, streamId, {
        make: () => streams.create(streamId, facts),
        isSame: (found) => found.kind === 'root' && hasFacts(found, facts),
      })
      return { data: { action: 'created', ...streamJson(created) } }
    }),
})

export type StreamCreateInput = GivenInput<typeof streamCreate>
export type StreamCreateData = DataOf<typeof streamCreate>

interface RetentionInput {
  readonly retainAge: string | undefined
  readonly retainBytes: number | undefined
  readonly retainCount: number | undefined
}

function parseRetention({ retainAge, retainBytes, retainCount }: RetentionInput): RetentionPolicy | null {
  const maxAgeMs =
    retainAge === undefined ? null : parseDuration('retain-age', retainAge, { msMin: 1000, msMax: 100 * 365 * dayMs })
  const policy = { maxAgeMs, maxBytes: retainBytes ?? null, maxCount: retainCount ?? null }
  return Object.values(policy).every((each) => each === null) ? null : policy
}
