import { createHash } from 'node:crypto'
import {
  type ByteRange,
  type ExportIndex,
  ExportIndexer,
  planRestore,
  type RestoreBaseline,
  RestoreTally,
  readExportedText,
} from '../../import/index.ts'
import { type Event, limits, type Sha256Hex } from '../../model/index.ts'
import type { CommandContext, Progress } from '../effects.ts'
import { applySignaturePolicy, judgeReceived } from '../identity/received-signatures.ts'
import type { Workspace } from '../workspace.ts'
import type { ImportData, ImportRequest } from './import-data.ts'
import type { ImportSource } from './import-source.ts'
import type { BatchWriter } from './import-writer.ts'

/** Restores a JSON export. Validates all of it before it writes anything. */
export async function importExport(
  context: CommandContext,
  repository: Workspace,
  source: ImportSource,
  writer: BatchWriter,
  { dryRun, file }: ImportRequest,
  progress: Progress,
): Promise<ImportData> {
  const index = await indexExport(source)
  const baseline = baselineOf(repository)
  const plan = (tally: RestoreTally) => planRestore(index, source.readRange, baseline, tally)
  const { verifySignatures } = await repository.config()
  if (verifySignatures !== 'off') {
    const bad = await judgeReceived(repository, await repository.view(), eventsOf(plan(new RestoreTally())))
    applySignaturePolicy(verifySignatures, { from: { file }, bad, warn: context.warn })
  }
  const contents = openContents(context, source, index.attachments)
  const tally = new RestoreTally()
  let done = 0
  for await (const events of plan(tally)) {
    done += events.length
    progress.report(done, index.events.length)
    await writer.add(events, dryRun ? undefined : contents)
  }
  await writer.finish()
  const counts = tally.finish()
  return {
    format: 'grite',
    dry_run: dryRun,
    created: counts.created,
    updated: counts.updated,
    unchanged: counts.unchanged,
    skipped: { second_creation: counts.secondCreations, attachment: index.skippedAttachmentCount },
    duplicate: counts.duplicate,
    superseded: 0,
    malformed: index.skippedCount,
    event_count: counts.events,
    commit_count: writer.commitCount,
    errors: index.skipped.map(({ index: place, eventId, reason }) => ({
      line: place + 1,
      message: `event ${eventId ?? '?'}: ${reason}`,
    })),
    wal_head: writer.head ?? (await repository.view()).head,
  }
}

async function indexExport(source: ImportSource): Promise<ExportIndex> {
  const indexer = new ExportIndexer()
  for await (const piece of source.read()) indexer.push(piece)
  return indexer.finish()
}

async function* eventsOf(steps: AsyncIterable<readonly Event[]>): AsyncGenerator<Event> {
  for await (const events of steps) yield* events
}

/** Requests the view on each call: it is reopened when another process writes between two commits. */
function baselineOf(repository: Workspace): RestoreBaseline {
  return {
    findKnown: async (ids) => (await repository.view()).findKnownEventIds(ids),
    async findCreated(ids) {
      const states = await (await repository.view()).findStates(ids)
      return new Set(ids.filter((id) => (states.get(id)?.creation ?? null) !== null))
    },
  }
}

/** Contents by SHA-256, read on demand. A content that does not match its SHA-256 is reported and left out. */
function openContents(
  { warn }: CommandContext,
  source: ImportSource,
  attachments: ReadonlyMap<Sha256Hex, ByteRange>,
): (sha256: Sha256Hex) => Promise<Uint8Array | undefined> {
  return async (sha256) => {
    const range = attachments.get(sha256)
    if (range === undefined) return undefined
    const content = await readContent(source, range)
    const problem = problemOf(content, sha256)
    if (problem === undefined) return content
    warn({
      code: 'attachment-damaged',
      message: `skipped the content of attachment ${sha256}: it ${problem}`,
      details: { sha256 },
    })
    return undefined
  }
}

const [quote, backslash] = [0x22, 0x5c]

/** Bytes of base64 decoded per piece, a multiple of 4. Decoding a large content as one string would take three times its size. */
const base64Bytes = 256 * 1024

/** Decodes a range that the index has identified as base64 text. */
async function readContent(source: ImportSource, range: ByteRange): Promise<Uint8Array> {
  const content = Buffer.allocUnsafe(Math.ceil((range.end - range.start) * 0.75))
  let filled = 0
  for (let start = range.start + 1; start < range.end; start += base64Bytes) {
    const piece = await source.readRange({ start, end: Math.min(start + base64Bytes, range.end) })
    // Some writers escape the slash.
    if (piece.includes(backslash)) return Buffer.from(readExportedText(await source.readRange(range)), 'base64')
    const end = piece.indexOf(quote)
    const text = Buffer.from(piece.buffer, piece.byteOffset, end < 0 ? piece.length : end).latin1Slice()
    filled += content.write(text, filled, 'base64')
    if (end >= 0) break
  }
  return content.subarray(0, filled)
}

function problemOf(content: Uint8Array, sha256: Sha256Hex): string | undefined {
  if (content.length > limits.attachmentBytesMax) return `has more than ${limits.attachmentBytesMax} bytes`
  return createHash('sha256').update(content).digest('hex') === sha256 ? undefined : 'has another SHA-256'
}
