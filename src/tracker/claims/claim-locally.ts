import { AfterWriteError, type EventId, type IssueId, type Lock } from '../../model/index.ts'
import { acquireLock, releaseLock } from '../locks/hold.ts'
import { localPlace } from '../locks/lock-place.ts'
import type { Workspace } from '../workspace.ts'
import { draftClaim, planClaim, readClaimTerms } from './claim-terms.ts'

/** A claim that was made, or given more time. */
export interface Claimed {
  readonly issueId: IssueId
  readonly assignee: string
  readonly lock: Lock
  /** `renewed`: the claimant had the issue already. */
  readonly outcome: 'claimed' | 'renewed'
  readonly eventIds: readonly EventId[]
  /** Assignees whose claims had ended. */
  readonly removed: readonly string[]
  readonly head: string | null
  readonly remote: string | null
}

export interface LocalClaimRequest {
  readonly repository: Workspace
  readonly issueId: IssueId
  readonly ttlMs: number
  readonly renew: boolean
}

/**
 * Claims an issue in this clone: the lease first, which decides, then the log. Killed in between, the claimant renews
 * what it has, and others wait until the time of the lease is over.
 * @throws {ConflictError} naming who has it
 */
export async function claimLocally(request: LocalClaimRequest): Promise<Claimed> {
  const { repository, issueId, ttlMs, renew } = request
  // Before the view is opened: see the invariants of the repository.
  return repository.exclusively(async () => {
    const terms = await readClaimTerms(repository, issueId, () => renew)
    const { resource, assignee } = terms
    const claim = await planClaim(repository, terms)
    const place = localPlace(repository)
    const { lock, outcome } = await acquireLock(repository, place, { resource, ttlMs, claim, isStep: true })
    try {
      const { head, result } = await repository.write((draft) => draftClaim(draft, terms, lock))
      return {
        ...{ issueId, assignee, lock, ...result, head, remote: null },
        outcome: outcome === 'renewed' ? 'renewed' : 'claimed',
      }
    } catch (error) {
      // With the assignee in the log the claim stands, whatever failed after that.
      const isWritten = error instanceof AfterWriteError
      if (outcome !== 'renewed' && !isWritten) await releaseLock(repository, place, resource).catch(() => {})
      throw error
    }
  })
}
