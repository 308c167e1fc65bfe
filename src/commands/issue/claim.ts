import { showRemote } from '../../git/index.ts'
import { currentTitle, InvalidArgsError, type IssueId, issueResource, NotFoundError } from '../../model/index.ts'
import { type ClaimRequest, claimIssue, warnIfLocal } from '../../tracker/claims/claim-issue.ts'
import type { Claimed } from '../../tracker/claims/claim-locally.ts'
import { claimNext } from '../../tracker/claims/claim-next.ts'
import { claimTtlMsDefault } from '../../tracker/claims/claim-terms.ts'
import { unclaimLocally, unclaimOnRemote } from '../../tracker/claims/unclaim-issue.ts'
import { describeNoneReady, type NoneReady } from '../../tracker/claims/why-none.ts'
import type { CommandContext } from '../../tracker/effects.ts'
import type { IssueBrief } from '../../tracker/issues/brief-issue.ts'
import { resolveIssue } from '../../tracker/issues/resolve-issue.ts'
import type { ChosenRemote } from '../../tracker/sync/remote-name.ts'
import { runSync } from '../../tracker/sync/run-sync.ts'
import type { Workspace } from '../../tracker/workspace.ts'
import { shortIdLength } from '../../view/index.ts'
import { type CommandResult, type DataOf, defineCommand, type GivenInput } from '../define-command.ts'
import {
  chooseWhere,
  findHeld,
  type PlaceInput,
  placeAt,
  placeOptions,
  readTtl,
  ttlOption,
} from '../lock/lock-input.ts'

export const issueClaim = defineCommand({
  name: 'issue claim',
  summary: 'Claim an issue to work on',
  description: [
    'If several actors or processes claim an issue at once, exactly one succeeds. The others fail with `conflict`, which names',
    'the holder and the time of expiry. This also holds for several processes of one actor. You become the assignee and hold',
    'the lock of the issue for an hour. Your writes to the issue renew it, and so does --renew. Anyone can take over an',
    'expired claim. Without `--remote` or a configured remote, the claim is visible in this clone only; if the repository',
    'has a remote, a warning says so. With --next, the answer has the text, last comments and relations of the issue; without',
    'a ready issue, the command fails with `not_found`, whose `reason` says why.',
  ].join(' '),
  examples: [
    { command: 'grite issue claim 3f2a91c', explains: 'claim this issue' },
    { command: 'grite issue claim --next --label bug', explains: 'claim the first bug in the ready queue' },
    { command: 'grite issue claim 3f2a91c --remote --ttl 4h', explains: 'visible to all clones, for four hours' },
  ],
  served: { unless: ['remote'] },
  effect: 'sets',
  arguments: {
    issue: { summary: 'Issue id, a unique prefix of it, or an imported id', optional: true, completes: 'issue' },
  },
  options: {
    renew: { type: 'boolean', summary: 'Extend your claim, or complete an interrupted one' },
    next: { type: 'boolean', summary: 'Claim the first ready issue that nobody holds' },
    label: {
      type: 'text',
      valueName: 'label',
      summary: 'With --next: only issues with this label; if repeated, with all of them',
      repeatable: true,
      short: 'l',
      completes: 'label',
    },
    ...ttlOption('Duration of the claim unless renewed; default 1 hour'),
    ...placeOptions,
  },
  async run(context, input): Promise<CommandResult<ClaimFacts>> {
    const typed = requireOne(input)
    const repository = await context.repository()
    const asked = await chooseWhere(repository, input)
    const ttlMs = readTtl(input.ttl, placeAt(repository, asked), claimTtlMsDefault)
    const request = { context, repository, ttlMs, renew: input.renew }
    const { claimed, none } =
      typed === null
        ? await claimNext({ ...request, where: asked }, input.label)
        : {
            claimed: await withIssue({ context, repository }, { ...input, issue: typed }, ({ issueId, where }) =>
              claimIssue({ ...request, where, issueId }),
            ),
          }
    if (claimed === null) throw nothingToClaim(none, input.label)
    if (!input.local) await warnIfLocal(request, claimed)
    const described = await describeClaimed(context, request, claimed)
    return { data: input.next ? await withBrief(repository, described) : described }
  },
})

export type IssueClaimInput = GivenInput<typeof issueClaim>
export type IssueClaimData = DataOf<typeof issueClaim>

interface FoundIssue {
  readonly issueId: IssueId
  readonly where: ChosenRemote | null
}

/**
 * Resolves the issue and the place of its claim, then runs `work`. Work in this clone runs inside the append queue, which
 * is entered before the view is opened. Work on a remote runs outside it, so that nobody waits in the queue for the network.
 */
