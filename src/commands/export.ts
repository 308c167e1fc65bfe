import { resolve } from 'node:path'
import type { Oid } from '../git/index.ts'
import { type Event, type EventId, InvalidArgsError, limits } from '../model/index.ts'
import type { View } from '../view/index.ts'
import { type CommandResult, defineCommand } from './define-command.ts'
import { formatExportedEvent, formatExportedIssue } from './export-json.ts'
import { formatCsvExport, formatMarkdownExport } from './export-text.ts'
import { findOutputPlace } from './local/output-place.ts'
import { writeOutputFile } from './local/write-file-atomically.ts'
import { parseMoment } from './parse-time.ts'
import type { Repository } from './repository.ts'

interface ExportData {
  readonly format: string
  readonly wal_head: string | null
  readonly event_count: number
  /** Null when the export went to standard output; then it is in `content`. */
  readonly output_path: string | null
  readonly content?: unknown
}

const formats = ['json', 'md', 'markdown', 'csv'] as const

export const exportLog = defineCommand({
  name: 'export',
  summary: 'Print all issues and events, to keep or to carry elsewhere',
  description:
    'The JSON form is complete: `grite import` makes the same events of it, with the same ids. Without --output it goes to standard output.',
  examples: [
    { command: 'grite export --format json --output backup.json', explains: 'a backup that import restores' },
    { command: 'grite export --format md', explains: 'for reading' },
    { command: 'grite export --format csv --output issues.csv', explains: 'for a spreadsheet' },
  ],
  arguments: {},
  options: {
    format: { type: 'text', choices: formats, required: true, summary: 'Form of the export', short: 'f' },
    since: {
      type: 'text',
      valueName: 'ms|event id|7d',
      summary: 'Only events after a time, or after an event in log order; md and csv: only issues that these changed',
    },
    output: {
      type: 'text',
      valueName: 'file|-',
      summary: 'File to write; - is standard output',
      short: 'o',
      completes: 'file',
    },
    attachments: { type: 'boolean', summary: 'JSON only: put the contents of attachments in, too' },
  },
  async run(context, input): Promise<CommandResult<ExportData>> {
    if (input.attachments && input.format !== 'json') {
      throw new InvalidArgsError('--attachments goes with --format json only', { details: { field: 'attachments' } })
    }
    const repository = await context.repository()
    const view = await repository.view()
    const since = await readSince(view, input.since, context.clock.nowUnixMs())
    const events = await collectEvents(view, since)
    const all = await view.listIssues()
    const changed = new Set(events.map(({ issueId }) => issueId))
    // Text has no events: it tells of the issues that those picked are about.
    const rows =
      input.since === undefined || input.format === 'json' ? all : all.filter((row) => changed.has(row.issue_id))
    const nowUnixMs = context.clock.nowUnixMs()
    const content =
      input.format === 'json'
        ? {
            meta: { schema_version: 1, generated_ts: nowUnixMs, wal_head: view.head, event_count: events.length },
            issues: rows.map(formatExportedIssue),
            events: events.map(formatExportedEvent),
            ...(input.attachments ? { attachments: await readAttachments(repository, view, events) } : {}),
          }
        : input.format === 'csv'
          ? await formatCsvExport(view, rows)
          : await formatMarkdownExport(view, rows, nowUnixMs)
    const format = input.format === 'markdown' ? 'md' : input.format
    const summary = { format, wal_head: view.head, event_count: events.length }
    if (input.output === undefined || input.output === '-') {
      return { data: { ...summary, output_path: null, content } }
    }
    const path = resolve(context.cwd, input.output)
    const place = await findOutputPlace(repository.layout, path)
    await writeOutputFile(place, typeof content === 'string' ? content : `${JSON.stringify(content, null, 2)}\n`)
    return { data: { ...summary, output_path: path } }
  },
})

/** Events that an export of changes leaves out. */
type IsWanted = (event: Event) => boolean

/** @throws {InvalidArgsError} when the text is neither a time nor an event of this log */
async function readSince(view: View, text: string | undefined, nowUnixMs: number): Promise<IsWanted> {
  if (text === undefined) return () => true
  if (!/^[0-9a-fA-F]{64}$/.test(text)) {
    const moment = parseMoment('since', text, nowUnixMs)
    return (event) => event.tsUnixMs > moment
  }
  const [from] = await view.findEvents([text.toLowerCase() as EventId])
  if (from === undefined) {
    throw new InvalidArgsError(`--since names an event that is not in this log: ${text}`, {
      details: { field: 'since', value: text },
    })
  }
  return (event) =>
    event.tsUnixMs > from.tsUnixMs ||
    (event.tsUnixMs === from.tsUnixMs &&
      (event.actor > from.actor || (event.actor === from.actor && event.eventId > from.eventId)))
}

/** Events by issue, then `(ts, actor, event_id)` (spec §6.6). */
async function collectEvents(view: View, isWanted: IsWanted): Promise<Event[]> {
  const events: Event[] = []
  for await (const event of view.allEvents()) if (isWanted(event)) events.push(event)
  return events.sort((left, right) => {
    if (left.issueId !== right.issueId) return left.issueId < right.issueId ? -1 : 1
    if (left.tsUnixMs !== right.tsUnixMs) return left.tsUnixMs - right.tsUnixMs
    if (left.actor !== right.actor) return left.actor < right.actor ? -1 : 1
    return left.eventId < right.eventId ? -1 : 1
  })
}

/** Contents by SHA-256, base64; what only the hash is known of is left out. */
async function readAttachments(
  { git }: Repository,
  view: View,
  events: readonly Event[],
): Promise<Record<string, string>> {
  const contents: Record<string, string> = {}
  for (const { body } of events) {
    if (body.type !== 'AttachmentAdded' || body.sha256 in contents) continue
    const blob = await view.findAttachmentBlob(body.sha256)
    const object = blob === undefined ? null : await git.readObject(blob as Oid, limits.chunkReadBytesMax)
    if (object !== null) contents[body.sha256] = Buffer.from(object.content).toString('base64')
  }
  return contents
}
