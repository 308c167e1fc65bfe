/** Appends standard input to a stream, in the manner of kcat. */
import type { ActorId } from '../model/index.ts'
import { ConflictError, GriteError, InvalidArgsError, NotFoundError } from '../model/index.ts'
import type { StreamId } from '../model/streams/index.ts'
import type { CommandContext } from '../tracker/effects.ts'
import { parseRecordLine } from '../tracker/streams/record-line.ts'
import { RecordSender, type SentRecords } from '../tracker/streams/send-records.ts'
import { RecordSplitter } from '../tracker/streams/split-records.ts'
import { parseDelimiter, parseEscapes } from '../tracker/streams/text-escapes.ts'
import { untilAborted } from '../tracker/streams/until-aborted.ts'
import type { LocalDurability, RecordDraft, RecordStreams, StreamStatus } from '../wal/streams/index.ts'
import { type CommandResult, type DataOf, defineCommand, type GivenInput } from './define-command.ts'
import {
  contentTypeOption,
  durabilityOf,
  durabilityOption,
  headerOption,
  onStream,
  parseHeaders,
  reachLevel,
  replicationOptions,
  streamArgument,
} from './stream/stream-input.ts'

export const produce = defineCommand({
  name: 'produce',
  summary: 'Append each line of standard input to a stream',
  description: [
    'Each line is a record, without its line end; an empty line is an empty record. -D or -0 cut at something else. Records ' +
      'are appended in order, many at once, as they arrive. When it is interrupted or fails, the answer says what was ' +
      'acknowledged: everything before that is in the stream, nothing after it.',
    '',
    'With --ndjson each line is an object with value (text) or payload_base64, and if you like key or key_base64, headers, ' +
      'content_type, producer and sequence. Lines of `grite consume --json` fit.',
    '',
    '--producer numbers the records from 0, so that the same input can be sent again after an interruption: what had been ' +
      'appended is counted as repeated and not appended again.',
  ].join('\n'),
  examples: [
    {
      command: 'grite produce build/42 < build.log',
      explains: 'a record per line',
    },
    {
      command: 'my-agent | grite produce agent/run-1 --create --ndjson',
      explains: 'with keys and headers, into a new stream',
    },
    { command: 'find . -type f -print0 | grite produce files -0 --create', explains: 'names with line ends in them' },
    {
      command: "printf 'a:1\\nb:2\\n' | grite produce pairs --create -K :",
      explains: 'key and value, separated by a colon',
    },
    { command: 'grite produce build/42 --producer build-42 < build.log', explains: 'safe to run again' },
  ],
  endsWhenInterrupted: true,
  effect: 'adds',
  cliOnly: true,
  arguments: { stream: streamArgument },
  options: {
    delimiter: { type: 'text', valueName: 'text', short: 'D', summary: 'What ends a record; default \\n' },
    null: { type: 'boolean', short: '0', summary: 'A NUL ends a record' },
    ndjson: { type: 'boolean', summary: 'Each record is an object in JSON' },
    key: { type: 'text', valueName: 'key', short: 'k', summary: 'Key of every record' },
    'key-separator': {
      type: 'text',
      valueName: 'text',
      short: 'K',
      summary: 'The key of each record is before the first of these',
    },
    header: headerOption,
    'content-type': contentTypeOption,
    producer: { type: 'text', valueName: 'id', summary: 'Append each record once for this producer' },
    create: { type: 'boolean', summary: 'Create the stream if it does not exist' },
    durability: durabilityOption,
    ...replicationOptions,
  },
  run: (context, input) =>
    onStream(context, input.stream, async ({ repository, streams, streamId }): Promise<CommandResult<Produced>> => {
      const makeDraft = draftMaker(input)
      const splitter = new RecordSplitter(parseDelimiter(input))
      const { actor } = await repository.requireActor()
      const status = await openStream(streams, streamId, { mayCreate: input.create, actor: actor.id })
      const progress = context.progress('Appending')
      const sender = new RecordSender(streams, streamId, {
        durability: durabilityOf(input.durability),
        onAppended: (records) => progress.report(records, null),
      })
      // Lazily, so that the records before a wrong one are taken.
      function* drafts(first: number, records: readonly Uint8Array[]): Generator<RecordDraft> {
        for (const [index, bytes] of records.entries()) yield { ...makeDraft(bytes, first + index), writer: actor.id }
      }
      try {
        for await (const chunk of untilAborted(context.text.stdinChunks(), context.interrupted)) {
          const first = splitter.nextNumber
          await sender.push(drafts(first, splitter.push(chunk)))
        }
        // The rest of an interrupted input may be a part of a record.
        if (!context.interrupted.aborted) await sender.push(drafts(splitter.nextNumber, splitter.end()))
        await sender.end()
      } catch (error) {
        // What came before a wrong line is sent; after a failed append nothing is.
        await sender.end().catch(() => undefined)
        tellSent(context, error, sender.sent)
        throw error
      } finally {
        progress.end()
      }
      const interrupted = context.interrupted.aborted
      const produced = producedOf(status, sender.sent, interrupted)
      const { next_offset: nextOffset, level: local } = produced
      const level = interrupted
        ? local
        : await reachLevel(context, repository, input, { streamId, nextOffset, level: local })
      const isShort = input.durability === 'replicated' && level !== 'replicated' && produced.records > 0
      return { data: { ...produced, level }, exitStatus: interrupted || isShort ? 1 : 0 }
    }),
})

