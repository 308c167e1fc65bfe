import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { resolve } from 'node:path'
import {
  countStep,
  detectImportFormat,
  detectionBytes,
  type ImportBaseline,
  type ImportCounts,
  noImportCounts,
  parseGriteExport,
  planBeadsImport,
  planRestore,
  splitJsonlLines,
} from '../import/index.ts'
import { type Event, InvalidArgsError, NotFoundError, type Sha256Hex } from '../model/index.ts'
import type { CommandContext } from './context.ts'
import { type CommandResult, defineCommand } from './define-command.ts'
import { BatchWriter } from './import-writer.ts'
import { maintain } from './maintenance.ts'
import { applySignaturePolicy, judgeReceived } from './received-signatures.ts'
import type { Repository } from './repository.ts'

interface ImportData {
  readonly format: 'beads' | 'grite'
  readonly dry_run: boolean
  readonly created: number
  readonly updated: number
  readonly unchanged: number
  /** Lines or events left out, by reason. */
  readonly skipped: Readonly<Record<string, number>>
  readonly duplicate: number
  readonly superseded: number
  /** What could not be read: lines of a tracker, events of an export. */
  readonly malformed: number
  readonly event_count: number
  readonly commit_count: number
  readonly errors: readonly { readonly line: number; readonly message: string }[]
  readonly wal_head: string | null
}

export const importFile = defineCommand({
  name: 'import',
  summary: 'Import a beads tracker or a JSON export',
  description:
    'Takes the JSONL file of a beads tracker, the JSON export of grite, or that of the Rust tool. Importing a file again ' +
    'adds nothing; a clone that imports the same file makes the same events. What is malformed is reported, the rest is ' +
    'imported, and the exit status is 1.',
  examples: [
    { command: 'grite import .beads/issues.jsonl --dry-run', explains: 'see what would happen' },
    { command: 'grite import .beads/issues.jsonl', explains: 'import a tracker' },
    { command: 'grite import backup.json', explains: 'restore an export, ids and all' },
  ],
  arguments: { file: { summary: 'File to import; - is standard input', completes: 'file' } },
  options: {
    'dry-run': { type: 'boolean', summary: 'Say what would happen and write nothing' },
    'include-tombstones': { type: 'boolean', summary: 'Import deleted issues of a beads tracker too, as closed ones' },
    format: { type: 'text', choices: ['beads', 'grite'], summary: 'What the file is; default by its first bytes' },
  },
  async run(context, input): Promise<CommandResult<ImportData>> {
    const source = await openSource(context, input.file)
    const format = input.format ?? detectImportFormat(source.firstBytes)
    if (format === 'unknown') {
      throw new InvalidArgsError(
        `${input.file} is neither a beads tracker (JSONL) nor a JSON export of grite; --format says what it is`,
        { details: { field: 'file', value: input.file } },
      )
    }
    const repository = await context.repository()
    if (input.dryRun) return importFrom(context, repository, source, { ...input, format })
    const result = await repository.exclusively(() => importFrom(context, repository, source, { ...input, format }))
    if (result.data.commit_count > 0) await maintain(repository)
    return result
  },
})

interface ImportRequest {
  readonly file: string
  readonly format: string
  readonly dryRun: boolean
  readonly includeTombstones: boolean
}

/** The file, readable more than once. */
interface Source {
  readonly firstBytes: Uint8Array
  readonly read: () => AsyncIterable<Uint8Array> | Iterable<Uint8Array>
  readonly bytesTotal: number | null
}

async function openSource(context: CommandContext, file: string): Promise<Source> {
  if (file === '-') {
    const bytes = await context.text.readStdinBytes()
    return { firstBytes: bytes.subarray(0, detectionBytes), read: () => [bytes], bytesTotal: bytes.length }
  }
  const path = resolve(context.cwd, file)
  try {
    const handle = await open(path)
    try {
      const { bytesRead, buffer } = await handle.read(Buffer.alloc(detectionBytes), 0, detectionBytes, 0)
      const { size } = await handle.stat()
      return { firstBytes: buffer.subarray(0, bytesRead), read: () => createReadStream(path), bytesTotal: size }
    } finally {
      await handle.close()
    }
  } catch (error) {
    throw new NotFoundError(`cannot read ${file}: ${(error as Error).message}`, {
      details: { field: 'file', value: file },
      cause: error,
    })
  }
}

async function importFrom(
  context: CommandContext,
  repository: Repository,
  source: Source,
  request: ImportRequest,
): Promise<CommandResult<ImportData>> {
  const progress = context.progress('Importing')
  try {
    const writer = new BatchWriter(repository, { dryRun: request.dryRun, nowUnixMs: context.clock.nowUnixMs })
    const report = (done: number) => progress.report(done, null)
    const data =
      request.format === 'beads'
        ? await importBeads(source, repository, writer, request, report)
        : await importExport(context, source, repository, writer, request)
    return { data, exitStatus: data.malformed > 0 ? 1 : 0 }
  } finally {
    progress.end()
  }
}

