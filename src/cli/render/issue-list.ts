import type { IssueListData } from '../../commands/issue/list.ts'
import { isOverdue } from '../../model/index.ts'
import { formatCount, formatNumber } from './facts.ts'
import { type FieldName, holderOf, type IssueSummary, shortId } from './issue-shapes.ts'
import { formatSpan } from './lock.ts'
import { formatAbsoluteTime, formatRelativeTime } from './relative-time.ts'
import type { PieceRenderer, RenderView } from './renderer.ts'
import { type Column, tablePieces } from './table.ts'

export const renderIssueList: PieceRenderer<IssueListData> = async function* (data, view) {
  const { issues, total } = data
  if (issues.length > 0) yield* data.columns === undefined ? wholeIssues(data.issues, view) : pickedIssues(data, view)
  if (view.quiet || view.width === null) return
  yield issues.length === 0 ? emptyHint(data) : `\n${view.style.dim(countLine(data, total))}\n`
}

function wholeIssues(issues: readonly IssueSummary[], view: RenderView): AsyncIterable<string> {
  return tablePieces(issues, issueColumns(view), view)
}

type PickedIssues = Extract<IssueListData, { readonly columns: readonly string[] }>
type PickedIssue = PickedIssues['issues'][number]

function pickedIssues({ issues, columns }: PickedIssues, view: RenderView): AsyncIterable<string> {
  return tablePieces(
    issues,
    columns.map((key) => chosenColumn(key, view)),
    view,
  )
}

/** Fields with a column, whose labels are therefore omitted. */
const shownFields: readonly FieldName[] = ['priority', 'type', 'status']
/** Fields with a column on a terminal. Without a terminal the columns never change, for scripts. */
const shownOnTerminal: readonly FieldName[] = [...shownFields, 'milestone', 'due']

export function issueColumns({ style, nowUnixMs }: RenderView): readonly Column<IssueSummary>[] {
  return [
    { heading: 'ID', text: shortId, paint: style.accent },
    {
      heading: 'State',
      text: ({ state }) => state,
      paint: (text, { state }) => paintState(state, text, style),
      drop: 1,
    },
    {
      heading: 'Prio',
      name: 'priority',
      text: ({ fields }) => fields?.priority ?? '',
      paint: (text) => paintPriority(text, style),
      drop: 2,
    },
    { heading: 'Type', text: ({ fields }) => fields?.type ?? '', shrink: 1, drop: 3 },
    { heading: 'Status', text: ({ fields }) => fields?.status ?? '', shrink: 1, drop: 4 },
    { heading: 'Title', text: ({ title }) => title, shrink: 2, widthMin: 20, isProse: true },
    {
      heading: 'Milestone',
      text: ({ fields }) => fields?.milestone ?? '',
      onTerminalOnly: true,
      shrink: 1,
      drop: 7,
    },
    {
      heading: 'Due',
      text: (issue) => formatDue(issue, nowUnixMs),
      onTerminalOnly: true,
      paint: (text, issue) => (isLate(issue, nowUnixMs) ? style.bad(text) : text),
      drop: 3,
    },
    {
      heading: 'Labels',
      text: (issue) => plainLabels(issue, shownOnTerminal).join(', '),
      plainText: (issue) => plainLabels(issue, shownFields).join(', '),
      shrink: 4,
      widthMin: 12,
      paint: style.dim,
      drop: 6,
    },
    { heading: 'Assignees', text: ({ assignees }) => assignees.join(', '), shrink: 3, drop: 5 },
    claimColumn(style, nowUnixMs),
    {
      heading: 'Updated',
      text: ({ updated_ts }) => formatRelativeTime(updated_ts, nowUnixMs),
      plainText: ({ updated_ts }) => formatAbsoluteTime(updated_ts),
      paint: style.dim,
      drop: 4,
    },
  ]
}

