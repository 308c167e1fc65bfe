import { GriteError, type IssueStateWord } from '../../model/index.ts'
import { claimNext } from '../claim/claim-next.ts'
import type { CommandContext } from '../context.ts'
import { type CommandResult, defineCommand } from '../define-command.ts'
import { chooseWhere, claimTtlMsDefault } from '../lock/lock-input.ts'
import { lockOption } from '../lock/lock-option.ts'
import { changeIssues } from './change-command.ts'
import { addComment, changeState } from './changes.ts'
import { lookAroundClosed } from './children.ts'
import { describeClaimed } from './claim.ts'

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
    { command: 'grite issue close 3f2a91c --claim-next', explains: 'done with this one, on to the next' },
  ],
  arguments: issues,
  options: {
    ...commentOption,
    ...lockOption,
    'claim-next': {
      type: 'boolean',
      summary: 'Then claim the first issue that is ready, as `issue claim --next` does',
    },
  },
  async run(context, input): Promise<CommandResult<object>> {
    const { data } = await moveIssues(context, input, { state: 'closed', action: 'closed' })
    const finished = await lookAroundClosed(context, data)
    const closed = { ...data, ...(finished.length === 0 ? {} : { finished_parents: finished }) }
    return input.claimNext ? claimAfter(context, closed) : { data: closed }
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

/** What was closed stays closed, whatever becomes of the claim. */
async function claimAfter(context: CommandContext, data: object): Promise<CommandResult<object>> {
  const repository = await context.repository()
  try {
    const where = await chooseWhere(repository, { remote: undefined, local: false })
    await repository.letGoOfView()
    const claimed = await claimNext({ context, repository, where, ttlMs: claimTtlMsDefault, renew: false }, [])
    return {
      data: { ...data, claimed: claimed === null ? null : await describeClaimed(context, { repository }, claimed) },
    }
  } catch (error) {
    if (!(error instanceof GriteError)) throw error
    context.warn({
      code: 'claim-failed',
      message: `closed, but nothing was claimed: ${error.message}`,
      details: error.details,
    })
    return { data: { ...data, claimed: null }, exitStatus: 1 }
  }
}

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
