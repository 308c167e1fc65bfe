import type { RedoData, UndoData } from '../../commands/undo.ts'
import { escapeLine } from './escape-for-terminal.ts'
import { formatChange, formatCommentEdit } from './issue-history.ts'
import { shorten } from './issue-shapes.ts'
import { formatMinute } from './relative-time.ts'
import type { Renderer, RenderView } from './renderer.ts'

type Command = UndoData['commands'][number]
type Change = Command['changes'][number]

/** What each command was about, what is restored, and what stays. */
export const renderReversal: Renderer<UndoData | RedoData> = ({ action, commands, outcome }, view) => {
  if (view.quiet && action !== 'listed') return ''
  if (action !== 'listed' && outcome === 'unchanged') return 'Nothing to change: nothing was changed by it\n'
  return commands
    .map((command, index) => renderCommand(command, headingOf(action, index, command, view), view))
    .join('')
}

function headingOf(action: UndoData['action'], index: number, command: Command, { style }: RenderView): string {
  const when = `${formatMinute(command.ts_unix_ms)} by ${escapeLine(command.actor_label ?? shorten(command.actor))}`
  if (action === 'listed') return `${style.accent(`${index + 1}`)}  ${style.dim(when)}`
  const verb = action === 'undone' ? 'Undid' : 'Redid'
  return `${style.good(verb)} the command of ${when}`
}

function renderCommand({ changes, refused }: Command, heading: string, { style }: RenderView): string {
  const lines = changes.map((change) => `  ${whereOf(change, style)}${escapeLine(describe(change))}\n`)
  const kept = refused.map(
    ({ event_id, reason }) => `  ${style.attention('stays')} ${shorten(event_id)}: ${escapeLine(reason)}\n`,
  )
  const nothing = lines.length + kept.length === 0 ? `  ${style.dim('changed nothing')}\n` : ''
  return `${heading}\n${lines.join('')}${kept.join('')}${nothing}`
}

function whereOf({ short_id, title }: Change, style: RenderView['style']): string {
  return short_id === null ? '' : `${style.accent(escapeLine(short_id))} ${escapeLine(title ?? '')}  `
}

function describe(change: Change): string {
  if (change.field === 'comment') {
    const edit = change.new === null ? 'hidden (it stays in the log)' : formatCommentEdit(change.old, change.new)
    return `comment: ${edit}`
  }
  return `${change.field}: ${formatChange(change)}`
}