/** The holder of an issue and the remaining time of the claim. */
export function claimColumn(style: RenderView['style'], nowUnixMs: number): Column<IssueSummary> {
  return {
    heading: 'Claimed by',
    text: ({ claim }) =>
      claim ? `${holderOf(claim)}, ${formatSpan(Math.max(0, Math.floor((claim.until - nowUnixMs) / 1000)))}` : '',
    onTerminalOnly: true,
    paint: style.attention,
    shrink: 3,
    drop: 4,
  }
}

/** Omits labels whose value is in a column, and parent labels, whose value is an id that nobody reads. */
function plainLabels({ labels, fields }: IssueSummary, shown: readonly FieldName[]): readonly string[] {
  const hidden = new Set([...shown, 'parent' as const].map((key) => `${key}:${fields?.[key]}`))
  return labels.filter((label) => !hidden.has(label))
}

/** The due date, marked when overdue. */
function formatDue(issue: IssueSummary, nowUnixMs: number): string {
  const due = issue.fields?.due ?? ''
  return isLate(issue, nowUnixMs) ? `${due} overdue` : due
}

function isLate({ state, fields }: IssueSummary, nowUnixMs: number): boolean {
  const { due } = fields ?? {}
  return typeof due === 'string' && isOverdue({ state, fields: { due } }, nowUnixMs)
}

/** A column of `--fields`: the heading is the key; without a terminal, the value is that of the JSON. */
function chosenColumn(key: string, { style, nowUnixMs }: RenderView): Column<PickedIssue> {
  const valueIn = (issue: PickedIssue): unknown => (issue as Readonly<Record<string, unknown>>)[key]
  const text = (issue: PickedIssue) => formatValue(valueIn(issue))
  if (key === 'issue_id' || key === 'short_id') return { heading: key, text, paint: style.accent }
  if (key !== 'created_ts' && key !== 'updated_ts') {
    return { heading: key, text, shrink: key === 'title' ? 1 : 2, isProse: key === 'title' || key === 'body' }
  }
  return {
    heading: key,
    text: (issue) => formatRelativeTime(Number(valueIn(issue)), nowUnixMs),
    plainText: (issue) => formatAbsoluteTime(Number(valueIn(issue))),
    paint: style.dim,
  }
}

/** A value of the JSON document as one text. */
export function formatValue(value: unknown): string {
  if (value === null || value === undefined) return ''
  if (Array.isArray(value))
    return value.map(formatValue).join(value.some((each) => typeof each === 'object') ? '; ' : ', ')
  if (typeof value !== 'object') return `${value}`
  return Object.entries(value)
    .map(([name, each]) => `${name}:${formatValue(each)}`)
    .join(', ')
}

export function paintState(state: string, text: string, style: RenderView['style']): string {
  return state === 'open' ? style.good(text) : style.dim(text)
}

export function paintPriority(text: string, style: RenderView['style']): string {
  if (/^(p0|critical|urgent)$/i.test(text.trim())) return style.bad(text)
  return /^(p1|high)$/i.test(text.trim()) ? style.attention(text) : text
}

/** Counts cover all matching issues, not only the shown ones. */
function countLine({ issues, open_count, closed_count, next_cursor }: IssueListData, total: number): string {
  const isMixed = open_count > 0 && closed_count > 0
  const what = isMixed ? 'issue' : closed_count > 0 ? 'closed issue' : 'open issue'
  const split = isMixed ? ` (${formatNumber(open_count)} open, ${formatNumber(closed_count)} closed)` : ''
  if (total === issues.length) return `${formatCount(total, what)}${split}`
  const more = next_cursor === null ? '' : '; --limit shows more'
  return `${formatNumber(issues.length)} of ${formatCount(total, what)}${split}${more}`
}

function emptyHint({ total, issue_count }: IssueListData): string {
  if (total > 0) return `No issues shown of ${formatNumber(total)}; raise --limit to see them\n`
  if (issue_count > 0)
    return `None of ${formatNumber(issue_count)} issues match. Run \`grite issue list --state all\` to see all.\n`
  return 'No issues yet. Run `grite issue create --title "…"` to create one.\n'
}
