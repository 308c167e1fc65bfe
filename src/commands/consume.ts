/** Reads a stream for a program or a person, in the manner of kcat. */
import { InvalidArgsError, makeJsonVisible } from '../model/index.ts'
import type { CommandContext } from '../tracker/effects.ts'
import { cursorPlace, openOrCreateCursor } from '../tracker/streams/cursor-json.ts'
import { CursorKeeper } from '../tracker/streams/cursor-keeper.ts'
import { startFetchBeside } from '../tracker/streams/fetch-beside.ts'
import { type BatchRequest, type DecodedRecord, giveRecords } from '../tracker/streams/record-batches.ts'
import { compileFilter } from '../tracker/streams/record-filter.ts'
import { compileFormat, payloadFormat, type RecordFormat } from '../tracker/streams/record-format.ts'
import { type ReadStream, type RecordJson, recordJson } from '../tracker/streams/record-json.ts'
import { openSharedCursor } from '../tracker/streams/share-reader.ts'
import { findStart, parseStart } from '../tracker/streams/start-offset.ts'
import { parseDelimiter } from '../tracker/streams/text-escapes.ts'
import { chooseRemote } from '../tracker/sync/remote-name.ts'
import type { Workspace } from '../tracker/workspace.ts'
import type { CursorPlace, StreamStore, StreamSummary } from '../wal/streams/index.ts'
import { type DataOf, defineCommand, type GivenInput, type JsonForm } from './define-command.ts'
import {
  base64Option,
  fetchOptions,
  filterOptions,
  onStream,
  streamArgument,
  warnOfDamage,
} from './stream/stream-input.ts'

export const consume = defineCommand({
  name: 'consume',
  summary: 'Print the records of a stream',
  description: [
    'Prints the payload of each record as it is, with a line end after it; on a terminal, invisible characters are made ' +
      'visible. With --json each record is a line of JSON, as in `grite stream read`, which `grite produce --ndjson` takes. ' +
      'Ends at the end of the stream unless -f follows it; ends quietly when the reader closes the output.',
    '',
    'The format of --format has the fields %o offset, %t time in milliseconds, %k key, %h headers, %s size of the payload, ' +
      '%v payload, %w writer, %c content type, %i id of the stream and %% a percent sign, and the escapes \\n \\t \\r \\0 \\\\ and ' +
      '\\xNN. Nothing is printed after a record that the format does not name.',
    '',
    '-o begins at the beginning or the end, at an offset, at so many records before the end (-10), or at the first record ' +
      'of a time or later (ts@7d, ts@2026-01-31).',
    '',
    'A cursor moves after the output was flushed, and never back. With --share it begins where any clone has shared it, and is ' +
      'pushed at times and at the end; of two positions the farther one stays. Exit status 1 means that it is only in this clone.',
  ].join('\n'),
  examples: [
    { command: 'grite consume build/42', explains: 'all payloads, a line each' },
    { command: 'grite consume build/42 -o -10', explains: 'the last ten' },
    { command: 'grite consume build/42 -f -o end', explains: 'new ones until Ctrl-C' },
    { command: 'grite consume build/42 --cursor indexer', explains: 'only what this reader has not printed yet' },
    { command: 'grite consume build/42 --cursor indexer --share', explains: 'or what a reader in any clone has not' },
    { command: 'grite consume build/42 -f --fetch 1m', explains: 'what another clone publishes, too' },
    { command: "grite consume build/42 --format '%o %k %v\\n'", explains: 'with offset and key' },
    {
      command: 'grite consume build/42 --json --key log --where level=error',
      explains: 'some of them, as lines of JSON',
    },
    { command: 'grite consume build/42 -0 | xargs -0 -n1 echo', explains: 'payloads that have line ends' },
  ],
  isFeed: true,
  served: { unless: ['fetch', 'share'] },
  effect: 'adds',
  arguments: { stream: streamArgument },
  options: {
    offset: {
      type: 'text',
      valueName: 'beginning|end|-10|ts@7d|offset',
      short: 'o',
      summary: 'Where to begin; default beginning',
    },
    cursor: {
      type: 'text',
      valueName: 'name',
      summary: 'Go on at this cursor, and move it along with what is printed; it is created where there is none',
    },
    count: { type: 'count', valueName: 'n', short: 'c', summary: 'Stop after n records' },
    exit: { type: 'boolean', short: 'e', summary: 'Stop at the end; the default without -f' },
    follow: { type: 'boolean', short: 'f', summary: 'At the end, wait for new records' },
    ...filterOptions,
    format: { type: 'text', valueName: 'text', summary: 'Print each record in this format' },
    delimiter: { type: 'text', valueName: 'text', short: 'D', summary: 'Print this after each payload; default \\n' },
    null: { type: 'boolean', short: '0', summary: 'Print a NUL after each payload' },
    base64: base64Option,
    share: { type: 'boolean', summary: 'Share the cursor with other clones through the remote' },
    fetch: { ...fetchOptions.fetch, summary: 'With --follow, also fetch the stream, at once and then this often' },
    remote: {
      ...fetchOptions.remote,
      summary: 'With --fetch or --share, this remote; default: the home remote, origin',
    },
  },
  run: (context, input) =>
    onStream(context, input.stream, async ({ repository, streams, streamId }) => {
      checkOptions(input)
      const filter = compileFilter(input.key, input.where)
      const start = parseStart('offset', input.offset ?? 'beginning', context.clock.nowUnixMs())
      const cursors = input.cursor === undefined ? null : await cursorPlace(context, repository)
      const isTerminal = context.output?.isTerminal === true
      const delimiter = parseDelimiter(input)
      // Also checks it where items are JSON.
      const formatOf = (stream: ReadStream): RecordFormat =>
        input.format === undefined
          ? payloadFormat(delimiter, isTerminal)
          : compileFormat(input.format, stream, isTerminal)
      formatOf({ streamId, incarnation: '' })
      const fetching = await startFetchBeside(context, repository, { streams, streamId }, fetchInputOf(input))
      try {
        const status = await streams.status(streamId)
        const print = openPrinter(context, status, formatOf(status), input.base64)
        const place = { context, repository, streams, status }
        let from = await findStart(streams, status, start)
        const keeper = cursors === null ? null : await openKeeper(place, { cursors, offset: from }, input)
        from = notCutOff(place, keeper?.offset ?? from)
        const request = {
          ...{ from, follows: input.follow, filter, countMax: input.count, signal: context.interrupted },
          onDamage: warnOfDamage(context.warn),
        }
        return await printAll(place, request, { print, keeper: keeper?.keeper ?? null })
      } finally {
        await fetching.stop()
      }
    }),
})

