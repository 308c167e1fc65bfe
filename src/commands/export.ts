import { resolve } from 'node:path'
import { commentOverlayPrefix, type Event, type EventId, InvalidArgsError, type IssueId } from '../model/index.ts'
import type { CommandContext } from '../tracker/effects.ts'
import { csvPieces } from '../tracker/export/export-csv.ts'
import { formatJsonExport } from '../tracker/export/export-json.ts'
import { markdownPieces } from '../tracker/export/export-markdown.ts'
import { orderExport } from '../tracker/export/export-order.ts'
import { gatherPieces } from '../tracker/export/gather-pieces.ts'
import { DeferredText, jsonPieces, type Piece } from '../tracker/export/json-pieces.ts'
import { actorNames } from '../tracker/identity/actor-names.ts'
import { findEditedComments } from '../tracker/issues/comment-overlays.ts'
import { findOutputPlace } from '../tracker/local/output-place.ts'
import { writeOutputFile } from '../tracker/local/write-file-atomically.ts'
import { parseMoment } from '../tracker/parse-time.ts'
import type { ExportedStreamJson } from '../tracker/streams/export-bundle.ts'
import type { View } from '../view/index.ts'
import { type CommandResult, type DataOf, defineCommand, type GivenInput } from './define-command.ts'

interface Exported {
  readonly format: string
  readonly wal_head: string | null
  readonly event_count: number
  /** Null when the export goes to standard output; `content` then holds it. */
  readonly output_path: string | null
  readonly content?: DeferredText | ReturnType<typeof formatJsonExport>
  /** With --streams: what the bundle holds. */
  readonly streams?: readonly ExportedStreamJson[]
}

const formats = ['json', 'md', 'markdown', 'csv'] as const

export const exportLog = defineCommand({
  name: 'export',
  summary: 'Export all issues and events, or all record streams',
  description:
    'The JSON export is complete: `grite import` restores the same events with the same ids. With --streams, the export is a ' +
    'git bundle of all record streams instead, which `grite import` restores with the same offsets, writers and roots. Without ' +
    '--output the export is printed to standard output.',
  examples: [
    { command: 'grite export --format json --output backup.json', explains: 'a backup that import restores' },
    {
      command: 'grite export -f md -o issues.md',
      explains: 'a page for people: open issues first, comments as threads',
    },
    { command: 'grite export --format csv --output issues.csv', explains: 'for a spreadsheet' },
    { command: 'grite export --streams --output streams.bundle', explains: 'a backup of all record streams' },
  ],
  isDeferred: true,
  writesBytes: true,
  served: { unless: ['output', 'streams'] },
  effect: 'destroys',
  cliOnly: true,
  arguments: {},
  options: {
    format: { type: 'text', choices: formats, summary: 'Format of the export; required without --streams', short: 'f' },
    since: {
      type: 'text',
      valueName: 'ms|event id|7d',
      summary: 'Only events after a time, or after an event in log order; md and csv: only issues that they changed',
    },
    output: {
      type: 'text',
      valueName: 'file|-',
      summary: 'File to write; - is standard output',
      short: 'o',
      completes: 'file',
    },
    attachments: { type: 'boolean', summary: 'Include the contents of attachments; JSON only' },
    streams: { type: 'boolean', summary: 'Export all record streams, instead of issues, as a git bundle' },
  },
  async run(context, input): Promise<CommandResult<Exported>> {
    if (input.streams) return exportStreams(context, input)
    if (input.format === undefined) throw withoutFormat()
    if (input.attachments && input.format !== 'json') {
      throw new InvalidArgsError('--attachments requires --format json', { details: { field: 'attachments' } })
    }
    const repository = await context.repository()
    const view = await repository.view()
    const nowUnixMs = context.clock.nowUnixMs()
    const isWanted = await readSince(view, input.since, nowUnixMs)
    const events = await orderExport(view, isWanted)
    const issueIds = await view.idsByCreation()
    // md and csv show issues, not events: list the issues of the selected events.
    const changed = new Set(events.map(({ issueId }) => issueId))
    if (input.since !== undefined) for (const issueId of await issuesOfEdits(view, isWanted)) changed.add(issueId)
    const shownIds = input.since === undefined ? issueIds : issueIds.filter((issueId) => changed.has(issueId))
    const content =
      input.format === 'json'
        ? formatJsonExport(repository, view, {
            generatedTs: nowUnixMs,
            issueIds,
            events,
            attachments: input.attachments,
          })
        : new DeferredText(() =>
            input.format === 'csv'
              ? csvPieces(view, shownIds)
              : markdownPieces(view, shownIds, {
                  nowUnixMs,
                  namesOf: (actors) => actorNames(repository, view, actors),
                }),
          )
    const format = input.format === 'markdown' ? 'md' : input.format
    const summary = { format, wal_head: view.head, event_count: events.length }
    if (input.output === undefined || input.output === '-') {
      return { data: { ...summary, output_path: null, content } }
    }
    const path = resolve(context.cwd, input.output)
    const place = await findOutputPlace(repository.layout, path)
    const progress = context.progress('MB exported:')
    try {
      const { layout } = repository
      const { interrupted } = context
      await writeOutputFile(place, gatherPieces(documentPieces(content), progress), { layout, interrupted })
    } finally {
      progress.end()
    }
    return { data: { ...summary, output_path: path } }
  },
})

