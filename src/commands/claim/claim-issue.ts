import type { IssueId } from '../../model/index.ts'
import type { Repository } from '../repository.ts'
import type { ChosenRemote } from '../sync/remote-name.ts'
import { type Claimed, claimLocally } from './claim-locally.ts'
import { claimOnRemote } from './claim-shared.ts'
import type { SharedContext } from './move-shared.ts'

export interface ClaimRequest {
  readonly context: SharedContext
  readonly repository: Repository
  /** The remote through which all clones see it; null for a claim of this clone. */
  readonly where: ChosenRemote | null
  readonly issueId: IssueId
  readonly ttlMs: number
  /** Whether the log has just been synced with `where`, so that nothing need be fetched first. */
  readonly isFresh?: boolean
}

/** Claims an issue for the current actor; one that it has gets more time. @throws {ConflictError} naming who has it */
export async function claimIssue({ where, ...request }: ClaimRequest): Promise<Claimed> {
  const { repository, issueId, ttlMs } = request
  if (where === null) return claimLocally(repository, issueId, ttlMs)
  return claimOnRemote({ ...request, remote: where })
}
