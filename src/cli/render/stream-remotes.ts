/** Streams and remotes, for people. */
import type { ResultOf } from '../../commands/define-command.ts'
import type { streamExport } from '../../commands/stream/export.ts'
import type { StreamFetchData } from '../../commands/stream/fetch.ts'
import type { StreamFollowData, StreamUnfollowData } from '../../commands/stream/follow.ts'
import type { StreamImportData } from '../../commands/stream/import.ts'
import type { StreamProbeData } from '../../commands/stream/probe.ts'
import type { StreamPublishData } from '../../commands/stream/publish.ts'
import type { StreamRescueData } from '../../commands/stream/rescue.ts'
import type { SyncData } from '../../commands/sync/sync.ts'
import { escapeLine } from './escape-for-terminal.ts'
import { formatCount, formatNumber } from './facts.ts'
import type { Renderer, RenderView } from './renderer.ts'
import type { Style } from './style.ts'

export const renderStreamPublish: Renderer<StreamPublishData> = (data, { quiet, style }) => {
  if (quiet) return ''
  const { remote, streams, alongside, atomic, dry_run } = data
  if (streams.length === 0) return 'This clone writes no streams\n'
  const at = escapeLine(remote)
  const words = {
    published: style.good('published'),
    pending: 'would be published',
    unchanged: 'unchanged',
    behind: 'behind the remote: fetch it',
  }
  const lines = streams.map(({ stream, outcome, local, remote: theirs, unsealed_records }) => {
    const moved =
      theirs === null ? `up to offset ${local.next_offset}` : `${theirs.next_offset} to ${local.next_offset}`
    const range = outcome === 'published' || outcome === 'pending' ? ` (${moved})` : ''
    const rest = unsealed_records === 0 ? '' : `, ${formatCount(unsealed_records, 'record')} not sealed: use --seal`
    return `${style.accent(escapeLine(stream))}: ${words[outcome]}${range}${rest}\n`
  })
  const head = dry_run ? `To '${at}', nothing was pushed:\n` : `To '${at}':\n`
  const others = alongside.map((stream) => `${style.dim('with records of')} ${escapeLine(stream)}\n`)
  const split = atomic ? '' : style.dim('The remote cannot push several refs at once: they went one after the other\n')
  return head + lines.join('') + others.join('') + split
}

export const renderStreamFetch: Renderer<StreamFetchData> = ({ remote, streams, missing }, { quiet, style }) => {
  if (quiet) return ''
  const at = escapeLine(remote)
  if (streams.length === 0 && missing.length === 0) return `'${at}' has no such streams\n`
  const lines = newestOfEach(streams).map((row) => renderFetched(row, style))
  const absent = missing.map((stream) => `${style.accent(escapeLine(stream))}: not on '${at}'\n`)
  return lines.join('') + absent.join('')
}

type FetchedRow = StreamFetchData['streams'][number]

/** Of each stream the newest generation, which comes last; and all that have diverged. */
function newestOfEach(rows: readonly FetchedRow[]): readonly FetchedRow[] {
  const newest = new Map(rows.map((row) => [row.stream, row]))
  return rows.filter((row) => row.outcome === 'diverged' || newest.get(row.stream) === row)
}

function renderFetched({ stream, outcome, local, remote }: FetchedRow, style: Style): string {
  const words = {
    created: style.good('new'),
    moved: style.good('moved'),
    unchanged: 'unchanged',
    ahead: 'ahead of the remote',
    diverged: style.bad('diverged'),
  }
  const from = local === null ? '' : `${formatNumber(local.next_offset)} to `
  const isMoved = outcome === 'created' || outcome === 'moved'
  const range = isMoved ? `, next offset ${from}${formatNumber(remote.next_offset)}` : ''
  return `${style.accent(escapeLine(stream))}: ${words[outcome]}${range}\n`
}

