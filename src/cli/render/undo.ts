import type { UndoData } from '../../commands/undo.ts'
import { escapeLine } from './escape-for-terminal.ts'
import { formatChange } from './issue-history.ts'
import { shorten } from './issue-shapes.ts'
import type { Renderer } from './renderer.ts'

/** The undone event, its issue, and the restored values. */
export const renderUndo: Renderer<UndoData> = ({ undone, changes, event_id, ...issue }, { quiet, style }) => {
  if (quiet) return ''
  const { issue_id, short_id, title } = issue
  const where =
    issue_id === null ? '' : ` on ${style.accent(escapeLine(short_id ?? shorten(issue_id)))} ${escapeLine(title ?? '')}`
  const what = `event ${style.accent(shorten(undone.event_id))} of ${escapeLine(undone.actor_label ?? shorten(undone.actor))}`
  if (event_id === null) return `Nothing to change: ${what}${where} changed nothing\n`
  const lines = changes.map((change) => `  ${escapeLine(change.field)}: ${escapeLine(formatChange(change))}\n`)
  return `${style.good('Undid')} ${what}${where}\n${lines.join('')}`
}
