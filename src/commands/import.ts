import { isBundle } from '../git/index.ts'
import { detectImportFormat } from '../import/index.ts'
import { InvalidArgsError } from '../model/index.ts'
import type { CommandContext } from '../tracker/effects.ts'
import { importBeads } from '../tracker/import/import-beads.ts'
import type { ImportData as Imported, ImportRequest } from '../tracker/import/import-data.ts'
import { importExport } from '../tracker/import/import-export.ts'
import { type ImportSource, openImportSource } from '../tracker/import/import-source.ts'
import { BatchWriter } from '../tracker/import/import-writer.ts'
import { maintain } from '../tracker/sync/maintenance.ts'
import type { Workspace } from '../tracker/workspace.ts'
import { loadBulkHashing } from '../wal/index.ts'
import { type CommandResult, type DataOf, defineCommand, type GivenInput } from './define-command.ts'

export const importFile = defineCommand({
  name: 'import',
  summary: 'Import a beads tracker, a JSON export, or record streams',
  description:
    'Accepts the JSONL file of a beads tracker, a JSON export of grite, one of the Rust tool, or a bundle of record streams. Import is idempotent: the ' +
    'same file adds nothing the second time, and yields the same events in every clone. A dependency on an issue that is ' +
    'not in the log is kept, and added when that issue arrives. Malformed entries are reported, the rest is imported, and ' +
    'the exit status is 1. Streams are checked first, and come here all or not at all.',
  examples: [
    { command: 'grite import .beads/issues.jsonl --dry-run', explains: 'preview the import' },
    { command: 'grite import .beads/issues.jsonl', explains: 'import a tracker' },
    { command: 'grite import backup.json', explains: 'restore an export, ids and all' },
    { command: 'grite import streams.bundle', explains: 'restore what `grite export --streams` wrote' },
  ],
  // Attachment texts are large and short-lived.
  heapGrowthPercent: 75,
  effect: 'sets',
  arguments: { file: { summary: 'File to import; - is standard input', completes: 'file' } },
  options: {
    'dry-run': { type: 'boolean', summary: 'Report what would be imported; write nothing' },
    'include-tombstones': { type: 'boolean', summary: 'Import deleted issues of a beads tracker too, as closed' },
    format: {
      type: 'text',
      choices: ['beads', 'grite', 'bundle'],
      summary: 'Format of the file; default: detected from its first bytes',
    },
  },
  async run(context, input): Promise<CommandResult<Imported>> {
    let format = input.format
    const source = await openImportSource(context, input.file, (firstBytes) => {
      format ??= requireFormat(input.file, firstBytes)
    })
    try {
      const repository = await context.repository()
      if (format === 'bundle') return { data: await importStreams(context, repository, source, input) }
      const work = () => importFrom(context, repository, source, { ...input, format })
      const result = await (input.dryRun ? work() : repository.exclusively(work))
      if (!input.dryRun && result.data.commit_count > 0) await maintain(repository)
      return result
    } finally {
      await source.close()
    }
  },
})

export type ImportInput = GivenInput<typeof importFile>
export type ImportData = DataOf<typeof importFile>

function requireFormat(file: string, firstBytes: Uint8Array): string {
  const format = isBundle(firstBytes) ? 'bundle' : detectImportFormat(firstBytes)
  if (format !== 'unknown') return format
  throw new InvalidArgsError(
    `${file} is neither a beads tracker (JSONL) nor a JSON export of grite nor a bundle of streams; if it is one, pass --format`,
    { details: { field: 'file', value: file } },
  )
}

async function importStreams(
  context: CommandContext,
  repository: Workspace,
  source: ImportSource,
  { file, dryRun, includeTombstones }: Pick<ImportRequest, 'file' | 'dryRun' | 'includeTombstones'>,
): Promise<Imported> {
  if (includeTombstones) {
    throw new InvalidArgsError('--include-tombstones is for beads trackers; this is a bundle of record streams', {
      details: { field: 'include-tombstones' },
    })
  }
  const { importBundle } = await import('../tracker/streams/import-bundle.ts')
  const { fetchedJson } = await import('../tracker/streams/reach-remote.ts')
  const chunks = source.isFile ? null : source.read()
  const streams = await importBundle(context, repository, { file, chunks, isDryRun: dryRun })
  return {
    ...({ format: 'bundle', dry_run: dryRun, created: 0, updated: 0, unchanged: 0, skipped: {} } as const),
    ...{ duplicate: 0, superseded: 0, malformed: 0, event_count: 0, commit_count: 0, errors: [], wal_head: null },
    streams: streams.map(fetchedJson),
  }
}

async function importFrom(
  context: CommandContext,
  repository: Workspace,
  source: ImportSource,
  request: ImportRequest,
): Promise<CommandResult<Imported>> {
  // With gaps in the log, events that it already holds would be imported again.
  await repository.requireWholeLog('nothing was imported')
  await loadBulkHashing()
  const progress = context.progress('Importing')
  try {
    const writer = new BatchWriter(repository, { dryRun: request.dryRun, nowUnixMs: context.clock.nowUnixMs })
    const data =
      request.format === 'beads'
        ? await importBeads(source, repository, writer, request, progress)
        : await importExport(context, repository, source, writer, request, progress)
    if (writer.commitCount > 0 && !request.dryRun) {
      await repository.changeView((view) => view.noteBulkEvents(data.event_count))
    }
    return { data, exitStatus: data.malformed > 0 ? 1 : 0 }
  } finally {
    progress.end()
  }
}
