/** Changes of comments that are already in the log. */

import { currentTitle, type EventId, InvalidArgsError, type IssueId } from '../../model/index.ts'
import type { Draft } from '../../tracker/draft.ts'
import type { CommandContext } from '../../tracker/effects.ts'
import { editComment, hideComment, requireShown, unhideComment } from '../../tracker/issues/change-comment.ts'
import { type CommentEvent, readCommentOverlays } from '../../tracker/issues/comment-overlays.ts'
import { findComment } from '../../tracker/issues/resolve-comment.ts'
import { shortIdLength } from '../../view/index.ts'
import { type DataOf, defineCommand, type GivenInput } from '../define-command.ts'
import { bodyOptions, readBody } from './issue-input.ts'

const commentArgument = { summary: 'Comment id or a unique prefix' } as const

const staysInGit = 'The first text stays in the log: everybody with a clone can read it there, and other tools show it.'

export const issueCommentEdit = defineCommand({
  name: 'issue comment edit',
  summary: 'Change the text of a comment',
  description:
    'On a terminal, without --body or --body-file, opens your editor with the current text. Anyone may edit a comment; grite ' +
    `shows who did. ${staysInGit}`,
  examples: [
    { command: 'grite issue comment edit 1c9e4f7a', explains: 'in your editor' },
    { command: 'grite issue comment edit 1c9e4f7a --body "Seen on Linux only"', explains: 'another text' },
  ],
  served: true,
  effect: 'sets',
  arguments: { comment: commentArgument },
  options: bodyOptions,
  async run(context, input) {
    const text = (await readBody(context, input)) ?? (await editPresentText(context, input.comment))
    return changeComment(context, input.comment, 'edited', async (draft, comment) =>
      text === null ? [] : editComment(draft, comment, text),
    )
  },
})

export type IssueCommentEditInput = GivenInput<typeof issueCommentEdit>
export type IssueCommentEditData = DataOf<typeof issueCommentEdit>

export const issueCommentHide = defineCommand({
  name: 'issue comment hide',
  summary: 'Hide a comment',
  description:
    `Shows who hid the comment in place of its text. ${staysInGit} To remove a secret from the world, revoke it. ` +
    '`grite issue comment unhide` shows the comment again.',
  examples: [{ command: 'grite issue comment hide 1c9e4f7a', explains: 'by its id in `grite issue show`' }],
  served: true,
  effect: 'sets',
  arguments: { comment: commentArgument },
  options: {},
  run: (context, input) => changeComment(context, input.comment, 'hidden', hideComment),
})

export type IssueCommentHideInput = GivenInput<typeof issueCommentHide>
export type IssueCommentHideData = DataOf<typeof issueCommentHide>

export const issueCommentUnhide = defineCommand({
  name: 'issue comment unhide',
  summary: 'Show a hidden comment again',
  description: 'Shows the text that the comment had before it was hidden.',
  examples: [{ command: 'grite issue comment unhide 1c9e4f7a', explains: 'after `grite issue comment hide`' }],
  served: true,
  effect: 'sets',
  arguments: { comment: commentArgument },
  options: {},
  run: (context, input) => changeComment(context, input.comment, 'unhidden', unhideComment),
})

export type IssueCommentUnhideInput = GivenInput<typeof issueCommentUnhide>
export type IssueCommentUnhideData = DataOf<typeof issueCommentUnhide>

export interface CommentChange {
  readonly issue_id: IssueId
  readonly short_id: string
  readonly title: string
  readonly comment_id: EventId
  readonly action: 'edited' | 'hidden' | 'unhidden'
  readonly event_id: EventId | null
  readonly event_ids: readonly EventId[]
  readonly outcome: 'changed' | 'unchanged'
  readonly wal_head: string | null
}

async function changeComment(
  context: CommandContext,
  typed: string,
  action: CommentChange['action'],
  change: (draft: Draft, comment: CommentEvent) => Promise<readonly EventId[]>,
): Promise<{ readonly data: CommentChange }> {
  const repository = await context.repository()
  const { head, result } = await repository.write(async (draft) => {
    const view = await draft.view()
    const comment = await findComment(view, typed)
    const { issueId } = comment
    const state = await draft.requireIssue(issueId)
    const eventIds = (await change(draft, comment)).filter((eventId) => draft.hasEvent(eventId))
    const shortIds = await view.shortIds([issueId], shortIdLength)
    return { comment, eventIds, shortId: shortIds.get(issueId) ?? issueId, title: currentTitle(state) }
  })
  const { comment, eventIds, shortId, title } = result
  return {
    data: {
      issue_id: comment.issueId,
      short_id: shortId,
      title,
      comment_id: comment.eventId,
      action,
      event_id: eventIds.at(-1) ?? null,
      event_ids: eventIds,
      outcome: eventIds.length > 0 ? 'changed' : 'unchanged',
      wal_head: head,
    },
  }
}

/**
 * @returns null when the text was left as it is
 * @throws {InvalidArgsError} without a terminal, before the repository is opened
 */
async function editPresentText(context: CommandContext, typed: string): Promise<string | null> {
  if (!context.text.interactive) {
    throw new InvalidArgsError('--body or --body-file is required', { details: { field: 'body' } })
  }
  const repository = await context.repository()
  let shown = ''
  await repository.rehearse(async (draft) => {
    const view = await draft.view()
    const comment = await findComment(view, typed)
    const overlay = (await readCommentOverlays(view, [comment.eventId])).get(comment.eventId)?.overlay ?? null
    requireShown(comment, overlay)
    shown = overlay?.body ?? comment.body.body
  })
  const written = await context.text.editText(shown)
  // Editors end the last line.
  return written === undefined || written.trimEnd() === shown.trimEnd() ? null : written.trimEnd()
}