async function withIssue<Result>(
  { context, repository }: { readonly context: CommandContext; readonly repository: Workspace },
  input: PlaceInput & { readonly issue: string },
  work: (found: FoundIssue) => Promise<Result>,
): Promise<Result> {
  const find = () =>
    repository.exclusively(async () => {
      const issueId = await resolveIssue(await repository.view(), input.issue)
      const { where } = await findHeld(repository, { ...input, resource: issueResource(issueId) })
      const found = { issueId, where }
      return { found, result: where === null ? await work(found) : undefined }
    })
  const asked = await chooseWhere(repository, input)
  const done = await find().catch(async (error: unknown) => {
    // The issue may exist on the remote but not have been fetched yet.
    if (asked === null || !(error instanceof NotFoundError)) throw error
    await runSync(context, repository, asked, { pull: true, push: false })
    return find()
  })
  return done.result ?? work(done.found)
}

/** The given issue, or null for the next one. @throws {InvalidArgsError} when both or neither are given */
interface ClaimInput {
  readonly issue: string | undefined
  readonly next: boolean
  readonly renew: boolean
  readonly label: readonly string[]
}

function requireOne({ issue, next, renew, label }: ClaimInput): string | null {
  if (!next && label.length > 0) {
    throw new InvalidArgsError('--label requires --next', { details: { field: 'label' } })
  }
  if (next && renew) {
    throw new InvalidArgsError('--renew needs an issue; it cannot be combined with --next', {
      details: { field: 'renew' },
    })
  }
  if (issue !== undefined && !next) return issue
  if (issue === undefined && next) return null
  throw new InvalidArgsError('give an issue, or --next for the first ready one', {
    details: { field: 'issue' },
  })
}

function nothingToClaim(none: NoneReady, labels: readonly string[]): NotFoundError {
  const { message, hint } = describeNoneReady(none, labels)
  return new NotFoundError(`nothing to claim: ${message}`, {
    details: { field: 'next', labels, ...none },
    hints: [hint],
  })
}

/** Adds what the claimant needs to start, who may not have seen the issue before. */
export async function withBrief(repository: Workspace, claimed: ClaimFacts): Promise<ClaimFacts> {
  const { briefIssue } = await import('../../tracker/issues/brief-issue.ts')
  const issue = await briefIssue(repository, claimed.issue_id)
  return issue === null ? claimed : { ...claimed, issue }
}

export type ClaimFacts = Awaited<ReturnType<typeof describeClaimed>> & {
  /** What the issue says; only of an issue that --next chose. */
  readonly issue?: IssueBrief
}

/** A claim in the data of a command that made it. */
export async function describeClaimed(
  context: Pick<CommandContext, 'clock'>,
  { repository }: Pick<ClaimRequest, 'repository'>,
  { issueId, assignee, lock, outcome, eventIds, removed, head, remote }: Claimed,
) {
  return {
    ...(await nameIssue(repository, issueId)),
    event_id: eventIds.at(-1) ?? null,
    event_ids: eventIds,
    outcome,
    action: 'claimed',
    assignee,
    removed_assignees: removed,
    resource: lock.resource,
    owner: lock.owner,
    nonce: lock.nonce,
    expires_unix_ms: lock.expiresUnixMs,
    ttl_seconds: Math.max(0, Math.round((lock.expiresUnixMs - context.clock.nowUnixMs()) / 1000)),
    fence: lock.fence,
    level: remote === null ? 'local' : 'remote',
    remote,
    wal_head: head,
  }
}

async function nameIssue(repository: Workspace, issueId: IssueId) {
  const view = await repository.view()
  const state = await view.findIssue(issueId)
  const shortIds = await view.shortIds([issueId], shortIdLength)
  return {
    issue_id: issueId,
    short_id: shortIds.get(issueId) ?? issueId,
    title: state === undefined ? '' : currentTitle(state),
  }
}

export const issueUnclaim = defineCommand({
  name: 'issue unclaim',
  summary: 'Release an issue that you have claimed',
  description: 'Releases the lock of the issue and removes you as assignee, unless you were assigned before the claim.',
  examples: [{ command: 'grite issue unclaim 3f2a91c', explains: 'let others claim it' }],
  served: { unless: ['remote'] },
  effect: 'sets',
  arguments: {
    issue: { summary: 'Issue id, a unique prefix of it, or an imported id', completes: 'issue' },
  },
  options: placeOptions,
  async run(context, input) {
    const repository = await context.repository()
    const { issueId, where, unclaimed } = await withIssue({ context, repository }, input, async (found) => ({
      ...found,
      unclaimed:
        found.where === null
          ? await unclaimLocally(repository, found.issueId)
          : await unclaimOnRemote({ context, repository, remote: found.where, issueId: found.issueId }),
    }))
    const { changed, lock, eventIds, head } = unclaimed
    return {
      data: {
        ...(await nameIssue(repository, issueId)),
        event_id: eventIds.at(-1) ?? null,
        event_ids: eventIds,
        outcome: changed ? 'unclaimed' : 'unchanged',
        action: 'unclaimed',
        resource: issueResource(issueId),
        released: true,
        owner: lock?.owner ?? null,
        fence: lock?.fence ?? null,
        level: where === null ? 'local' : 'remote',
        remote: where === null ? null : showRemote(where.name),
        wal_head: head,
      },
    }
  },
})

export type IssueUnclaimInput = GivenInput<typeof issueUnclaim>
export type IssueUnclaimData = DataOf<typeof issueUnclaim>