export type ProduceInput = GivenInput<typeof produce>
export type ProduceData = DataOf<typeof produce>

interface Produced {
  readonly action: 'produced'
  readonly stream: string
  readonly incarnation: string
  readonly epoch: number
  /** Records appended by this command. */
  readonly records: number
  /** Records that the producer had sent before. */
  readonly repeated: number
  /** Offset of the first appended record; null without any. */
  readonly first_offset: number | null
  /** Offset after the last one. */
  readonly next_offset: number
  /** The level of durability that all of them reached. */
  readonly level: 'memory' | 'local' | 'replicated' | null
  readonly interrupted: boolean
}

/** What this clone alone has reached. */
interface Local {
  readonly level: LocalDurability | null
}

function producedOf(status: StreamStatus, sent: SentRecords, interrupted: boolean): Produced & Local {
  return {
    action: 'produced',
    stream: status.streamId,
    incarnation: status.incarnation,
    epoch: sent.last?.epoch ?? status.epoch.number,
    records: sent.records,
    repeated: sent.repeated,
    first_offset: sent.firstOffset,
    next_offset: sent.nextOffset ?? status.nextOffset,
    level: sent.last?.level ?? null,
    interrupted,
  }
}

async function openStream(
  streams: RecordStreams,
  streamId: StreamId,
  { mayCreate, actor }: { readonly mayCreate: boolean; readonly actor: ActorId },
): Promise<StreamStatus> {
  try {
    return await streams.status(streamId)
  } catch (error) {
    if (!mayCreate || !(error instanceof NotFoundError)) throw error
  }
  await streams.create(streamId, { actor, reason: null, labels: [], retention: null }).catch((error: unknown) => {
    // Another process has created it meanwhile.
    if (!(error instanceof ConflictError)) throw error
  })
  return streams.status(streamId)
}

interface DraftInput {
  readonly ndjson: boolean
  readonly key: string | undefined
  readonly keySeparator: string | undefined
  readonly header: readonly string[]
  readonly contentType: string | undefined
  readonly producer: string | undefined
}

/** @param number - of the record in the input, from 1 */
type MakeDraft = (bytes: Uint8Array, number: number) => RecordDraft

function draftMaker(input: DraftInput): MakeDraft {
  const headers = parseHeaders(input.header)
  const contentType = input.contentType ?? null
  const id = input.producer
  if (id === '') throw new InvalidArgsError('--producer must not be empty', { details: { field: 'producer' } })
  const refuseBeside = (field: string, other: string) => {
    throw new InvalidArgsError(`--${field} and --${other} exclude each other`, { details: { field } })
  }
  const producerOf = (number: number) => (id === undefined ? null : { id, sequence: number - 1 })
  if (input.ndjson) {
    if (input.key !== undefined) refuseBeside('key', 'ndjson')
    if (input.keySeparator !== undefined) refuseBeside('key-separator', 'ndjson')
    return (bytes, number) => {
      const draft = parseRecordLine(bytes, number, { contentType, headers, producer: id })
      return draft.producer === null ? { ...draft, producer: producerOf(number) } : draft
    }
  }
  if (input.keySeparator === undefined) {
    const key = input.key === undefined ? null : Buffer.from(input.key)
    return (payload, number) => ({ payload, key, contentType, headers, producer: producerOf(number) })
  }
  if (input.key !== undefined) refuseBeside('key', 'key-separator')
  const separator = Buffer.from(parseEscapes('key-separator', input.keySeparator))
  if (separator.length === 0) {
    throw new InvalidArgsError('--key-separator must not be empty', { details: { field: 'key-separator' } })
  }
  return (bytes, number) => {
    const at = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).indexOf(separator)
    const key = at < 0 ? null : bytes.subarray(0, at)
    const payload = at < 0 ? bytes : bytes.subarray(at + separator.length)
    return { payload, key, contentType, headers, producer: producerOf(number) }
  }
}

/** Says what was acknowledged before a failure. */
function tellSent({ warn }: CommandContext, error: unknown, { records, repeated, nextOffset }: SentRecords): void {
  if (error instanceof GriteError) error.addDetails({ acknowledged: records, repeated, next_offset: nextOffset })
  if (records === 0) return
  const what = records === 1 ? '1 record was' : `${records} records were`
  warn({
    code: 'partly-appended',
    message: `${what} appended before the failure; the last has offset ${(nextOffset ?? 0) - 1}`,
    details: { acknowledged: records, next_offset: nextOffset },
    isEssential: true,
  })
}
