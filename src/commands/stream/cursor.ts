import type { ActorId } from '../../model/index.ts'
import { InvalidArgsError } from '../../model/index.ts'
import { parseStreamId } from '../../model/streams/index.ts'
import type { CommandContext } from '../../tracker/effects.ts'
import { type CursorJson, cursorJson, cursorPlace } from '../../tracker/streams/cursor-json.ts'
import { reachRemote } from '../../tracker/streams/reach-remote.ts'
import { chooseRemote } from '../../tracker/sync/remote-name.ts'
import type { Workspace } from '../../tracker/workspace.ts'
import {
  advanceCursor,
  type Cursor,
  createCursor,
  deleteCursor,
  getCursor,
  listCursors,
  shareCursor,
} from '../../wal/streams/index.ts'
import { type DataOf, defineCommand, type GivenInput } from '../define-command.ts'
import { labelOption, onStream, parseLabels, remoteOption, streamArgument } from './stream-input.ts'

const shareOptions = {
  share: { type: 'boolean', summary: 'Push the cursor, so that other clones go on from it' },
  remote: { ...remoteOption, summary: 'With --share, this remote; default: the home remote, origin' },
} as const

/** Of a damaged cursor, only the first three are known. */
type DeletedCursorJson = Pick<CursorJson, 'stream' | 'cursor' | 'commit'> & Partial<CursorJson>

const nameArgument = { summary: 'Name of the cursor' } as const

export const streamCursorCreate = defineCommand({
  name: 'stream cursor create',
  summary: 'Create a cursor',
  description:
    'A cursor is the durable position of a reader in one stream: the offset of the next record to consume. It only moves ' +
    'forward, and never past the end of the stream. `grite consume` reads on from it.',
  examples: [
    { command: 'grite stream cursor create build/42 indexer', explains: 'before the first record' },
    { command: 'grite stream cursor create build/42 indexer --offset 2', explains: 'that goes on at the third record' },
  ],
  effect: 'sets',
  arguments: { stream: streamArgument, cursor: nameArgument },
  options: {
    offset: { type: 'count', valueName: 'offset', min: 0, summary: 'Offset of the next record to consume; default 0' },
    label: { ...labelOption, summary: 'Label of the cursor' },
    reason: { type: 'text', valueName: 'text', summary: 'What it is for' },
  },
  run: (context, input) =>
    onStream(context, input.stream, async ({ repository, streamId }) => {
      const { actor } = await repository.requireActor()
      const facts = {
        actor: actor.id as ActorId,
        reason: input.reason ?? null,
        labels: parseLabels(input.label),
      }
      const at = { streamId, name: input.cursor, offset: input.offset ?? 0 }
      return {
        data: answer('created', 'changed', await createCursor(await cursorPlace(context, repository), at, facts)),
      }
    }),
})

export type StreamCursorCreateInput = GivenInput<typeof streamCursorCreate>
export type StreamCursorCreateData = DataOf<typeof streamCursorCreate>

export const streamCursorGet = defineCommand({
  name: 'stream cursor get',
  summary: 'Show a cursor',
  description: 'Shows where a reader goes on, and how many records wait for it.',
  examples: [{ command: 'grite stream cursor get build/42 indexer', explains: 'offset of the next record' }],
  effect: 'reads',
  arguments: { stream: streamArgument, cursor: nameArgument },
  options: {},
  run: (context, input) =>
    onStream(context, input.stream, async ({ repository, streams, streamId }) => {
      const cursor = await getCursor(await cursorPlace(context, repository), streamId, input.cursor)
      const { nextOffset } = await streams.status(streamId)
      /** Records that wait for the reader. */
      const behind = Math.max(0, nextOffset - cursor.document.offset)
      return { data: { ...cursorJson(cursor), next_offset: nextOffset, behind } }
    }),
})

export type StreamCursorGetInput = GivenInput<typeof streamCursorGet>
export type StreamCursorGetData = DataOf<typeof streamCursorGet>

export const streamCursorList = defineCommand({
  name: 'stream cursor list',
  summary: 'List cursors',
  description: 'Lists the cursors of one stream, or of all.',
  examples: [{ command: 'grite stream cursor list build/42', explains: 'who reads this stream' }],
  effect: 'reads',
  arguments: { stream: { ...streamArgument, summary: 'Id of the stream; none for all', optional: true } },
  options: {},
  async run(context, input) {
    const streamId = input.stream === undefined ? null : parseStreamId(input.stream)
    const repository = await context.repository()
    const cursors = await listCursors(await cursorPlace(context, repository), streamId)
    const byName = cursors.map(cursorJson).sort((left, right) => {
      const [one, other] = [`${left.stream}\0${left.cursor}`, `${right.stream}\0${right.cursor}`]
      return one < other ? -1 : 1
    })
    return { data: { cursors: byName, total: byName.length } }
  },
})

export type StreamCursorListInput = GivenInput<typeof streamCursorList>
export type StreamCursorListData = DataOf<typeof streamCursorList>

