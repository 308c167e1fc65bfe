import { showRemote } from '../../git/index.ts'
import type { IssueId } from '../../model/index.ts'
import { type ChosenRemote, findLikelyRemote } from '../sync/remote-name.ts'
import type { Workspace } from '../workspace.ts'
import { type Claimed, claimLocally } from './claim-locally.ts'
import { claimOnRemote } from './claim-shared.ts'
import type { SharedContext } from './move-shared.ts'

export interface ClaimRequest {
  readonly context: SharedContext
  readonly repository: Workspace
  /** The remote that makes the claim visible to all clones; null for a claim of this clone only. */
  readonly where: ChosenRemote | null
  readonly issueId: IssueId
  readonly ttlMs: number
  /** Whether to renew an existing claim of the actor; otherwise it is a conflict. */
  readonly renew: boolean
  /** Whether the log was just synced with `where`, so that the first fetch can be skipped. */
  readonly isFresh?: boolean
}

/**
 * Warns of a new local claim in a repository with a remote, since other clones may claim the same issue. Not used for
 * `--local`.
 */
export async function warnIfLocal(
  { context, repository }: Pick<ClaimRequest, 'context' | 'repository'>,
  { outcome, remote, issueId }: Claimed,
): Promise<void> {
  if (remote !== null || outcome !== 'claimed') return
  const likely = await findLikelyRemote(repository)
  if (likely === undefined) return
  const shown = showRemote(likely)
  context.warn({
    code: 'claim-local',
    message: `this claim is visible in this clone only, and other clones of '${shown}' may claim the same issue: use --remote to claim for all clones, or --local to silence this warning`,
    details: { issue_id: issueId, level: 'local', remote: shown },
  })
}

/** Claims an issue for the current actor. @throws {ConflictError} naming the holder */
export async function claimIssue({ where, ...request }: ClaimRequest): Promise<Claimed> {
  if (where === null) return claimLocally(request)
  return claimOnRemote({ ...request, remote: where })
}