/** What a sync has changed, and what it could not. */
export function renderSyncedStreams(
  { fetched, published, refused, cursors }: NonNullable<SyncData['streams']>,
  { style }: RenderView,
): string {
  const name = (stream: string | null) => style.accent(stream === null ? 'streams' : escapeLine(stream))
  const lines = [
    ...newestOfEach(fetched)
      .filter(({ outcome }) => outcome !== 'unchanged' && outcome !== 'ahead')
      .map((row) => renderFetched(row, style)),
    ...published
      .filter(({ outcome }) => outcome !== 'unchanged')
      .map(({ stream, outcome, local }) => {
        const upTo = `${style.good('published')} up to offset ${formatNumber(local.next_offset)}`
        return `${name(stream)}: ${outcome === 'published' ? upTo : 'behind the remote'}\n`
      }),
    ...refused.map(({ stream, reason }) => `${name(stream)}: ${style.bad('refused')}: ${escapeLine(reason)}\n`),
    ...cursors.map(({ stream, cursor, outcome, offset }) => {
      const words = {
        created: style.good('new'),
        moved: style.good('moved'),
        shared: style.good('shared'),
        refused: style.bad('not shared'),
      }
      return `${name(stream)}: cursor ${escapeLine(cursor)} ${words[outcome]} at offset ${formatNumber(offset)}\n`
    }),
  ]
  return lines.length === 0 ? 'No stream that is published or followed has changed\n' : lines.join('')
}

export const renderStreamExport: Renderer<ResultOf<typeof streamExport>> = ({ path, streams }, { quiet, style }) => {
  // Without a path, the bundle itself was printed.
  if (quiet || path === null) return ''
  return `${style.good('Exported')} ${formatCount(countStreams(streams), 'stream')} to ${escapeLine(path)}\n`
}

export const renderStreamImport: Renderer<StreamImportData> = ({ action, path, streams }, view) =>
  renderImportedStreams({ dryRun: action === 'previewed', streams }, view, path)

interface MovedStream {
  readonly stream: string
  readonly outcome: string
}

/** A stream has a row for each of its generations. */
export function countStreams(rows: readonly { readonly stream: string }[]): number {
  return new Set(rows.map(({ stream }) => stream)).size
}

/** @param path - null for standard input */
export function renderImportedStreams(
  { dryRun, streams }: { readonly dryRun: boolean; readonly streams: readonly MovedStream[] },
  { quiet, style }: RenderView,
  path: string | null = null,
): string {
  if (quiet) return ''
  const changed = countStreams(streams.filter(({ outcome }) => outcome === 'created' || outcome === 'moved'))
  const unchanged = countStreams(streams) - changed
  const rest = unchanged === 0 ? '' : `; ${formatNumber(unchanged)} had nothing new`
  const from = path === null ? '' : ` from ${escapeLine(path)}`
  const written = dryRun ? '. Nothing was written.' : ''
  return `${style.good(dryRun ? 'Would import' : 'Imported')} ${formatCount(changed, 'stream')}${from}${rest}${written}\n`
}

export const renderStreamFollow: Renderer<StreamFollowData> = ({ follow }, { quiet }) => {
  if (quiet) return ''
  if (follow.length === 0) return 'This clone follows no streams\n'
  return `This clone follows:\n${follow.map((pattern) => `${escapeLine(pattern)}\n`).join('')}`
}

export const renderStreamUnfollow: Renderer<StreamUnfollowData> = (data, view) => renderStreamFollow(data, view)

export const renderStreamRescue: Renderer<StreamRescueData> = ({ stream, rescues }, { quiet, style }) => {
  if (quiet) return ''
  const name = style.accent(escapeLine(stream))
  if (rescues.length === 0) return `${name} has not diverged\n`
  const lines = rescues.map(({ branch, records, from_offset, after }) => {
    const goesOn = `${name} goes on at offset ${formatNumber(after.next_offset)}\n`
    if (branch === null) return `Nothing was missing there: ${goesOn}`
    const kept = `${style.good('Rescued')} ${formatCount(records, 'record')} from offset ${formatNumber(from_offset)} on`
    return `${kept} as ${style.accent(escapeLine(branch))}; ${goesOn}`
  })
  return lines.join('')
}

export const renderStreamProbe: Renderer<StreamProbeData> = ({ remote, checks }, { quiet, style }) => {
  if (quiet) return ''
  const words = {
    flush: 'files are flushed',
    swap: 'one of two writers wins',
    push: 'refs are pushed and found',
    atomic: 'several refs move together or not at all',
    filter: 'a fetch can leave contents out',
    size: 'a record of 8 MiB is accepted',
  }
  const lines = checks.map(({ where, check, outcome, essential, reason }) => {
    const paint = outcome === 'ok' ? style.good : essential ? style.bad : style.dim
    const place = where === 'disk' ? 'disk' : `'${escapeLine(remote ?? '')}'`
    const why = reason === null ? '' : `: ${escapeLine(reason)}`
    return `${paint(outcome)} ${place}: ${words[check]}${essential ? '' : ' (optional)'}${why}\n`
  })
  return lines.join('')
}
