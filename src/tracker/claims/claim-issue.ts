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
  /** The remote through which all clones see it; null for a claim of this clone. */
  readonly where: ChosenRemote | null
  readonly issueId: IssueId
  readonly ttlMs: number
  /** Whether a claim that the actor has gets more time; else it is in the way. */
  readonly renew: boolean
  /** Whether the log has just been synced with `where`, so that nothing need be fetched first. */
  readonly isFresh?: boolean
}

/**
 * Warns of a new claim that only this clone sees although there is a remote, through which other clones may claim the same
 * issue. Not for a claim made with `--local`.
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
    message: `this claim holds in this clone only, and other clones of '${shown}' may claim the same issue: --remote claims among all clones, --local says that this one is meant`,
    details: { issue_id: issueId, level: 'local', remote: shown },
  })
}

/** Claims an issue for the current actor. @throws {ConflictError} naming who has it */
export async function claimIssue({ where, ...request }: ClaimRequest): Promise<Claimed> {
  if (where === null) return claimLocally(request)
  return claimOnRemote({ ...request, remote: where })
}
