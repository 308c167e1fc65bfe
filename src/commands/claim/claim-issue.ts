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
  /** Whether a claim that the actor has gets more time; else it is in the way. */
  readonly renew: boolean
  /** Whether the log has just been synced with `where`, so that nothing need be fetched first. */
  readonly isFresh?: boolean
}

/** Claims an issue for the current actor. @throws {ConflictError} naming who has it */
export async function claimIssue({ where, ...request }: ClaimRequest): Promise<Claimed> {
  if (where === null) return claimLocally(request)
  return claimOnRemote({ ...request, remote: where })
}
