import type { JsonForm } from '../../commands/define-command.ts'
import type { CommentChange } from '../../commands/issue/comment-change.ts'
import { escapeLine } from './escape-for-terminal.ts'
import { shorten, shortId } from './issue-shapes.ts'
import type { Renderer } from './renderer.ts'

const verbs = { edited: 'Edited', hidden: 'Hid', unhidden: 'Unhid' } as const

/** What stays in git is said each time: nobody should take a hidden secret for a removed one. */
const notes = {
  edited: 'The first text stays in git, for everyone who has the log.',
  hidden: 'Its text stays in git, for everyone who has the log.',
  unhidden: '',
} as const

export const renderCommentChange: Renderer<JsonForm<CommentChange>> = (data, { quiet, style }) => {
  if (quiet) return ''
  const { action, comment_id, event_id, title } = data
  const where = `comment ${style.accent(shorten(comment_id))} on ${style.accent(escapeLine(shortId(data)))} ${escapeLine(title)}\n`
  return event_id === null
    ? `Nothing to change in ${where}`
    : `${style.good(verbs[action])} ${where}${notes[action] === '' ? '' : `${style.dim(notes[action])}\n`}`
}
