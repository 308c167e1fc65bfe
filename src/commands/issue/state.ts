import type { IssueStateWord } from '../../model/index.ts'
import type { CommandContext } from '../context.ts'
import { defineCommand } from '../define-command.ts'
import { lockOption } from '../lock/lock-option.ts'
import { changeIssues } from './change-command.ts'
import { addComment, changeState } from './changes.ts'
import { lookAroundClosed } from './children.ts'

const issues = {
  issue: { summary: 'Issue id, a unique prefix of it, or an imported id', repeatable: true, completes: 'issue' },
} as const
const commentOption = {
  comment: { type: 'text', valueName: 'text', summary: 'Say why, as a comment in the same commit', short: 'c' },
} as const

export const issueClose = defineCommand({
  name: 'issue close',
  summary: 'Close issues',
  description: 'Parts of a closed issue stay as they are; you are told when some of them are open.',
  examples: [
    { command: 'grite issue close 3f2a91c', explains: 'close one' },
    { command: 'grite issue close 3f2a91c 77bc01d --comment "Released in 2.1"', explains: 'close two in one commit' },
  ],
  arguments: issues,
  options: { ...commentOption, ...lockOption },
  async run(context, input) {
    const { data } = await moveIssues(context, input, { state: 'closed', action: 'closed' })
    const finished = await lookAroundClosed(context, data)
    return { data: { ...data, ...(finished.length === 0 ? {} : { finished_parents: finished }) } }
  },
})

export const issueReopen = defineCommand({
  name: 'issue reopen',
  summary: 'Open closed issues again',
  examples: [{ command: 'grite issue reopen 3f2a91c', explains: 'it was not fixed after all' }],
  arguments: issues,
  options: { ...commentOption, ...lockOption },
  run: (context, input) => moveIssues(context, input, { state: 'open', action: 'reopened' }),
})

interface MoveInput {
  readonly issue: readonly string[]
  readonly comment: string | undefined
  readonly lock: boolean
}

/** A comment is kept also on an issue that was in that state already: somebody wrote it. */
function moveIssues(
  context: CommandContext,
  { issue, comment, lock }: MoveInput,
  target: { readonly state: IssueStateWord; readonly action: string },
) {
  return changeIssues(
    context,
    issue,
    async (draft, issueId) => {
      const said = comment === undefined ? [] : await addComment(draft, issueId, comment, null)
      return [...said, ...(await changeState(draft, issueId, target.state))]
    },
    target,
    { lock },
  )
}
