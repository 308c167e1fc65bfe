import { ConflictError, isRepositoryResource } from '../../model/index.ts'
import { readCandidates } from './candidates.ts'
import { type ClaimRequest, claimIssue } from './claim-issue.ts'
import type { Claimed } from './claim-locally.ts'

/**
 * Claims the first issue of the ready queue that nobody else gets before; null when there is none.
 * @throws {ConflictError} when a lock on the whole repository excludes all of them
 */
export async function claimNext(
  request: Omit<ClaimRequest, 'issueId'>,
  labels: readonly string[],
): Promise<Claimed | null> {
  // In this clone everything happens in the queue, which is entered before the view is opened.
  if (request.where === null) return request.repository.exclusively(() => claimFirst(request, labels))
  return claimFirst(request, labels)
}

async function claimFirst(request: Omit<ClaimRequest, 'issueId'>, labels: readonly string[]): Promise<Claimed | null> {
  const tried = new Set<string>()
  for (;;) {
    // Read again after each lost race: others have been at work.
    const next = (await readCandidates(request.repository, labels)).find((issueId) => !tried.has(issueId))
    if (next === undefined) return null
    tried.add(next)
    try {
      return await claimIssue({ ...request, issueId: next })
    } catch (error) {
      if (!(error instanceof ConflictError) || isAboutAll(error)) throw error
    }
  }
}

function isAboutAll({ details }: ConflictError): boolean {
  return typeof details.held_resource === 'string' && isRepositoryResource(details.held_resource)
}