/** Options that select events. */
const eventOptions = ['format', 'since', 'attachments'] as const

async function exportStreams(
  context: CommandContext,
  input: Readonly<Record<(typeof eventOptions)[number], string | boolean | undefined>> & {
    readonly output?: string | undefined
  },
): Promise<CommandResult<Exported>> {
  for (const field of eventOptions) {
    if (input[field] === undefined || input[field] === false) continue
    throw new InvalidArgsError(`--${field} and --streams exclude each other`, { details: { field } })
  }
  const { exportBundle } = await import('../tracker/streams/export-bundle.ts')
  const { path, ...exported } = await exportBundle(context, await context.repository(), [], input.output ?? '-')
  return { data: { format: 'bundle', wal_head: null, event_count: 0, output_path: path, ...exported } }
}

function withoutFormat(): InvalidArgsError {
  return new InvalidArgsError(`--format must be ${formats.join(', ')}, unless --streams is given`, {
    details: { field: 'format', allowed: formats },
  })
}

export type ExportInput = GivenInput<typeof exportLog>
export type ExportData = DataOf<typeof exportLog>

/** The text of an export, the same in a file and on standard output. */
export async function* documentPieces(content: object): AsyncGenerator<Piece> {
  if (content instanceof DeferredText) {
    yield* content.pieces()
    return
  }
  yield* jsonPieces(content)
  yield '\n'
}

/** Issues with a comment that was edited or hidden. */
async function issuesOfEdits(view: View, isWanted: IsWanted): Promise<IssueId[]> {
  const edits: Event[] = []
  for await (const event of view.projectEvents(commentOverlayPrefix)) if (isWanted(event)) edits.push(event)
  return [...(await findEditedComments(view, edits)).values()].map(({ issueId }) => issueId)
}

/** False for events that `--since` excludes. */
type IsWanted = (event: Event) => boolean

/** @throws {InvalidArgsError} when the text is neither a time nor the id of an event in this log */
async function readSince(view: View, text: string | undefined, nowUnixMs: number): Promise<IsWanted> {
  if (text === undefined) return () => true
  if (!/^[0-9a-fA-F]{64}$/.test(text)) {
    const moment = parseMoment('since', text, nowUnixMs)
    return (event) => event.tsUnixMs > moment
  }
  const [from] = await view.findEvents([text.toLowerCase() as EventId])
  if (from === undefined) {
    throw new InvalidArgsError(`--since: event ${text} is not in this log`, {
      details: { field: 'since', value: text },
    })
  }
  return (event) =>
    event.tsUnixMs > from.tsUnixMs ||
    (event.tsUnixMs === from.tsUnixMs &&
      (event.actor > from.actor || (event.actor === from.actor && event.eventId > from.eventId)))
}
