import { ConflictError, type IssueId, isRepositoryResource } from '../../model/index.ts'
import { readReadyQueue } from '../issues/ready-queue.ts'
import { runSync } from '../sync/run-sync.ts'
import { type ClaimRequest, claimIssue } from './claim-issue.ts'
import type { Claimed } from './claim-locally.ts'
import { type NoneReady, whyNoneReady } from './why-none.ts'

type NextRequest = Omit<ClaimRequest, 'issueId'>

export type NextClaim =
  | { readonly claimed: Claimed; readonly none?: undefined }
  | { readonly claimed: null; readonly none: NoneReady }

/**
 * Claims the first issue of the ready queue that no other claimant takes first, or tells why there is none.
 *
 * @param labels - the issue must have all of them
 * @throws {ConflictError} when a lock on the whole repository blocks every claim, or others keep writing
 */
export async function claimNext(request: NextRequest, labels: readonly string[]): Promise<NextClaim> {
  // Local claims run inside the append queue, which is entered before the view is opened.
  if (request.where === null) return request.repository.exclusively(() => claimFirst(request, labels))
  const { context, repository, where } = request
  await runSync(context, repository, where, { pull: true, push: false })
  return claimFirst({ ...request, isFresh: true }, labels)
}

async function claimFirst(request: NextRequest, labels: readonly string[]): Promise<NextClaim> {
  const tried = new Set<IssueId>()
  for (;;) {
    // Read again after each lost race, since others have written.
    const { ready } = await readReadyQueue(request.repository, { labels })
    const next = ready.find(({ unparsed }) => !tried.has(unparsed.issueId))?.unparsed.issueId
    if (next === undefined) return { claimed: null, none: await whyNoneReady(request.repository, labels) }
    tried.add(next)
    try {
      const isFresh = request.isFresh === true && tried.size === 1
      return { claimed: await claimIssue({ ...request, issueId: next, isFresh }) }
    } catch (error) {
      if (!(error instanceof ConflictError) || isAboutAll(error)) throw error
    }
  }
}

/** True for a conflict that every other issue would meet, too: retrying would end in a wrong "nothing is ready". */
function isAboutAll({ details }: ConflictError): boolean {
  if (details.reason === 'contended') return true
  return typeof details.held_resource === 'string' && isRepositoryResource(details.held_resource)
}
