import type { IssueListData, IssueSummary } from './issue-shapes.ts'
import { shortId } from './issue-shapes.ts'
import { formatAbsoluteTime, formatRelativeTime } from './relative-time.ts'
import type { Renderer, RenderView } from './renderer.ts'
import { type Column, renderTable } from './table.ts'

export const renderIssueList: Renderer<IssueListData> = async ({ issues, total }, view) => {
  const table = issues.length === 0 ? '' : await renderTable(issues, issueColumns(view), view)
  if (view.quiet || view.width === null) return table
  if (issues.length === 0) return emptyHint(total)
  return `${table}\n${view.style.dim(countLine(issues, total))}\n`
}

function issueColumns({ style, nowUnixMs }: RenderView): readonly Column<IssueSummary>[] {
  return [
    { heading: 'ID', text: shortId, paint: style.accent },
    { heading: 'State', text: ({ state }) => state, paint: (text, { state }) => paintState(state, text, style) },
    { heading: 'Prio', text: ({ fields }) => fields?.priority ?? '', paint: (text) => paintPriority(text, style) },
    { heading: 'Type', text: ({ fields }) => fields?.type ?? '', shrink: 1 },
    { heading: 'Title', text: ({ title }) => title, shrink: 2, widthMin: 16 },
    { heading: 'Labels', text: ({ labels }) => labels.join(', '), shrink: 4, paint: style.dim },
    { heading: 'Assignees', text: ({ assignees }) => assignees.join(', '), shrink: 3 },
    {
      heading: 'Updated',
      text: ({ updated_ts }) => formatRelativeTime(updated_ts, nowUnixMs),
      plainText: ({ updated_ts }) => formatAbsoluteTime(updated_ts),
      paint: style.dim,
    },
  ]
}

export function paintState(state: string, text: string, style: RenderView['style']): string {
  return state === 'open' ? style.good(text) : style.dim(text)
}

function paintPriority(text: string, style: RenderView['style']): string {
  if (/^(p0|critical|urgent)$/i.test(text.trim())) return style.bad(text)
  return /^(p1|high)$/i.test(text.trim()) ? style.attention(text) : text
}

function countLine(issues: readonly IssueSummary[], total: number): string {
  const open = issues.filter(({ state }) => state === 'open').length
  const counts = `(${open} open, ${issues.length - open} closed)`
  if (total > issues.length) return `${issues.length} of ${total} issues ${counts}; --limit shows more`
  return `${total} ${total === 1 ? 'issue' : 'issues'} ${counts}`
}

function emptyHint(total: number): string {
  if (total > 0) return `No issues shown of ${total}; raise --limit to see them\n`
  return 'No issues match. `grite issue create --title "…"` makes one; `grite issue list` without options shows all.\n'
}
