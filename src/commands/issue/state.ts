import { showRemote } from '../../git/index.ts'
import { InvalidArgsError, type IssueStateWord } from '../../model/index.ts'
import { claimAfterClose, findClaimLevel, sendClosed } from '../../tracker/claims/after-close.ts'
import type { CommandContext } from '../../tracker/effects.ts'
import { addComment, changeState } from '../../tracker/issues/changes.ts'
import { lookAroundClosed } from '../../tracker/issues/children.ts'
import type { MentionedIssue } from '../../tracker/issues/describe-issues.ts'
import type { ChangeData } from '../../tracker/issues/issue-change.ts'
import { resolveIssues } from '../../tracker/issues/resolve-issue.ts'
import type { ChosenRemote } from '../../tracker/sync/remote-name.ts'
import type { Workspace } from '../../tracker/workspace.ts'
import { type CommandResult, type DataOf, defineCommand, type GivenInput } from '../define-command.ts'
import { chooseWhere } from '../lock/lock-input.ts'
import { lockOption } from '../lock/lock-option.ts'
import { changeIssues } from './change-command.ts'
import { describeClaimed } from './claim.ts'

const issues = {
  issue: { summary: 'Issue id, a unique prefix of it, or an imported id', repeatable: true, completes: 'issue' },
} as const
const commentOption = {
  comment: { type: 'text', valueName: 'text', summary: 'Say why, as a comment in the same commit', short: 'c' },
} as const

/** What was done besides closing, as far as it was asked for. */
interface AfterClose {
  /** Null when nothing is ready, or the claim failed. */
  readonly claimed?: Awaited<ReturnType<typeof describeClaimed>> | null
  readonly claim_failed?: true
  readonly remote?: string
  readonly sent?: boolean
}

type ClosedIssues = ChangeData<{ readonly state: IssueStateWord; readonly action: string }> &
  AfterClose & {
    /** Issues whose last open part is closed now. */
    readonly finished_parents?: readonly MentionedIssue[]
  }

export const issueClose = defineCommand({
  name: 'issue close',
  summary: 'Close issues',
  description:
    'Parts of a closed issue stay as they are; you are told when some of them are open. --claim-next claims where the closed issue ' +
    'was claimed: on its remote, or in this clone. --remote pushes the closing at once and releases the issue on the remote; ' +
    'without it the next `grite sync` does both.',
  examples: [
    { command: 'grite issue close 3f2a91c', explains: 'close one' },
    { command: 'grite issue close 3f2a91c 77bc01d --comment "Released in 2.1"', explains: 'close two in one commit' },
    { command: 'grite issue close 3f2a91c --claim-next --remote', explains: 'done with this one, on to the next' },
  ],
  arguments: issues,
  options: {
    ...commentOption,
    ...lockOption,
    'claim-next': {
      type: 'boolean',
      summary: 'Then claim the first issue that is ready, as `issue claim --next` does',
    },
    remote: {
      type: 'text',
      valueName: 'name',
      valueOptional: true,
      summary: 'Send the closing to this remote, and claim there; without a name the configured one',
      completes: 'remote',
    },
    local: { type: 'boolean', summary: 'With --claim-next: claim in this clone only' },
  },
  async run(context, input): Promise<CommandResult<ClosedIssues>> {
    if (input.local && !input.claimNext) {
      throw new InvalidArgsError('--local goes with --claim-next', { details: { field: 'local' } })
    }
    const repository = await context.repository()
    const asked = await chooseWhere(repository, input)
    const goesByClaim = input.claimNext && !input.local && input.remote === undefined
    const { level, data } = await repository.exclusively(async () => ({
      // Closing gives a claim of this clone back.
      level: goesByClaim ? await findLevelOf(repository, input.issue) : undefined,
      data: (await moveIssues(context, input, { state: 'closed', action: 'closed' })).data,
    }))
    const finished = await lookAroundClosed(context, data)
    const finishedParents = finished.length === 0 ? {} : { finished_parents: finished }
    const followed = await goOn(context, input, level === undefined ? asked : level)
    return { data: { ...data, ...finishedParents, ...followed.data }, exitStatus: followed.hasFailed ? 1 : 0 }
  },
})

export type IssueCloseInput = GivenInput<typeof issueClose>
export type IssueCloseData = DataOf<typeof issueClose>

async function findLevelOf(repository: Workspace, typed: readonly string[]): Promise<ChosenRemote | null | undefined> {
  return findClaimLevel(repository, await resolveIssues(await repository.view(), typed))
}

/** Does what was asked for besides closing. The issues stay closed, whatever becomes of it. */
async function goOn(
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
  const claimed = next?.claimed ? await describeClaimed(context, { repository }, next.claimed) : null
  return {
    data: {
      ...(next === undefined ? {} : { claimed }),
      ...(next?.failed === true ? { claim_failed: true } : {}),
      ...(sendsTo === null ? {} : { remote: showRemote(sendsTo.name), sent: sending?.failed === false }),
    },
    hasFailed: next?.failed === true || sending?.failed === true,
  }
}

export const issueReopen = defineCommand({
  name: 'issue reopen',
  summary: 'Open closed issues again',
  examples: [{ command: 'grite issue reopen 3f2a91c', explains: 'it was not fixed after all' }],
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