async function importBeads(
  source: Source,
  repository: Repository,
  writer: BatchWriter,
  { dryRun, includeTombstones }: ImportRequest,
  report: (linesDone: number) => void,
): Promise<ImportData> {
  let counts: ImportCounts = noImportCounts
  const errors: { line: number; message: string }[] = []
  let lines = 0
  for await (const step of planBeadsImport(() => splitJsonlLines(source.read()), baselineOf(repository), {
    includeTombstones,
  })) {
    counts = countStep(counts, step)
    report(++lines)
    if (step.outcome === 'malformed') errors.push({ line: step.lineNumber, message: step.reason })
    if (step.outcome === 'planned') await writer.add(step.plan.events)
  }
  await writer.finish()
  return {
    format: 'beads',
    dry_run: dryRun,
    created: counts.created,
    updated: counts.updated,
    unchanged: counts.unchanged,
    skipped: { tombstone: counts.skipped.tombstone, repeated: counts.yielded },
    duplicate: counts.facts.duplicate,
    superseded: counts.facts.superseded,
    malformed: counts.malformed,
    event_count: counts.events,
    commit_count: writer.commitCount,
    errors,
    wal_head: writer.head ?? (await repository.view()).head,
  }
}

/** Asks for the view each time: it is opened anew when something else wrote to the log between two commits. */
function baselineOf(repository: Repository): ImportBaseline {
  return {
    async findIssueEvents(issueIds) {
      const view = await repository.view()
      if (view.eventCount === 0) return new Map()
      const known = await view.findStates(issueIds)
      const events = await Promise.all([...known.keys()].map(async (id) => [id, await view.eventsOf(id)] as const))
      return new Map(events)
    },
    async findImportedIssues(originalIds) {
      const view = await repository.view()
      const found = new Map()
      for (const originalId of originalIds) {
        const rows = await view.findRows(await view.findByAlias(originalId))
        const newest = [...rows.values()].sort((left, right) => right.created_ts - left.created_ts)[0]
        if (newest !== undefined) found.set(originalId, newest.issue_id)
      }
      return found
    },
  }
}

async function importExport(
  context: CommandContext,
  source: Source,
  repository: Repository,
  writer: BatchWriter,
  { dryRun, file }: ImportRequest,
): Promise<ImportData> {
  const exported = parseGriteExport(await readWhole(source))
  const view = await repository.view()
  const known = await view.findKnownEventIds(exported.events.map(({ eventId }) => eventId))
  const issueIds = [...new Set(exported.events.map(({ issueId }) => issueId))]
  const states = await view.findStates(issueIds)
  const created = new Set([...states].filter(([, state]) => state.creation !== null).map(([id]) => id))
  const plan = planRestore(exported.events, known, created)
  const { verifySignatures } = await repository.config()
  if (verifySignatures !== 'off') {
    const bad = await judgeReceived(repository, view, plan.events)
    applySignaturePolicy(verifySignatures, { from: { file }, bad, warn: context.warn })
  }
  const touched = new Set(plan.events.map(({ issueId }) => issueId))
  const attachments = verifiedAttachments(context, exported.attachments)
  for (const events of groupByIssue(plan.events)) await writer.add(events, attachments)
  await writer.finish()
  // The plan has at most one creation for an issue, and none for one that has it already.
  const createdCount = plan.events.filter(({ body }) => body.type === 'IssueCreated').length
  return {
    format: 'grite',
    dry_run: dryRun,
    created: createdCount,
    updated: touched.size - createdCount,
    unchanged: issueIds.length - touched.size,
    skipped: { second_creation: plan.skipped.length, attachment: exported.skippedAttachments.length },
    duplicate: plan.duplicate,
    superseded: 0,
    malformed: exported.skipped.length,
    event_count: plan.events.length,
    commit_count: writer.commitCount,
    errors: exported.skipped.map(({ index, eventId, reason }) => ({
      line: index + 1,
      message: `event ${eventId ?? '?'}: ${reason}`,
    })),
    wal_head: writer.head ?? view.head,
  }
}

async function readWhole(source: Source): Promise<string> {
  const chunks: Uint8Array[] = []
  for await (const chunk of source.read()) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}

/** Contents that are what their name says; others are reported and left out. */
function verifiedAttachments(
  { warn }: CommandContext,
  attachments: ReadonlyMap<Sha256Hex, Uint8Array>,
): Map<string, Uint8Array> {
  const verified = new Map<string, Uint8Array>()
  for (const [sha256, content] of attachments) {
    if (createHash('sha256').update(content).digest('hex') === sha256) verified.set(sha256, content)
    else warn({ code: 'attachment-damaged', message: `the content given for attachment ${sha256} has another SHA-256` })
  }
  return verified
}

function groupByIssue(events: readonly Event[]): Event[][] {
  const groups: Event[][] = []
  for (const event of events) {
    const last = groups.at(-1)
    if (last?.[0]?.issueId === event.issueId) last.push(event)
    else groups.push([event])
  }
  return groups
}
