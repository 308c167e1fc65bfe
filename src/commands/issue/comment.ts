import { InvalidArgsError, parseEventId } from '../../model/index.ts'
import { defineCommand } from '../define-command.ts'
import { lockOption } from '../lock/lock-option.ts'
import { changeIssues } from './change-command.ts'
import { addComment } from './changes.ts'
import { bodyOptions, readBody } from './issue-input.ts'

export const issueComment = defineCommand({
  name: 'issue comment',
  summary: 'Comment on an issue',
  description: 'On a terminal, without a text, your editor opens.',
  examples: [
    { command: 'grite issue comment 3f2a91c --body "Seen on Linux too"', explains: 'a short one' },
    { command: 'make test 2>&1 | grite issue comment 3f2a91c --body-file -', explains: 'the output of a command' },
  ],
  arguments: {
    issue: { summary: 'Issue id, a unique prefix of it, or an imported id', completes: 'issue' },
  },
  options: {
    ...bodyOptions,
    'reply-to': { type: 'text', valueName: 'event id', summary: 'Answer this comment' },
    ...lockOption,
  },
  async run(context, input) {
    let body = await readBody(context, input)
    if (body === undefined && context.text.interactive) body = (await context.text.editText('')) ?? ''
    if (body === undefined)
      throw new InvalidArgsError('--body or --body-file is required', { details: { field: 'body' } })
    const text = body
    const parent = input.replyTo === undefined ? null : parseEventId(input.replyTo)
    return changeIssues(
      context,
      [input.issue],
      (draft, id) => addComment(draft, id, text, parent),
      { action: 'commented' },
      input,
    )
  },
})
