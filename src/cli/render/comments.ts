/** Draws comments as threads: a reply stands below its parent, indented, with a line on its left. */
import { threadComments } from '../../model/comment-threads.ts'
import { type DisplayWidth, openDisplayWidth } from './display-width.ts'
import { escapeLine, escapeText } from './escape-for-terminal.ts'
import { type IssueDetail, shorten } from './issue-shapes.ts'
import { formatMinute, formatRelativeTime } from './relative-time.ts'
import type { RenderView } from './renderer.ts'
import { signatureFaults } from './signature-faults.ts'
import { wrapProse } from './wrap-prose.ts'

type IssueComment = IssueDetail['comments'][number]

/** Deeper replies are not indented further. */
const depthMax = 8
/** Columns that the text of the deepest reply has. */
const textWidthMin = 26

interface Thread {
  /** Whether it needs an empty line above, as the start of a thread does. */
  readonly startsThread: boolean
  readonly text: string
}

export async function* renderComments(comments: readonly IssueComment[], view: RenderView): AsyncGenerator<Thread> {
  const { width, style } = view
  const most = width === null ? depthMax : Math.floor((width - 4 - textWidthMin) / 2)
  const deepest = Math.max(1, Math.min(depthMax, most))
  const displayWidth = await openDisplayWidth(
    comments.flatMap(({ body, actor_label }) => [escapeText(body), actor_label ?? '']),
  )
  const rail = (depth: number) => (depth === 0 ? '' : `  ${(width === null ? '  ' : '│ ').repeat(depth)}`)
  let above = 0
  for (const { comment, depth, orphaned } of threadComments(comments)) {
    const level = Math.min(depth, deepest)
    const room = width === null || level === 0 ? Number.POSITIVE_INFINITY : width - rail(level).length
    const answers = depth > deepest || orphaned ? answersNote(comment, orphaned) : ''
    const head = wrapPieces(headOf(comment, answers, view), room, displayWidth)
    const lines = [...head, ...(await bodyOf(comment, view, width === null ? null : width - rail(level).length))]
    const gap = level === 0 ? '' : `${style.dim(rail(Math.min(above, level)).trimEnd())}\n`
    const text = lines.map((line) => `${`${style.dim(rail(level))}${line}`.trimEnd()}\n`).join('')
    yield { startsThread: level === 0, text: gap + text }
    above = level
  }
}

function answersNote({ parent }: IssueComment, orphaned: boolean): string {
  return `answers ${shorten(parent ?? '')}${orphaned ? ', which is not here' : ''}`
}

interface Piece {
  readonly text: string
  readonly paint: (text: string) => string
}

function headOf(comment: IssueComment, answers: string, view: RenderView): Piece[] {
  const { style, width, nowUnixMs } = view
  const { actor, actor_label, ts_unix_ms, event_id, edited_ts, edited_signature, hidden, signature } = comment
  const minute = formatMinute(ts_unix_ms)
  const when = width === null ? [minute] : [formatRelativeTime(ts_unix_ms, nowUnixMs), `(${minute})`]
  const edited = typeof edited_ts === 'number' && hidden !== true ? [`edited ${editorOf(comment, view)}`] : []
  const fault = signatureFaults[signature ?? '']
  const faultOfEdit = signatureFaults[edited_signature ?? '']
  return [
    { text: escapeLine(actor_label ?? shorten(actor)), paint: style.bold },
    ...[...when, shorten(event_id), answers, ...edited]
      .filter((text) => text !== '')
      .map((text) => ({ text, paint: style.dim })),
    ...(fault === undefined ? [] : [{ text: `[${fault}]`, paint: style.bad }]),
    ...(faultOfEdit === undefined ? [] : [{ text: `[edit: ${faultOfEdit}]`, paint: style.bad }]),
  ]
}

/** `by bo, 2 d ago` */
function editorOf({ edited_by, edited_by_label, edited_ts }: IssueComment, { width, nowUnixMs }: RenderView): string {
  const name = escapeLine(edited_by_label ?? shorten(edited_by ?? ''))
  const ts = edited_ts ?? 0
  return `by ${name}, ${width === null ? formatMinute(ts) : formatRelativeTime(ts, nowUnixMs)}`
}

const indent = '  '

async function bodyOf(comment: IssueComment, view: RenderView, room: number | null): Promise<string[]> {
  if (comment.hidden) return [indent + view.style.dim(`hidden ${editorOf(comment, view)}`)]
  const text = await wrapProse(escapeText(comment.body.trimEnd()), room, indent.length)
  return text.split('\n').map((line) => (line === '' ? '' : indent + line))
}

/** Joins pieces by spaces, in as many lines as they need. */
function wrapPieces(pieces: readonly Piece[], room: number, displayWidth: DisplayWidth): string[] {
  const lines: string[] = []
  let used = 0
  for (const { text, paint } of pieces) {
    const width = displayWidth(text)
    const last = lines.length - 1
    if (last >= 0 && used + 1 + width <= room) {
      lines[last] += ` ${paint(text)}`
      used += 1 + width
    } else {
      lines.push(paint(text))
      used = width
    }
  }
  return lines
}
