import { defineCommand } from '../define-command.ts'
import { changeIssues } from './change-command.ts'
import { addComment, changeState } from './changes.ts'

const issues = {
  issue: { summary: 'Issue id, a unique prefix of it, or an imported id', repeatable: true, completes: 'issue' },
} as const
const commentOption = {
  comment: { type: 'text', valueName: 'text', summary: 'Say why, as a comment in the same commit', short: 'c' },
} as const

export const issueClose = defineCommand({
  name: 'issue close',
  summary: 'Close issues',
  examples: [
    { command: 'grite issue close 3f2a91c', explains: 'close one' },
    { command: 'grite issue close 3f2a91c 77bc01d --comment "Released in 2.1"', explains: 'close two in one commit' },
  ],
  arguments: issues,
  options: commentOption,
  async run(context, { issue, comment }) {
    return changeIssues(
      context,
      issue,
      async (draft, id) => {
        const closed = await changeState(draft, id, 'closed')
        return comment === undefined ? closed : [...(await addComment(draft, id, comment, null)), ...closed]
      },
      { state: 'closed', action: 'closed' },
    )
  },
})

export const issueReopen = defineCommand({
  name: 'issue reopen',
  summary: 'Open closed issues again',
  examples: [{ command: 'grite issue reopen 3f2a91c', explains: 'it was not fixed after all' }],
  arguments: issues,
  options: commentOption,
  async run(context, { issue, comment }) {
    return changeIssues(
      context,
      issue,
      async (draft, id) => {
        const opened = await changeState(draft, id, 'open')
        return comment === undefined ? opened : [...(await addComment(draft, id, comment, null)), ...opened]
      },
      { state: 'open', action: 'reopened' },
    )
  },
})
