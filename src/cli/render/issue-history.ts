import type { IssueHistoryData } from '../../commands/issue/history.ts'
import { escapeLine } from './escape-for-terminal.ts'
import { formatCount, formatNumber } from './facts.ts'
import { shorten, shortId } from './issue-shapes.ts'
import { formatAbsoluteTime, formatMinute } from './relative-time.ts'
import type { PieceRenderer, RenderView } from './renderer.ts'
import { type Column, tablePieces } from './table.ts'
import { formatTextChange } from './text-change.ts'
import { wrapTitle } from './wrap-prose.ts'

export type HistoryLine = IssueHistoryData['entries'][number]

export const renderIssueHistory: PieceRenderer<IssueHistoryData> = async function* (data, view) {
  // Skip events that are only a part of another change: the event that set the value reports them.
  const lines = data.entries.filter(({ part_of }) => part_of === null)
  const { style } = view
  const isPlain = view.quiet || view.width === null
  if (!isPlain) {
    const id = escapeLine(shortId(data))
    yield `${style.accent(id)} ${style.bold(await wrapTitle(escapeLine(data.title), view.width, id.length + 1))}\n\n`
  }
  yield* tablePieces(lines, historyColumns(view), view)
  if (isPlain || data.entries.length === data.total) return
  const count = `${formatNumber(data.entries.length)} of ${formatCount(data.total, 'entry', 'entries')}`
  yield `\n${style.dim(`${count}${data.next_cursor === null ? '' : '; --limit shows more'}`)}\n`
}

function historyColumns({ style }: RenderView): readonly Column<HistoryLine>[] {
  return [
    { heading: 'Event', text: ({ event_id }) => shorten(event_id), paint: style.accent },
    {
      heading: 'When',
      text: ({ ts_unix_ms }) => formatMinute(ts_unix_ms),
      plainText: ({ ts_unix_ms }) => formatAbsoluteTime(ts_unix_ms),
      paint: style.dim,
      drop: 2,
    },
    { heading: 'Who', text: ({ actor, actor_label }) => actor_label ?? shorten(actor), shrink: 3, widthMin: 8 },
    { heading: 'What', text: ({ field }) => field ?? 'created' },
    { heading: 'Change', text: formatChange, shrink: 2, widthMin: 20, isProse: true },
    { heading: 'Note', text: formatNote, paint: style.dim, shrink: 4, widthMin: 14, drop: 3 },
  ]
}

/** Fields whose values may be long texts. */
const textFields: ReadonlySet<string | null> = new Set(['body', 'comment'])

/** @param line - an edit of a comment has the id of another event */
export function formatChange({
  field,
  old,
  new: value,
  event_id,
  comment_id,
}: Pick<HistoryLine, 'field' | 'old' | 'new'> & Partial<Pick<HistoryLine, 'event_id' | 'comment_id'>>): string {
  if (field === null) return value ?? ''
  if (field === 'comment') {
    const isEdit = typeof comment_id === 'string' && comment_id !== event_id
    return isEdit ? `${shorten(comment_id)}: ${formatCommentEdit(old, value)}` : wholeText(value)
  }
  if (textFields.has(field)) return formatTextChange(old, value)
  if (field === 'link' || field === 'attachment') return `+ ${value ?? ''}`
  if (field === 'label' || field === 'assignee' || field === 'dependency') {
    return `${value === null ? '-' : '+'} ${formatElement(field, value ?? old ?? '')}`
  }
  return `${old ?? 'none'} -> ${value ?? 'none'}`
}

/** An edit of a comment; null stands for a hidden one. */
export function formatCommentEdit(old: string | null, value: string | null): string {
  if (value === null) return old === null ? 'hidden' : `${wholeText(old)} -> hidden`
  return old === null ? `hidden -> ${wholeText(value)}` : formatTextChange(old, value)
}

const wholeText = (text: string | null) => formatTextChange(null, text).replace('nothing -> ', '')

/** Shows the target of a dependency by a short id. */
function formatElement(field: string, element: string): string {
  return field === 'dependency' ? element.replace(/\b([0-9a-f]{8})[0-9a-f]{24}$/, '$1') : element
}

function formatNote({ effective, superseded_by }: HistoryLine): string {
  const notes = [
    ...(effective ? [] : ['no effect']),
    ...(superseded_by === null ? [] : [`until ${shorten(superseded_by)}`]),
  ]
  return notes.join(', ')
}
