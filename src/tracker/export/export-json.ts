/** The JSON export (spec §6.6). Only ids and times are kept in memory; the rest is read during the write. */
import type { Oid } from '../../git/index.ts'
import {
  CorruptObjectError,
  type Event,
  formatHex,
  formatKindForExport,
  type IssueId,
  limits,
  ObjectTooLargeError,
} from '../../model/index.ts'
import type { IssueRow, View } from '../../view/index.ts'
import type { Workspace } from '../workspace.ts'
import type { ExportedEvent } from './export-order.ts'
import { DeferredEntries, DeferredList, DeferredText } from './json-pieces.ts'

/** Events or rows looked up and formatted per batch; bounds the texts in memory. */
const eventsInBatch = 32
const rowsInBatch = 128

/** Bytes of an attachment per piece of base64: a multiple of 3, to avoid padding between pieces. */
const base64Bytes = 192 * 1024

export interface JsonExport {
  readonly generatedTs: number
  /** Ordered by creation. */
  readonly issueIds: readonly IssueId[]
  /** In export order. */
  readonly events: readonly ExportedEvent[]
  readonly attachments: boolean
}

/** The document, in deferred parts. */
export function formatJsonExport(
  repository: Workspace,
  view: View,
  { generatedTs, issueIds, events, attachments }: JsonExport,
) {
  return {
    meta: { schema_version: 1, generated_ts: generatedTs, wal_head: view.head, event_count: events.length },
    issues: new DeferredList(async function* () {
      for (const ids of batchesOf(issueIds, rowsInBatch)) {
        yield [...(await view.findRows(ids)).values()].map(formatExportedIssue)
      }
    }),
    events: new DeferredList(async function* () {
      for (const batch of batchesOf(events, eventsInBatch)) {
        yield (await view.findEvents(batch.map(({ eventId }) => eventId))).map(formatExportedEvent)
      }
    }),
    ...(attachments ? { attachments: new DeferredEntries(() => readAttachments(repository, view, events)) } : {}),
  }
}

function* batchesOf<Item>(items: readonly Item[], count: number): Generator<readonly Item[]> {
  for (let start = 0; start < items.length; start += count) yield items.slice(start, start + count)
}

/** An event in the JSON export, with all fields needed to restore it byte for byte. */
function formatExportedEvent(event: Event) {
  return {
    event_id: event.eventId,
    issue_id: event.issueId,
    actor: event.actor,
    ts_unix_ms: event.tsUnixMs,
    ...(event.parent === null ? {} : { parent: event.parent }),
    kind: formatKindForExport(event.body),
    ...(event.sig === null ? {} : { sig: formatHex(event.sig) }),
  }
}

/** An issue in the JSON export, with exactly the published keys. For readers only: an import uses the events. */
function formatExportedIssue({ author: _author, fields: _fields, ...row }: IssueRow) {
  return row
}

/**
 * Contents by SHA-256, in base64; attachments with only a hash are left out. Closes the view first, so that other
 * processes do not wait for it while the contents are written.
 */
async function* readAttachments(
  repository: Workspace,
  view: View,
  events: readonly ExportedEvent[],
): AsyncGenerator<readonly [string, DeferredText]> {
  const blobs = new Map<string, Oid>()
  for (const { sha256 } of events) {
    if (sha256 === null || blobs.has(sha256)) continue
    const blob = await view.findAttachmentBlob(sha256)
    if (blob !== undefined) blobs.set(sha256, blob as Oid)
  }
  await repository.closeView()
  for (const [sha256, blob] of blobs) {
    const content = await readContent(repository, sha256, blob)
    if (content !== null) yield [sha256, new DeferredText(() => base64Pieces(content), 'base64')]
  }
}

/** Null for an unreadable content: a partial backup is better than none. */
async function readContent({ git, facts }: Workspace, sha256: string, blob: Oid): Promise<Uint8Array | null> {
  try {
    const object = await git.readObject(blob, limits.chunkReadBytesMax)
    if (object !== null) return object.content
    warnOfContent(facts, sha256, `object ${blob} is missing`)
  } catch (error) {
    if (!(error instanceof CorruptObjectError || error instanceof ObjectTooLargeError)) throw error
    warnOfContent(facts, sha256, error.message)
  }
  return null
}

function warnOfContent({ warn }: Workspace['facts'], sha256: string, reason: string): void {
  warn({
    code: 'attachment-unread',
    message: `the export lacks the content of attachment ${sha256}: ${reason}`,
    details: { sha256 },
  })
}

async function* base64Pieces(content: Uint8Array): AsyncGenerator<string> {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength)
  for (let start = 0; start < bytes.length; start += base64Bytes) {
    yield bytes.toString('base64', start, start + base64Bytes)
  }
}
