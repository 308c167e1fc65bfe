import { AfterWriteError, type EventId, type IssueId, type Lock } from '../../model/index.ts'
import { acquireLock, releaseLock } from '../locks/hold.ts'
import { localPlace } from '../locks/lock-place.ts'
import type { Workspace } from '../workspace.ts'
import { draftClaim, planClaim, readClaimTerms } from './claim-terms.ts'

/** A claim that was made or renewed. */
export interface Claimed {
  readonly issueId: IssueId
  readonly assignee: string
  readonly lock: Lock
  /** `renewed`: the claimant already had the issue. */
  readonly outcome: 'claimed' | 'renewed'
  readonly eventIds: readonly EventId[]
  /** Removed assignees, whose claims had ended. */
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
 * Claims an issue in this clone: acquires the lease, which decides, then writes the log. After a crash in between, the
 * claimant renews the lease, and others wait until it expires.
 * @throws {ConflictError} naming the holder
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
      // Once the log has the assignee, the claim is valid: a later failure must not release the lease.
      const isWritten = error instanceof AfterWriteError
      if (outcome !== 'renewed' && !isWritten) await releaseLock(repository, place, resource).catch(() => {})
      throw error
    }
  })
}
