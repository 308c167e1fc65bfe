import { InvalidArgsError } from '../../model/index.ts'
import { isMergePolicy, type MergePolicy, parseStreamId } from '../../model/streams/index.ts'
import type { CommandContext } from '../../tracker/effects.ts'
import { readInputText } from '../../tracker/local/read-input-file.ts'
import { parseMergeRows, rowsBytesMax } from '../../tracker/streams/merge-rows-file.ts'
import { forkOffset, streamJson } from '../../tracker/streams/stream-json.ts'
import { explainUnknown, parseTarget } from '../../tracker/streams/stream-target.ts'
import type { MergeSourceChoice } from '../../wal/streams/index.ts'
import { type DataOf, defineCommand, type GivenInput } from '../define-command.ts'
import { labelOption, parseLabels } from './stream-input.ts'

export const streamMerge = defineCommand({
  name: 'stream merge',
  summary: 'Merge streams into another, by reference',
  description:
    'The target gets the records of the sources that it does not have; nothing is copied, and each record keeps its origin. ' +
    'Policies: fast-forward takes the records of one source, if the target has none of its own since; recursive adds them ' +
    'source by source; interleave by time; ours adds none, and states that they are dealt with; custom:<name> adds the rows of ' +
    'a file. With --create the target is a new stream, which also gets what the sources share.',
  examples: [
    {
      command: 'grite stream merge build/42 build/42-retry --policy fast-forward --reason "the retry passed"',
      explains: 'the path that won',
    },
    {
      command: 'grite stream merge chat chat/thread-1 --policy interleave --evidence classifier=resolved --preview',
      explains: 'what it would add',
    },
    {
      command: 'grite stream merge report build/42@7 build/43 --policy recursive --create',
      explains: 'a new stream of both, of the first with the records up to 7',
    },
  ],
  served: { unless: ['rows'] },
  effect: 'sets',
  arguments: {
    stream: { summary: 'Id of the stream that gets the records', completes: 'stream' },
    source: { summary: '<id> or <id>@<offset>, the last offset to merge', repeatable: true, completes: 'stream' },
  },
  options: {
    policy: {
      type: 'text',
      valueName: 'policy',
      required: true,
      summary: 'fast-forward, recursive, interleave, ours or custom:<name>',
    },
    create: { type: 'boolean', summary: 'Make a new stream of the sources' },
    preview: { type: 'boolean', summary: 'Show what it would add, and write nothing' },
    reason: { type: 'text', valueName: 'text', summary: 'Why they are merged' },
    evidence: { type: 'text', valueName: 'key=value', repeatable: true, summary: 'What the decision rests on' },
    note: { type: 'text', valueName: 'text', repeatable: true, summary: 'A note, as on a conflict' },
    label: { ...labelOption, summary: 'Label of the new stream' },
    rows: {
      type: 'text',
      valueName: 'file',
      summary:
        'For custom:<name>: file, or - for standard input, with a JSON list of {"stream", "from", "to"}, inclusive, or {"interleave": […]}',
      completes: 'file',
      cliOnly: true,
    },
  },
  async run(context, input) {
    const streamId = parseStreamId(input.stream)
    const policy = parsePolicy(input.policy)
    const [evidence, labels] = [parseLabels(input.evidence), parseLabels(input.label)]
    const file = input.rows
    const rows = file === undefined ? [] : parseMergeRows(await readRows(context, file))
    const repository = await context.repository()
    const streams = await repository.streams()
    const sources: MergeSourceChoice[] = []
    for (const text of input.source) {
      const { streamId: id, offset } = await parseTarget(streams, text)
      await streams.status(id).catch(async (error: unknown) => Promise.reject(await explainUnknown(streams, id, error)))
      sources.push({ streamId: id, below: offset === null ? undefined : offset + 1 })
    }
    try {
      const { actor } = await repository.requireActor()
      const merged = await streams.acts.merge(streamId, {
        ...{ sources, policy, evidence, labels, rows, notes: input.note, preview: input.preview },
        ...{ into: input.create ? 'new' : 'existing', actor: actor.id, reason: input.reason ?? null },
      })
      return {
        data: {
          action: input.preview ? 'previewed' : 'merged',
          stream: streamId,
          incarnation: merged.stream?.incarnation ?? null,
          policy,
          commit: merged.commit,
          first_offset: merged.firstOffset,
          records: merged.records,
          next_offset: merged.firstOffset + merged.records,
          bases: merged.bases.map((base) => ({
            ...{ stream: base.streamId, incarnation: base.incarnation, offset: forkOffset(base.offset) },
          })),
          sources: merged.sources.map((source) => ({
            ...{ stream: source.streamId, incarnation: source.incarnation },
            /** The last offset that is merged. */
            offset: forkOffset(source.offset),
            /** The first offset that the target did not have. */
            new_from: source.base,
          })),
          rows: merged.rows.map(({ kind, records, ranges }) => ({
            ...{ kind, records },
            ranges: ranges.map(({ streamId: id, from, to }) => ({ stream: id, from, to: to - 1 })),
          })),
          target: merged.stream === null ? null : streamJson(merged.stream),
        },
      }
    } catch (error) {
      throw await explainUnknown(streams, streamId, error)
    }
  },
})

export type StreamMergeInput = GivenInput<typeof streamMerge>
export type StreamMergeData = DataOf<typeof streamMerge>

async function readRows(context: CommandContext, file: string): Promise<string> {
  if (file === '-') return await context.text.readStdin(rowsBytesMax)
  return await readInputText(context, { field: 'rows', file, bytesMax: rowsBytesMax })
}

function parsePolicy(text: string): MergePolicy {
  if (isMergePolicy(text)) return text
  throw new InvalidArgsError(
    `--policy must be fast-forward, recursive, interleave, ours or custom:<name>, got '${text}'`,
    {
      details: {
        field: 'policy',
        value: text,
        allowed: ['fast-forward', 'recursive', 'interleave', 'ours', 'custom:<name>'],
      },
    },
  )
}
