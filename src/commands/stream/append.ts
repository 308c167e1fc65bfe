import { streamLimits } from '../../model/streams/index.ts'
import { producerOfRequest } from '../../tracker/streams/made-before.ts'
import { type DataOf, defineCommand, type GivenInput } from '../define-command.ts'
import { readPayload } from './read-payload.ts'
import {
  contentTypeOption,
  durabilityOf,
  durabilityOption,
  headerOption,
  keyOption,
  onStream,
  parseHeaders,
  parseProducer,
  reachLevel,
  replicationOptions,
  streamArgument,
} from './stream-input.ts'

export const streamAppend = defineCommand({
  name: 'stream append',
  summary: 'Append one record to a stream',
  description:
    'Answers with the position of the record: stream, incarnation and offset, and with the level of durability reached. ' +
    'With --expect the record is appended only if it gets that offset, else the error names the offset found. With ' +
    '--producer, a record that the same producer has sent before is not appended again: the answer is its first position. ' +
    'For many records use `grite produce`.',
  examples: [
    { command: 'grite stream append build/42 "step 1 passed"', explains: 'a text' },
    { command: 'grite stream append build/42 - -k log < build.log', explains: 'a file, with a key' },
    {
      command: 'grite stream append build/42 \'{"ok":true}\' --content-type application/json -H step=2',
      explains: 'with content type and header',
    },
    { command: 'grite stream append build/42 done --expect 3', explains: 'only as the fourth record' },
    { command: 'grite stream append build/42 done --producer ci:7', explains: 'once, however often it is run' },
  ],
  served: { unless: ['durability'] },
  effect: 'adds',
  arguments: {
    stream: streamArgument,
    payload: { summary: 'Text of the record; - or nothing reads standard input as it is', optional: true },
  },
  options: {
    key: keyOption,
    header: headerOption,
    'content-type': contentTypeOption,
    expect: { type: 'count', valueName: 'offset', summary: 'Append only at this offset' },
    durability: durabilityOption,
    ...replicationOptions,
    producer: { type: 'text', valueName: 'id:sequence', summary: 'Append once for this producer and sequence' },
    base64: { type: 'boolean', summary: 'The payload is base64' },
  },
  run: (context, input) =>
    onStream(context, input.stream, async ({ repository, streams, streamId }) => {
      const draft = {
        key: input.key === undefined ? null : Buffer.from(input.key),
        contentType: input.contentType ?? null,
        headers: parseHeaders(input.header),
        producer: parseProducer(input.producer) ?? producerOfRequest(repository),
        payload: await readPayload(context, input, streamLimits.recordBytesCeiling),
      }
      const { actor } = await repository.requireActor()
      const appended = await streams.append(streamId, [{ ...draft, writer: actor.id }], {
        durability: durabilityOf(input.durability),
        expectedOffset: input.expect,
        signal: context.interrupted,
      })
      const level = await reachLevel(context, repository, input, appended)
      return {
        // The record is there, and must not be appended again; but it is not where the caller wants it.
        exitStatus: input.durability === 'replicated' && level !== 'replicated' ? 1 : 0,
        data: {
          action: 'appended',
          stream: appended.streamId,
          incarnation: appended.incarnation,
          epoch: appended.epoch,
          offset: appended.offset,
          next_offset: appended.nextOffset,
          level,
          repeated: appended.repeated,
        },
      }
    }),
})

export type StreamAppendInput = GivenInput<typeof streamAppend>
export type StreamAppendData = DataOf<typeof streamAppend>
