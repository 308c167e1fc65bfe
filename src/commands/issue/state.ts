import { showRemote } from '../../git/index.ts'
import { InvalidArgsError, type IssueStateWord } from '../../model/index.ts'
import { claimAfterClose, findClaimLevel, sendClosed } from '../../tracker/claims/after-close.ts'
import type { NoneReady } from '../../tracker/claims/why-none.ts'
import type { CommandContext } from '../../tracker/effects.ts'
import { addComment, changeState } from '../../tracker/issues/changes.ts'
import { checkPartsAndParents } from '../../tracker/issues/children.ts'
import type { MentionedIssue } from '../../tracker/issues/describe-issues.ts'
import type { ChangeData } from '../../tracker/issues/issue-change.ts'
import { warnOfLiteralNewline } from '../../tracker/issues/literal-newline.ts'
import { resolveIssues } from '../../tracker/issues/resolve-issue.ts'
import type { ChosenRemote } from '../../tracker/sync/remote-name.ts'
import type { Workspace } from '../../tracker/workspace.ts'
import { type CommandResult, type DataOf, defineCommand, type GivenInput } from '../define-command.ts'
import { chooseWhere } from '../lock/lock-input.ts'
import { lockOption } from '../lock/lock-option.ts'
import { changeIssues } from './change-command.ts'
import { type ClaimFacts, describeClaimed, withBrief } from './claim.ts'

const issues = {
  issue: { summary: 'Issue id, a unique prefix of it, or an imported id', repeatable: true, completes: 'issue' },
} as const
const commentOption = {
  comment: { type: 'text', valueName: 'text', summary: 'Add a comment in the same commit', short: 'c' },
} as const

/** Results of the requested steps after closing. */
interface AfterClose {
  /** Null when nothing is ready, or the claim failed. */
  readonly claimed?: ClaimFacts | null
  /** Why no issue was claimed. */
  readonly not_claimed?: NoneReady
  readonly claim_failed?: true
  readonly remote?: string
  readonly sent?: boolean
}

type ClosedIssues = ChangeData<{ readonly state: IssueStateWord; readonly action: string }> &
  AfterClose & {
    /** Issues whose last open part was closed by this command. */
    readonly finished_parents?: readonly MentionedIssue[]
  }

export const issueClose = defineCommand({
  name: 'issue close',
  shortForms: ['close'],
  summary: 'Close issues',
  description:
    'Closing an issue does not close its parts; a warning lists the open ones. --claim-next claims in the same place as the ' +
    'closed issue was claimed: on its remote, or in this clone. --remote pushes at once and releases the claim on the ' +
    'remote; otherwise the next `grite sync` does both.',
  examples: [
    { command: 'grite issue close 3f2a91c', explains: 'close one issue' },
    {
      command: 'grite issue close 3f2a91c 77bc01d --comment "Released in 2.1"',
      explains: 'close two issues in one commit',
    },
    { command: 'grite issue close 3f2a91c --claim-next --remote', explains: 'finish this issue and claim the next' },
  ],
  served: true,
  effect: 'sets',
  arguments: issues,
  options: {
    ...commentOption,
    ...lockOption,
    'claim-next': {
      type: 'boolean',
      summary: 'Then claim the first ready issue, like `issue claim --next`',
    },
    remote: {
      type: 'text',
      valueName: 'name',
      valueOptional: true,
      summary: 'Push to this remote and claim there; without a name, the configured one',
      completes: 'remote',
    },
    local: { type: 'boolean', summary: 'With --claim-next: claim in this clone only' },
  },
  async run(context, input): Promise<CommandResult<ClosedIssues>> {
    if (input.local && !input.claimNext) {
      throw new InvalidArgsError('--local requires --claim-next', { details: { field: 'local' } })
    }
    const repository = await context.repository()
    const asked = await chooseWhere(repository, input)
    const goesByClaim = input.claimNext && !input.local && input.remote === undefined
    const { level, data } = await repository.exclusively(async () => ({
      // Closing releases a local claim, so read its level first.
      level: goesByClaim ? await findLevelOf(repository, input.issue) : undefined,
      data: (await moveIssues(context, input, { state: 'closed', action: 'closed' })).data,
    }))
    const finished = await checkPartsAndParents(context, data)
    const finishedParents = finished.length === 0 ? {} : { finished_parents: finished }
    const followed = await runNextSteps(context, input, level === undefined ? asked : level)
    return { data: { ...data, ...finishedParents, ...followed.data }, exitStatus: followed.hasFailed ? 1 : 0 }
  },
})

export type IssueCloseInput = GivenInput<typeof issueClose>
export type IssueCloseData = DataOf<typeof issueClose>

async function findLevelOf(repository: Workspace, typed: readonly string[]): Promise<ChosenRemote | null | undefined> {
  return findClaimLevel(repository, await resolveIssues(await repository.view(), typed))
}

/** Runs the requested steps after closing. The issues stay closed even if a step fails. */
async function runNextSteps(
  context: CommandContext,
  input: { readonly claimNext: boolean; readonly remote: string | undefined; readonly local: boolean },
  where: ChosenRemote | null,
): Promise<{ readonly data: AfterClose; readonly hasFailed: boolean }> {
  const repository = await context.repository()
  const next = input.claimNext
    ? await claimAfterClose(context, repository, { where, isLocalMeant: input.local })
    : undefined
  const sendsTo = input.remote === undefined ? null : where
  const sending = sendsTo === null ? undefined : await sendClosed(context, repository, sendsTo)
  const claimed = next?.claimed
    ? await withBrief(repository, await describeClaimed(context, { repository }, next.claimed))
    : null
  return {
    data: {
      ...(next === undefined ? {} : { claimed }),
      ...(next?.none === undefined ? {} : { not_claimed: next.none }),
      ...(next?.failed === true ? { claim_failed: true } : {}),
      ...(sendsTo === null ? {} : { remote: showRemote(sendsTo.name), sent: sending?.failed === false }),
    },
    hasFailed: next?.failed === true || sending?.failed === true,
  }
}

export const issueReopen = defineCommand({
  name: 'issue reopen',
  shortForms: ['reopen'],
  summary: 'Reopen closed issues',
  examples: [{ command: 'grite issue reopen 3f2a91c', explains: 'it was not fixed after all' }],
  served: true,
  effect: 'sets',
  arguments: issues,
  options: { ...commentOption, ...lockOption },
  run: (context, input) => moveIssues(context, input, { state: 'open', action: 'reopened' }),
})

export type IssueReopenInput = GivenInput<typeof issueReopen>
export type IssueReopenData = DataOf<typeof issueReopen>

interface MoveInput {
  readonly issue: readonly string[]
  readonly comment: string | undefined
  readonly lock: boolean
}

/** Adds the comment even if the issue already is in that state: somebody wrote it. */
function moveIssues(
  context: CommandContext,
  { issue, comment, lock }: MoveInput,
  target: { readonly state: IssueStateWord; readonly action: string },
) {
  warnOfLiteralNewline(context, { option: 'comment', text: comment })
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
