/** Steps after closing issues: claim the next one, and push so that all clones see the change. */

import { showRemote } from '../../git/index.ts'
import { GriteError, type IssueId, issueResource } from '../../model/index.ts'
import type { CommandContext } from '../effects.ts'
import { isReadable, readKnownLocks } from '../locks/known-locks.ts'
import { nameRemotes } from '../locks/remote-names.ts'
import { pushRefused } from '../locks/shared-place.ts'
import { type ChosenRemote, chooseRemote } from '../sync/remote-name.ts'
import { runSync } from '../sync/run-sync.ts'
import type { Workspace } from '../workspace.ts'
import { warnIfLocal } from './claim-issue.ts'
import type { Claimed } from './claim-locally.ts'
import { claimNext } from './claim-next.ts'
import { claimTtlMsDefault } from './claim-terms.ts'
import { isAllSent, settleClaims } from './settle-claims.ts'
import type { NoneReady } from './why-none.ts'

/**
 * Finds where the current actor has claimed these issues: the remote if any claim is there, null if all are in this clone,
 * undefined if there is no claim.
 */
export async function findClaimLevel(
  repository: Workspace,
  issueIds: readonly IssueId[],
): Promise<ChosenRemote | null | undefined> {
  const owner = (await repository.findActor())?.actor.id
  const resources = new Set(issueIds.map(issueResource))
  const claims = (await readKnownLocks(repository)).filter(isReadable).filter(({ level, kind, found: { lock } }) => {
    const isOurs = level === 'local' || kind === 'lease'
    const isHeld = lock.claim !== null && lock.owner === owner && lock.expiresUnixMs !== 0
    return isOurs && isHeld && resources.has(lock.resource)
  })
  const lease = claims.find(({ level }) => level === 'remote')
  if (lease === undefined) return claims.length === 0 ? undefined : null
  const remote = (await nameRemotes(repository, [lease])).get(lease.remotePart)
  return remote === undefined ? null : chooseRemote(repository, repository.facts.cwd, remote)
}

interface Failed {
  /** True when the step failed; a warning says why. */
  readonly failed: boolean
}

/** Claims the next issue. If that fails, warns and leaves the closed ones closed. */
export async function claimAfterClose(
  context: CommandContext,
  repository: Workspace,
  { where, isLocalMeant }: { readonly where: ChosenRemote | null; readonly isLocalMeant: boolean },
): Promise<Failed & { readonly claimed: Claimed | null; readonly none?: NoneReady | undefined }> {
  try {
    await repository.closeView()
    const request = { context, repository, where, ttlMs: claimTtlMsDefault, renew: false }
    const { claimed, none } = await claimNext(request, [])
    if (claimed !== null && !isLocalMeant) await warnIfLocal(request, claimed)
    return { claimed, none, failed: false }
  } catch (error) {
    if (!(error instanceof GriteError)) throw error
    const message = `closed, but could not claim the next issue: ${error.message}`
    context.warn({ code: 'claim-failed', message, details: error.details })
    return { claimed: null, failed: true }
  }
}

/** Pushes the log to a remote and releases the leases of closed issues there. A failure is a warning. */
export async function sendClosed(
  context: CommandContext,
  repository: Workspace,
  remote: ChosenRemote,
): Promise<Failed> {
  try {
    if (!(await isAllSent(repository, remote.name))) {
      await repository.checkRepositoryLocks()
      const { refused } = await runSync(context, repository, remote, { pull: true, push: true })
      if (refused !== null) throw pushRefused(remote.name, refused)
    }
    await settleClaims(repository, remote.name, { push: true })
    return { failed: false }
  } catch (error) {
    if (!(error instanceof GriteError)) throw error
    const shown = showRemote(remote.name)
    const message = `closed here, but not yet on '${shown}': ${error.message}; run \`grite sync\` to push it`
    context.warn({ code: 'close-not-sent', message, details: { ...error.details, remote: shown } })
    return { failed: true }
  }
}
