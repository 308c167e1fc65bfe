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
  summary: 'Import a beads tracker or a JSON export',
  description:
    'Accepts the JSONL file of a beads tracker, a JSON export of grite, or one of the Rust tool. Import is idempotent: the ' +
    'same file adds nothing the second time, and yields the same events in every clone. A dependency on an issue that is ' +
    'not in the log is kept, and added when that issue arrives. Malformed entries are reported, the rest is imported, and ' +
    'the exit status is 1.',
  examples: [
    { command: 'grite import .beads/issues.jsonl --dry-run', explains: 'preview the import' },
    { command: 'grite import .beads/issues.jsonl', explains: 'import a tracker' },
    { command: 'grite import backup.json', explains: 'restore an export, ids and all' },
  ],
  // Attachment texts are large and short-lived.
  heapGrowth: { percent: 100 },
  arguments: { file: { summary: 'File to import; - is standard input', completes: 'file' } },
  options: {
    'dry-run': { type: 'boolean', summary: 'Report what would be imported; write nothing' },
    'include-tombstones': { type: 'boolean', summary: 'Import deleted issues of a beads tracker too, as closed' },
    format: {
      type: 'text',
      choices: ['beads', 'grite'],
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
  const format = detectImportFormat(firstBytes)
  if (format !== 'unknown') return format
  throw new InvalidArgsError(
    `${file} is neither a beads tracker (JSONL) nor a JSON export of grite; if it is one, pass --format`,
    { details: { field: 'file', value: file } },
  )
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
