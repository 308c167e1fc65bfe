import { ConflictError, makeVisible } from '../../model/index.ts'
import { actorNames } from '../identity/actor-names.ts'
import type { Workspace } from '../workspace.ts'
import type { ReadableLock } from './known-locks.ts'
import { nameRemotes } from './remote-names.ts'

/** The holder of a lock, for people: the name of the actor, else the assignee of the claim, else the id. */
export async function nameHolder(repository: Workspace, { found }: ReadableLock): Promise<string> {
  const { owner, claim } = found.lock
  const names = await actorNames(repository, await repository.view(), [owner])
  return names.get(owner) ?? claim?.assignee ?? owner
}

const heldByOthers = {
  isOwn: false,
  hints: ['`grite lock status` shows all locks; you can acquire this one after it expires'],
}

/** The error that names holder and expiry of the conflicting lock. */
export async function heldError(
  repository: Workspace,
  resource: string,
  sight: ReadableLock,
  { isOwn, hints }: { readonly isOwn: boolean; readonly hints: readonly string[] } = heldByOthers,
): Promise<ConflictError> {
  const { lock } = sight.found
  const holder = await nameHolder(repository, sight)
  const remote = (await nameRemotes(repository, [sight])).get(sight.remotePart) ?? null
  // All actors of one person usually have the same label, so add the id.
  const shortOwner = lock.owner.slice(0, 8)
  const named = makeVisible(holder.includes(shortOwner) ? holder : `${holder} (${shortOwner})`)
  const until = formatExpiry(lock.expiresUnixMs)
  const through = lock.resource === resource ? '' : ` through the lock on ${makeVisible(lock.resource)}`
  const where = remote === null ? '' : ` on ${remote}`
  return new ConflictError(`${makeVisible(resource)} is held${through} by ${named} until ${until}${where}`, {
    details: {
      reason: isOwn ? 'held-by-you' : 'held',
      resource,
      held_resource: lock.resource,
      owner: lock.owner,
      holder,
      expires_unix_ms: lock.expiresUnixMs,
      fence: lock.fence ?? undefined,
      level: sight.level,
      remote: remote ?? undefined,
    },
    hints,
  })
}

/** JavaScript dates end in the year 275760. */
export function formatExpiry(expiresUnixMs: number): string {
  const date = new Date(expiresUnixMs)
  return Number.isNaN(date.getTime()) ? 'for ever' : date.toISOString()
}