export const streamCursorAdvance = defineCommand({
  name: 'stream cursor advance',
  summary: 'Move a cursor forward to an offset',
  description:
    'The offset is that of the next record to consume. Moving to where it is does nothing; back is a conflict.',
  examples: [
    { command: 'grite stream cursor advance build/42 indexer 3', explains: 'the records 0 to 2 are consumed' },
  ],
  effect: 'sets',
  arguments: {
    stream: streamArgument,
    cursor: nameArgument,
    offset: { summary: 'Offset of the next record to consume' },
  },
  options: shareOptions,
  run: (context, input) =>
    onStream(context, input.stream, async ({ repository, streamId }) => {
      const place = await cursorPlace(context, repository)
      const before = await getCursor(place, streamId, input.cursor)
      const after = await advanceCursor(place, streamId, input.cursor, parseOffset(input.offset))
      const outcome = before.commit === after.commit ? 'unchanged' : 'changed'
      return { data: await shareAndAnswer(context, repository, input, 'advanced', outcome, after) }
    }),
})

export type StreamCursorAdvanceInput = GivenInput<typeof streamCursorAdvance>
export type StreamCursorAdvanceData = DataOf<typeof streamCursorAdvance>

export const streamCursorAck = defineCommand({
  name: 'stream cursor ack',
  summary: 'Acknowledge a record as consumed',
  description:
    'Moves a cursor behind a record. A record before the cursor was acknowledged already: that does nothing.',
  examples: [
    { command: 'grite stream cursor ack build/42 indexer 2', explains: 'goes on with record 3' },
    {
      command: 'grite stream cursor ack build/42 indexer 2 --share',
      explains: 'so does every clone that fetches the stream',
    },
  ],
  effect: 'sets',
  arguments: { stream: streamArgument, cursor: nameArgument, offset: { summary: 'Offset of the consumed record' } },
  options: shareOptions,
  run: (context, input) =>
    onStream(context, input.stream, async ({ repository, streamId }) => {
      const place = await cursorPlace(context, repository)
      const before = await getCursor(place, streamId, input.cursor)
      const offset = parseOffset(input.offset)
      const isNew = offset >= before.document.offset
      const after = isNew ? await advanceCursor(place, streamId, input.cursor, offset + 1) : before
      const outcome = isNew ? 'changed' : 'unchanged'
      return { data: await shareAndAnswer(context, repository, input, 'acknowledged', outcome, after) }
    }),
})

export type StreamCursorAckInput = GivenInput<typeof streamCursorAck>
export type StreamCursorAckData = DataOf<typeof streamCursorAck>

export const streamCursorDelete = defineCommand({
  name: 'stream cursor delete',
  summary: 'Delete a cursor',
  description:
    'The records stay; only the position is forgotten. Of a damaged cursor, the answer names the stream, the cursor and the commit alone.',
  examples: [{ command: 'grite stream cursor delete build/42 indexer', explains: 'when its reader is gone' }],
  effect: 'destroys',
  arguments: { stream: { summary: 'Id of the stream' }, cursor: nameArgument },
  options: {},
  async run(context, input) {
    const streamId = parseStreamId(input.stream)
    const place = await cursorPlace(context, await context.repository())
    const { document, commit } = await deleteCursor(place, streamId, input.cursor)
    const known: DeletedCursorJson =
      document === null ? { stream: streamId, cursor: input.cursor, commit } : cursorJson({ document, commit })
    return { data: { action: 'deleted' as const, outcome: 'changed' as const, ...known, level: 'local' as const } }
  },
})

export type StreamCursorDeleteInput = GivenInput<typeof streamCursorDelete>
export type StreamCursorDeleteData = DataOf<typeof streamCursorDelete>

async function shareAndAnswer(
  context: CommandContext,
  repository: Workspace,
  { share, remote: typed }: { readonly share: boolean; readonly remote: string | undefined },
  action: 'advanced' | 'acknowledged',
  outcome: 'changed' | 'unchanged',
  cursor: Cursor,
) {
  if (!share) return answer(action, outcome, cursor)
  const { streamId, name } = cursor.document
  const remote = await chooseRemote(repository, context.cwd, typed)
  const place = await cursorPlace(context, repository)
  const shared = await reachRemote(context, repository, remote, 'Sharing', async (remotePlace) => {
    return await shareCursor(place, remotePlace, streamId, name)
  })
  return answer(action, outcome, shared, 'replicated')
}

function answer(
  action: 'created' | 'advanced' | 'acknowledged',
  outcome: 'changed' | 'unchanged',
  cursor: Cursor,
  /** Where the position is durable: on this disk, or on the remote, too. */
  level: 'local' | 'replicated' = 'local',
) {
  return { action, outcome, ...cursorJson(cursor), level }
}

function parseOffset(text: string): number {
  const offset = Number(text)
  if (/^\d+$/.test(text) && Number.isSafeInteger(offset)) return offset
  throw new InvalidArgsError(`the offset must be a whole number below 2^53, got '${text}'`, {
    details: { field: 'offset', value: text },
  })
}
