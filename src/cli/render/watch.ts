/** `watch`: one line per event; without a terminal, tab-separated. */
import type { WatchData, WatchItem } from '../../commands/watch/watch.ts'
import { commentOfOverlayKey, readCommentOverlay } from '../../model/index.ts'
import { escapeLine } from './escape-for-terminal.ts'
import { formatCount } from './facts.ts'
import { shorten } from './issue-shapes.ts'
import { formatAbsoluteTime } from './relative-time.ts'
import type { Renderer } from './renderer.ts'

/** `14:35:02  3f2a91c  Ann  closed  Crash on start` */
export const renderWatchedEvent: Renderer<WatchItem> = (event, { width, style }) => {
  const id = event.short_id ?? shorten(event.issue_id)
  const who = escapeLine(event.actor_label ?? shorten(event.actor))
  const what = describeKind(event.kind)
  const title = escapeLine(event.title ?? '')
  const time = formatAbsoluteTime(event.ts_unix_ms)
  if (width === null) return `${[time, id, who, what, title].join('\t')}\n`
  const cells = [style.dim(clockTime(time)), style.accent(id), who, what, style.bold(title)]
  return `${cells.filter((cell) => cell !== '').join('  ')}\n`
}

/** Day and time, so that the output of a watch that runs overnight stays clear. */
function clockTime(time: string): string {
  return /^\d{4}-/.test(time) ? `${time.slice(0, 10)} ${time.slice(11, 19)}` : time
}

/** Maximum length of a comment excerpt. */
const excerptLengthMax = 60

function describeKind(kind: WatchItem['kind']): string {
  const [name = '', fields = {}] = Object.entries(kind)[0] ?? []
  const text = (field: string): string => {
    const value = fields[field]
    return escapeLine(typeof value === 'string' ? value : '')
  }
  switch (name) {
    case 'IssueCreated':
      return 'created'
    case 'IssueUpdated':
      return fields.title === null ? 'changed the text' : `renamed to ${quote(text('title'))}`
    case 'CommentAdded':
      return `commented ${quote(text('body'))}`
    case 'LabelAdded':
      return `+${text('label')}`
    case 'LabelRemoved':
      return `-${text('label')}`
    case 'StateChanged':
      return fields.state === 'open' ? 'reopened' : text('state')
    case 'LinkAdded':
      return `linked ${text('url')}`
    case 'AssigneeAdded':
      return `assigned ${text('user')}`
    case 'AssigneeRemoved':
      return `unassigned ${text('user')}`
    case 'AttachmentAdded':
      return `attached ${text('name')}`
    case 'DependencyAdded':
      return `+${text('dep_type')} ${shorten(text('target'))}`
    case 'DependencyRemoved':
      return `-${text('dep_type')} ${shorten(text('target'))}`
    case 'ContextUpdated':
      return `described ${text('path')}`
    case 'ProjectContextUpdated':
      return describeKey(text('key'), fields.value)
    default:
      return escapeLine(name)
  }
}

function describeKey(key: string, value: unknown): string {
  if (key.startsWith('grite.actor.')) return 'published an actor card'
  const comment = commentOfOverlayKey(key)
  if (comment === undefined) return `set ${key}`
  const overlay = readCommentOverlay(typeof value === 'string' ? value : '')
  if (overlay === null) return `showed comment ${shorten(comment)} as it was written`
  if (overlay.kind === 'hidden') return `hid comment ${shorten(comment)}`
  return `edited comment ${shorten(comment)} ${quote(escapeLine(overlay.body))}`
}

function quote(text: string): string {
  const letters = [...text]
  return `"${letters.length > excerptLengthMax ? `${letters.slice(0, excerptLengthMax - 1).join('')}…` : text}"`
}

/** For people; a script uses the exit status. */
export const renderWatchEnd: Renderer<WatchData> = ({ events, ended }, { quiet, width, style }) => {
  if (quiet || width === null || ended === 'interrupted') return ''
  const why = ended === 'timeout' ? ', timed out' : ''
  return style.dim(`${formatCount(events, 'event')} told${why}.\n`)
}
