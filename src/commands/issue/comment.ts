import { type EventId, InvalidArgsError, type IssueId } from '../../model/index.ts'
import type { Draft } from '../../tracker/draft.ts'
import { addComment } from '../../tracker/issues/changes.ts'
import { resolveComment } from '../../tracker/issues/resolve-comment.ts'
import { resolveIssue } from '../../tracker/issues/resolve-issue.ts'
import { type DataOf, defineCommand, type GivenInput } from '../define-command.ts'
import { lockOption } from '../lock/lock-option.ts'
import { changeIssue } from './change-command.ts'
import { bodyOptions, readBody } from './issue-input.ts'

export const issueComment = defineCommand({
  name: 'issue comment',
  shortForms: ['comment'],
  summary: 'Comment on an issue',
  description: 'On a terminal, without --body or --body-file, opens your editor.',
  examples: [
    { command: 'grite issue comment 3f2a91c --body "Seen on Linux too"', explains: 'a short comment' },
    { command: 'make test 2>&1 | grite issue comment 3f2a91c --body-file -', explains: 'the output of a command' },
  ],
  served: true,
  effect: 'adds',
  arguments: {
    issue: { summary: 'Issue id, a unique prefix of it, or an imported id', completes: 'issue' },
  },
  options: {
    ...bodyOptions,
    'reply-to': {
      type: 'text',
      valueName: 'comment',
      summary: 'Reply to this comment (id or unique prefix)',
    },
    ...lockOption,
  },
  async run(context, input) {
    let body = await readBody(context, input)
    const comment = async (draft: Draft, issueId: IssueId, text: string) =>
      addComment(draft, issueId, text, await findParent(draft, issueId, input.replyTo))
    if (body === undefined && context.text.interactive) {
      const repository = await context.repository()
      await repository.rehearse(async (draft) =>
        comment(draft, await resolveIssue(await draft.view(), input.issue), 'x'),
      )
      body = (await context.text.editText('')) ?? ''
    }
    if (body === undefined)
      throw new InvalidArgsError('--body or --body-file is required', { details: { field: 'body' } })
    const text = body
    return changeIssue(context, input.issue, (draft, id) => comment(draft, id, text), { action: 'commented' }, input)
  },
})

export type IssueCommentInput = GivenInput<typeof issueComment>
export type IssueCommentData = DataOf<typeof issueComment>

async function findParent(draft: Draft, issueId: IssueId, typed: string | undefined): Promise<EventId | null> {
  return typed === undefined ? null : resolveComment(await draft.view(), issueId, typed)
}
