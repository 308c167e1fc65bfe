import type { ReadyData } from '../../commands/ready.ts'
import { formatCount, formatNumber } from './facts.ts'
import { claimColumn, issueColumns, paintPriority } from './issue-list.ts'
import { shortId } from './issue-shapes.ts'
import { formatAbsoluteTime, formatRelativeTime } from './relative-time.ts'
import type { Renderer, RenderView } from './renderer.ts'
import { type Column, renderTable } from './table.ts'

type ReadyIssue = ReadyData['issues'][number]

export const renderReady: Renderer<ReadyData> = async (data, view) => {
  const columns = view.width === null ? plainColumns(view) : readyColumns(view)
  const table = data.issues.length === 0 ? '' : await renderTable(data.issues, columns, view)
  if (view.quiet || view.width === null) return table
  if (data.total === 0) return `Nothing is ready${describeRest(data, '; ', '.')}\n`
  const shown = data.issues.length === data.total ? '' : `${formatNumber(data.issues.length)} of `
  return `${table}\n${view.style.dim(`${shown}${formatNumber(data.total)} ready${describeRest(data, ', ', '')}`)}\n`
}

/** Those of every list of issues, then those of its own. */
function plainColumns(view: RenderView): readonly Column<ReadyIssue>[] {
  return [
    ...issueColumns(view),
    { heading: 'Due', text: ({ fields }) => fields?.due ?? '' },
    { heading: 'Milestone', text: ({ fields }) => fields?.milestone ?? '' },
    { heading: 'Unknown blockers', text: ({ unknown_blockers }) => unknown_blockers.join(', ') },
    { heading: 'Created', text: ({ created_ts }) => formatAbsoluteTime(created_ts) },
  ]
}

function readyColumns({ style, nowUnixMs }: RenderView): readonly Column<ReadyIssue>[] {
  return [
    { heading: 'ID', text: shortId, paint: style.accent },
    {
      heading: 'Prio',
      text: ({ fields }) => fields?.priority ?? '',
      paint: (text) => paintPriority(text, style),
    },
    { heading: 'Type', text: ({ fields }) => fields?.type ?? '', shrink: 1, drop: 4 },
    { heading: 'Title', text: ({ title }) => title, shrink: 2, widthMin: 20, isProse: true },
    {
      heading: 'Due',
      text: ({ fields, overdue }) => `${fields?.due ?? ''}${overdue ? ' overdue' : ''}`,
      paint: (text, { overdue }) => (overdue ? style.bad(text) : text),
      drop: 2,
    },
    { heading: 'Milestone', text: ({ fields }) => fields?.milestone ?? '', shrink: 3, drop: 5 },
    { heading: 'Assignees', text: ({ assignees }) => assignees.join(', '), shrink: 4, drop: 6 },
    claimColumn(style, nowUnixMs),
    {
      heading: 'Unknown blockers',
      text: ({ unknown_blockers }) => unknown_blockers.join(', '),
      shrink: 5,
      paint: style.attention,
      drop: 1,
    },
    {
      heading: 'Created',
      text: ({ created_ts }) => formatRelativeTime(created_ts, nowUnixMs),
      paint: style.dim,
      drop: 3,
    },
  ]
}

/** Counts of open issues that are not listed, to explain an empty queue. */
function describeRest(
  { blocked_count, taken_count, set_aside_count }: ReadyData,
  opening: string,
  end: string,
): string {
  const parts = [
    ...(blocked_count === 0 ? [] : [`${formatCount(blocked_count, 'issue')} blocked (\`grite blocked\`)`]),
    ...(taken_count === 0 ? [] : [`${formatNumber(taken_count)} taken by others`]),
    ...(set_aside_count === 0 ? [] : [`${formatNumber(set_aside_count)} set aside`]),
  ]
  return parts.length === 0 ? end : `${opening}${parts.join(', ')}`
}
