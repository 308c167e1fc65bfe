/** Renders commands about the whole log and view. */
import type { DbStatsData } from '../../commands/db/stats.ts'
import type { ResultOf } from '../../commands/define-command.ts'
import { documentPieces, type exportLog } from '../../commands/export.ts'
import type { RebuildData } from '../../commands/rebuild.ts'
import { escapeJson, escapeLine, escapeText } from './escape-for-terminal.ts'
import { type Fact, formatBytes, formatCount, formatNumber, renderFacts } from './facts.ts'
import { shorten } from './issue-shapes.ts'
import { formatRelativeTime } from './relative-time.ts'
import type { PieceRenderer, Renderer } from './renderer.ts'
import { countStreams } from './stream-remotes.ts'

/** git packs loose objects by itself at about this number. */
const looseObjectsMany = 6700

export const renderDbStats: Renderer<DbStatsData> = (data, view) => {
  const rebuilt = data.last_rebuild_ts === null ? 'never' : formatRelativeTime(data.last_rebuild_ts, view.nowUnixMs)
  const sizeOf = (bytes: number | null) => (bytes === null ? 'unknown' : formatBytes(bytes))
  const snapshots = `${sizeOf(data.snapshot_bytes)} in ${formatCount(data.snapshot_count, 'snapshot')}`
  const streams = `${sizeOf(data.stream_bytes)} in ${formatCount(data.stream_count, 'stream')}`
  const journals = `${formatBytes(data.journal_bytes)} in ${formatCount(data.journal_count, 'journal')}`
  const unsealed = `${formatCount(data.unsealed_records, 'record')} not sealed`
  const facts: readonly Fact[] = [
    ['Events', formatNumber(data.event_count)],
    ['Issues', formatNumber(data.issue_count)],
    ['Log', sizeOf(data.log_bytes)],
    ['Snapshots', data.snapshot_count === 0 ? null : snapshots],
    ['Streams', data.stream_count === 0 ? null : streams],
    ['Journals', data.journal_count === 0 ? null : `${journals}: ${unsealed}`],
    ['View', `${formatBytes(data.size_bytes)} in ${data.path}`],
    ['Rebuilt', `${rebuilt} (${formatCount(data.events_since_rebuild, 'event')} since)`],
    [
      'Loose objects',
      `${formatBytes(data.loose_bytes)} in ${formatCount(data.loose_objects, 'file')} of the whole repository`,
    ],
    ['Packs', `${formatBytes(data.pack_bytes)} in ${formatCount(data.pack_count, 'pack')}`],
  ]
  const hints = [
    ...(data.loose_objects > looseObjectsMany ? ['Loose objects can be packed: git maintenance run\n'] : []),
    ...(data.rebuild_recommended ? ['A rebuild is recommended: grite rebuild\n'] : []),
  ]
  return renderFacts(facts, view) + (view.quiet ? '' : hints.join(''))
}

/** Prints an export to standard output. The export is a document, so it is escaped only for a terminal. */
export const renderExport: PieceRenderer<ResultOf<typeof exportLog>> = async function* (data, { quiet, style, width }) {
  const { format, content, output_path, event_count, streams } = data
  if (streams !== undefined) {
    // Without a path, the bundle itself was printed.
    if (!quiet && output_path !== null)
      yield `${style.good('Exported')} ${formatCount(countStreams(streams), 'stream')} to ${escapeLine(output_path)}\n`
  } else if (content !== undefined) {
    const escaped = format === 'json' ? escapeJson : escapeText
    for await (const piece of documentPieces(content)) yield width === null ? piece : escaped(`${piece}`)
  } else if (!quiet && output_path !== null) {
    yield `${style.good('Exported')} ${formatCount(event_count, 'event')} to ${escapeLine(output_path)}\n`
  }
}

export const renderRebuild: Renderer<RebuildData> = (data, { quiet, style }) => {
  if (quiet) return ''
  const issues = data.issue_count === undefined ? '' : ` of ${formatCount(data.issue_count, 'issue')}`
  const head = data.wal_head === null ? '' : ` at ${shorten(data.wal_head)}`
  const unchecked = data.snapshot_unchecked === true ? 'the unchecked ' : ''
  const snapshot = data.from_snapshot ? `, from ${unchecked}snapshot ${escapeLine(data.from_snapshot)}` : ''
  return `${style.good('Rebuilt')} the view: ${formatCount(data.event_count, 'event')}${issues}${head}${snapshot}\n`
}