interface ReaderOptions {
  readonly follow: boolean
  readonly exit: boolean
  readonly cursor: string | undefined
  readonly share: boolean
  readonly fetch: string | undefined
  readonly remote: string | undefined
  readonly offset: string | undefined
}

function checkOptions({ follow, exit, cursor, share, fetch, remote }: ReaderOptions): void {
  const refuse = (field: string, message: string): never => {
    throw new InvalidArgsError(message, { details: { field } })
  }
  if (follow && exit) refuse('exit', '--follow and --exit exclude each other')
  if (fetch !== undefined && !follow) refuse('fetch', '--fetch needs --follow')
  if (share && cursor === undefined) refuse('share', '--share needs --cursor')
  if (remote !== undefined && fetch === undefined && !share) refuse('remote', '--remote needs --fetch or --share')
}

function fetchInputOf({ fetch, remote }: ReaderOptions) {
  return { fetch, remote: fetch === undefined ? undefined : remote }
}

interface ReaderPlace {
  readonly context: CommandContext
  readonly repository: Workspace
  readonly streams: StreamStore
  readonly status: StreamSummary
}

interface Keeper {
  /** Where reading goes on. */
  readonly offset: number
  readonly keeper: CursorKeeper
}

async function openKeeper(
  { context, repository, status: { streamId } }: ReaderPlace,
  { cursors: place, offset }: { readonly cursors: CursorPlace; readonly offset: number },
  { cursor: name = '', share, remote, offset: given }: ReaderOptions,
): Promise<Keeper> {
  const shared = share
    ? openSharedCursor(context, repository, await chooseRemote(repository, context.cwd, remote), {
        place,
        streamId,
        name,
      })
    : null
  await shared?.fetch()
  const { actor } = await repository.requireActor()
  const start = { streamId, name, offset, isGiven: given !== undefined }
  const found = await openOrCreateCursor(place, start, { actor: actor.id, reason: null, labels: [] })
  return { offset: found, keeper: new CursorKeeper({ place, streamId, name, offset: found, shared }) }
}

/** The oldest readable offset where the wanted one is below it. */
function notCutOff({ context, status }: ReaderPlace, offset: number): number {
  const { streamId, firstOffset } = status
  if (offset >= firstOffset) return offset
  context.warn({
    code: 'records-cut-off',
    message: `the records below ${firstOffset} are no longer in this stream; reading begins there`,
    details: { stream: streamId, offset, oldest_offset: firstOffset },
  })
  return firstOffset
}

async function printAll(
  { streams, status }: ReaderPlace,
  request: BatchRequest,
  { print, keeper }: { readonly print: Print; readonly keeper: CursorKeeper | null },
) {
  try {
    const data = await giveRecords(streams, status, request, async (batch) => {
      await print(batch)
      await keeper?.note(batch.length, (batch.at(-1) as DecodedRecord).read.offset + 1)
      return batch.length
    })
    const isKept = (await keeper?.end()) ?? true
    return { data, exitStatus: isKept ? 0 : 1 }
  } catch (error) {
    // What was printed before a reader closed the output has been consumed.
    await keeper?.end().catch(() => {})
    throw error
  }
}

export type ConsumeInput = GivenInput<typeof consume>
export type ConsumeData = DataOf<typeof consume>
/** One item of the feed. */
export type ConsumeItem = JsonForm<RecordJson>

type Print = (batch: readonly DecodedRecord[]) => Promise<void>

/** Prints a batch at once where the output takes bytes. */
function openPrinter(
  { output, emit, isJson = true }: CommandContext,
  stream: ReadStream,
  format: RecordFormat,
  asBase64: boolean,
): Print {
  if (output === undefined) {
    return async (batch) => {
      for (const decoded of batch) await emit(recordJson(stream, decoded, asBase64))
    }
  }
  if (!isJson) return (batch) => output.write(Buffer.concat(batch.flatMap(format)))
  return (batch) => {
    const lines = batch.map((decoded) => `${JSON.stringify(recordJson(stream, decoded, asBase64))}\n`).join('')
    return output.write(Buffer.from(output.isTerminal ? makeJsonVisible(lines) : lines))
  }
}
