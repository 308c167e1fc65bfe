import type { SnapshotCreateData } from '../../commands/snapshot/create.ts'
import type { SnapshotGcData } from '../../commands/snapshot/gc.ts'
import type { SnapshotListData } from '../../commands/snapshot/list.ts'
import { escapeLine } from './escape-for-terminal.ts'
import { formatCount, formatNumber } from './facts.ts'
import { shorten } from './issue-shapes.ts'
import { formatAbsoluteTime, formatRelativeTime } from './relative-time.ts'
import type { Renderer, RenderView } from './renderer.ts'
import { type Column, renderTable } from './table.ts'

export const renderSnapshotCreate: Renderer<SnapshotCreateData> = (data, { quiet, style }) => {
  if (quiet) return ''
  const events = formatCount(data.event_count, 'event')
  return `${style.good('Created')} snapshot ${style.accent(escapeLine(nameOf(data.snapshot_ref)))}: ${events}, the log up to ${shorten(data.wal_head)}\n`
}

type SnapshotRow = SnapshotListData['snapshots'][number]

export const renderSnapshotList: Renderer<SnapshotListData> = async (data, view) => {
  const { snapshots, total = snapshots.length, refused_on_remotes: refused = [] } = data
  const table = await renderRows(snapshots, view)
  if (view.quiet || view.width === null) return table
  const more = total > snapshots.length ? `${formatNumber(total - snapshots.length)} older ones are not listed\n` : ''
  const lines = refused.map(({ ref_name, oid, problem }) => {
    return `Refused on a remote: ${escapeLine(nameOf(ref_name))} (commit ${shorten(oid)}): ${escapeLine(problem)}\n`
  })
  return table + more + lines.join('')
}

async function renderRows(snapshots: readonly SnapshotRow[], view: RenderView): Promise<string> {
  if (snapshots.length === 0)
    return view.quiet || view.width === null ? '' : 'No snapshots yet. Run `grite snapshot create` to create one.\n'
  const problem: Column<SnapshotRow> = {
    heading: 'Problem',
    text: (row) => row.problem ?? '',
    paint: view.style.bad,
    shrink: 1,
  }
  const verdicts: Column<SnapshotRow>[] = snapshots.some(({ verdict }) => verdict)
    ? [{ heading: 'Verdict', text: ({ verdict }) => verdict ?? '', drop: 3 }]
    : []
  return renderTable(
    snapshots,
    [
      { heading: 'Snapshot', text: ({ ref_name }) => nameOf(ref_name), paint: view.style.accent },
      {
        heading: 'Made',
        text: ({ timestamp }) => (timestamp === 0 ? '' : formatRelativeTime(timestamp, view.nowUnixMs)),
        plainText: ({ timestamp }) => (timestamp === 0 ? '' : formatAbsoluteTime(timestamp)),
        drop: 1,
      },
      {
        heading: 'Events',
        text: ({ event_count }) => (event_count === null ? '' : formatNumber(event_count)),
        plainText: ({ event_count }) => `${event_count ?? ''}`,
        align: 'right',
      },
      {
        heading: 'Log up to',
        text: ({ wal_head }) => (wal_head === null ? '' : shorten(wal_head)),
        plainText: ({ wal_head }) => wal_head ?? '',
        drop: 2,
      },
      // New columns go at the end, for scripts.
      ...(view.width === null ? [problem, ...verdicts] : [...verdicts, problem]),
    ],
    view,
  )
}

export const renderSnapshotGc: Renderer<SnapshotGcData> = (data, { quiet, style }) => {
  const { deleted, remaining, owed_remote_deletions } = data
  if (quiet) return ''
  const left = formatCount(remaining, 'snapshot')
  if (deleted === 0) return `Nothing to delete: ${left}\n`
  const travels = owed_remote_deletions === 0 ? '' : '; the next sync deletes them on the remotes too'
  return `${style.good('Deleted')} ${formatCount(deleted, 'snapshot')}, ${formatNumber(remaining)} left${travels}\n`
}

const nameOf = (ref: string) => ref.slice(ref.lastIndexOf('/') + 1)
